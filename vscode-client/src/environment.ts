// The Python that trains: one with PyTorch. Where there is none, an environment of the extension's own is offered.

import { join } from "node:path";
import * as vscode from "vscode";
import { chosenInterpreter, examined, withBundledLibraries, type Python } from "./interpreter";
import { runTask } from "./tasks";

export interface TrainingPython {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** A Python that can train; asks to set one up where there is none, and gives undefined where that is not wanted. */
export async function trainingPython(
  context: vscode.ExtensionContext,
  resource: vscode.Uri,
): Promise<TrainingPython | undefined> {
  const found = await readyPython(context, resource);
  if (found) return found;
  const setUp = "Set Up";
  const chosen = await vscode.window.showInformationMessage(
    "Training needs PyTorch, which the Python interpreter does not have. Set up an environment for it?",
    {
      modal: true,
      detail:
        "It is made in the extension's own folder, and PyTorch is downloaded from the package index that pip is configured " +
        "for: about 200 MB for the CPU, several GB with CUDA. The setting brainscript.training.pipArguments can name another index.",
    },
    setUp,
  );
  return chosen === setUp ? setUpTraining(context, resource) : undefined;
}

/** Makes the environment, in a terminal that shows how it goes; undefined where that fails. */
export async function setUpTraining(
  context: vscode.ExtensionContext,
  resource?: vscode.Uri,
): Promise<TrainingPython | undefined> {
  const python = await examined(await chosenInterpreter(resource));
  const cwd = context.globalStorageUri.fsPath;
  await vscode.workspace.fs.createDirectory(context.globalStorageUri);
  const more = vscode.workspace.getConfiguration("brainscript", resource).get<string[]>("training.pipArguments", []);
  const requirements = join(context.extensionPath, "bundled", "training-requirements.txt");
  const steps = [
    { program: python.path, args: ["-m", "venv", environmentFolder(context)] },
    { program: environmentPython(context), args: ["-m", "pip", "install", "-r", requirements, ...more] },
  ];
  for (const step of steps) {
    const code = await runTask({ name: "Set up the training environment", action: "set up", cwd, ...step });
    if (code !== 0) {
      void vscode.window.showErrorMessage("The training environment could not be set up; the terminal says why.");
      return undefined;
    }
  }
  return readyPython(context, resource);
}

async function readyPython(
  context: vscode.ExtensionContext,
  resource?: vscode.Uri,
): Promise<TrainingPython | undefined> {
  const chosen = await examined(await chosenInterpreter(resource));
  if (["bsls", "bstorch"].every((module) => chosen.modules.includes(module)) && hasTorch(chosen)) {
    return { path: chosen.path, env: {} };
  }
  const own = await examined(environmentPython(context)).catch(() => undefined);
  const python = [chosen, own].find((candidate) => candidate && hasTorch(candidate));
  return python && { path: python.path, env: withBundledLibraries(context) };
}

function hasTorch(python: Python): boolean {
  return ["torch", "numpy"].every((module) => python.modules.includes(module));
}

function environmentFolder(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, "training");
}

function environmentPython(context: vscode.ExtensionContext): string {
  const [folder, name] = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  return join(environmentFolder(context), folder, name);
}
