// The graph of a network beside its config, drawn by `bsls graph`; a click on a node shows the line that makes it.

import { execFile } from "node:child_process";
import { basename, dirname, resolve } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import { savedConfig, showPlace } from "./documents";
import { BSLS, chosenInterpreter, examined, withBundledLibraries } from "./interpreter";
import { page, pageOptions } from "./page";
import type { FromGraph, ToGraph } from "./protocol";
import type { Server } from "./server";
import type { Choice } from "./training";

export class Graphs {
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly server: Server,
  ) {}

  async show(uri?: vscode.Uri, choice: Choice = {}): Promise<void> {
    const config = await savedConfig(uri);
    if (!config) return;
    const command = choice.command ?? (await this.pick(config));
    if (command === undefined) return;
    const key = `${config.toString()} ${command}`;
    const open = this.panels.get(key);
    if (open) open.reveal();
    else
      this.panels.set(
        key,
        this.open(config, command, () => this.panels.delete(key)),
      );
  }

  private async pick(config: vscode.Uri): Promise<string | undefined> {
    const commands = (await this.server.commands(config)) ?? [];
    const names = [...new Map(commands.map((command) => [command.name, command])).values()];
    if (names.length < 2) return names[0]?.name ?? "";
    const choices = names.map(({ name, action }) => ({ label: name, description: action }));
    return (await vscode.window.showQuickPick(choices, { title: "Show Network Graph: of which command?" }))?.label;
  }

  private open(config: vscode.Uri, command: string, closed: () => void): vscode.WebviewPanel {
    const title = [basename(config.fsPath), command].filter(Boolean).join(": ");
    const panel = vscode.window.createWebviewPanel("brainscript.graph", title, vscode.ViewColumn.Beside, {
      ...pageOptions(this.context),
      retainContextWhenHidden: true, // keeps the place and the zoom
    });
    const draw = async (): Promise<void> => {
      await panel.webview.postMessage(await this.drawn(config, command));
    };
    const saved = vscode.workspace.onDidSaveTextDocument((document) => {
      if (document.languageId === "brainscript") void draw(); // it may be one that the config includes
    });
    panel.onDidDispose(() => {
      saved.dispose();
      closed();
    });
    panel.webview.onDidReceiveMessage(async (message: FromGraph) => {
      if (message.type === "ready") await draw();
      else await showPlace(resolve(dirname(config.fsPath), message.path), message.line, message.character);
    });
    panel.webview.html = page(panel.webview, this.context, "graph");
    return panel;
  }

  private async drawn(config: vscode.Uri, command: string): Promise<ToGraph> {
    try {
      const python = await examined(await chosenInterpreter(config));
      const args = [...BSLS, "graph", config.fsPath, ...(command ? ["--command", command] : []), "--format", "svg"];
      const env = { ...process.env, ...withBundledLibraries(this.context) };
      const cwd = dirname(config.fsPath);
      const options = { env, cwd, maxBuffer: 1 << 28, windowsHide: true };
      return { svg: (await promisify(execFile)(python.path, args, options)).stdout };
    } catch (error) {
      const { stderr, message } = error as { stderr?: string; message: string };
      return { error: (stderr || message).trim() };
    }
  }
}
