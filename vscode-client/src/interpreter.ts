// Which Python runs the server and trainings, and whether it can.

import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";

const OLDEST = [3, 11] as const;

/** What a Python says about itself. */
export interface Python {
  readonly path: string;
  readonly version: readonly number[];
  /** Those of `bsls`, `bstorch`, `torch` and `numpy` that it can import. */
  readonly modules: readonly string[];
}

export class InterpreterError extends Error {}

/** The part of the Python extension's API that is used here. It may be absent: it is no dependency. */
interface PythonExtension {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonExtension(): Promise<PythonExtension | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  try {
    return extension && (extension.isActive ? extension.exports : await extension.activate());
  } catch {
    return undefined; // its trouble is its own to report
  }
}

function configured(folder: vscode.WorkspaceFolder | undefined): string {
  const value = vscode.workspace.getConfiguration("brainscript", folder).get<string>("interpreter", "").trim();
  return value.replace(/^~(?=[/\\]|$)/, homedir()).replaceAll("${workspaceFolder}", folder?.uri.fsPath ?? "");
}

/** The command or path: the setting, else what the Python extension has chosen, else what is usual. */
export async function chosenInterpreter(resource?: vscode.Uri): Promise<string> {
  const folder = resource ? vscode.workspace.getWorkspaceFolder(resource) : vscode.workspace.workspaceFolders?.[0];
  const setting = configured(folder);
  if (setting) return setting;
  const environments = (await pythonExtension())?.environments;
  if (environments) {
    const found = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(resource));
    if (found?.executable.uri) return found.executable.uri.fsPath;
  }
  return process.platform === "win32" ? "python" : "python3";
}

/** Asks a Python what it is; raises InterpreterError where it is missing, broken or too old. */
export async function examined(path: string): Promise<Python> {
  const question = [
    "import json, sys, importlib.util as u",
    "print(json.dumps([sys.version_info[:3], [m for m in ('bsls', 'bstorch', 'torch', 'numpy') if u.find_spec(m)]]))",
  ].join("\n");
  let answer: string;
  try {
    // The folder matters: Python imports from it first, and a workspace may hold anything.
    const cwd = __dirname;
    answer = (await promisify(execFile)(path, ["-c", question], { cwd, timeout: 60_000, windowsHide: true })).stdout;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new InterpreterError(absent ? `there is no Python '${path}'` : `'${path}' does not work: ${lastLine(error)}`);
  }
  try {
    const [version, modules] = JSON.parse(answer) as [number[], string[]];
    if (version[0] < OLDEST[0] || (version[0] === OLDEST[0] && version[1] < OLDEST[1])) {
      throw new InterpreterError(
        `'${path}' is Python ${version.join(".")}, and ${OLDEST.join(".")} or newer is needed`,
      );
    }
    return { path, version, modules };
  } catch (error) {
    throw error instanceof InterpreterError ? error : new InterpreterError(`'${path}' is no Python 3`);
  }
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim().split("\n").pop() ?? "";
}

/** Says what is wrong with the interpreter, and leads to the setting. */
export async function reportInterpreter(error: InterpreterError): Promise<void> {
  const open = "Open Setting";
  const message = `BrainScript needs Python ${OLDEST.join(".")} or newer: ${error.message}.`;
  if ((await vscode.window.showErrorMessage(message, open)) === open) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "brainscript.interpreter");
  }
}

/** Calls `listener` when another interpreter may have been chosen. */
export async function onDidChangeInterpreter(listener: () => void): Promise<vscode.Disposable> {
  const setting = vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration("brainscript.interpreter")) listener();
  });
  const environments = (await pythonExtension())?.environments;
  return vscode.Disposable.from(
    setting,
    ...(environments ? [environments.onDidChangeActiveEnvironmentPath(listener)] : []),
  );
}

/** Environment variables with which a Python finds the libraries that come with the extension before all others. */
export function withBundledLibraries(context: vscode.ExtensionContext): Record<string, string> {
  const libraries = join(context.extensionPath, "bundled", "libs");
  const others = process.env["PYTHONPATH"];
  return { PYTHONPATH: others ? libraries + delimiter + others : libraries };
}

/** Arguments that start `bsls`; -P because modules must not come from the folder where a config stands. */
export const BSLS = ["-P", "-m", "bsls"] as const;
