// Puts the parts together. There is no language logic here: that is the server's.

import * as vscode from "vscode";
import { checkWorkspace } from "./check";
import { Curves } from "./curves";
import { setUpTraining } from "./environment";
import { Graphs } from "./graph";
import { InterpreterError, onDidChangeInterpreter, reportInterpreter } from "./interpreter";
import { Server } from "./server";
import { Status } from "./status";
import { Training, type Choice } from "./training";

let server: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("BrainScript", { log: true });
  const current = (server = new Server(context, log));
  const training = new Training(context, current);
  const graphs = new Graphs(context, current);
  new Curves(context, training);

  const command = (name: string, run: (uri?: vscode.Uri, choice?: Choice) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(`brainscript.${name}`, async (uri?: vscode.Uri, choice?: Choice) => {
      try {
        await run(uri, choice);
      } catch (error) {
        if (!(error instanceof InterpreterError)) throw error;
        void reportInterpreter(error);
      }
    });
  context.subscriptions.push(
    log,
    training,
    new Status(current, training),
    command("run", (uri, choice) => training.run(uri, choice)),
    command("resume", (uri, choice) => training.resume(uri, choice)),
    command("stop", () => training.stop()),
    command("check", () => checkWorkspace(context)),
    command("graph", (uri, choice) => graphs.show(uri, choice)),
    command("setUpTraining", () => setUpTraining(context)),
    command("restartServer", () => current.restart()),
    command("showLog", () => log.show()),
  );
  // Nothing waits for these: the Python extension may take long, and commands must work without a server.
  void onDidChangeInterpreter(() => void current.followInterpreter()).then((listener) =>
    context.subscriptions.push(listener),
  );
  void current.restart();
}

export async function deactivate(): Promise<void> {
  await server?.dispose();
}
