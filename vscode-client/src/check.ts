// Check Workspace: all configs of the workspace, findings in the Problems panel.

import * as vscode from "vscode";
import { BSLS, chosenInterpreter, examined, withBundledLibraries } from "./interpreter";
import { runTask } from "./tasks";

export async function checkWorkspace(context: vscode.ExtensionContext): Promise<void> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file");
  const first = folders[0];
  if (!first) return;
  const python = await examined(await chosenInterpreter());
  await vscode.workspace.saveAll(false);
  await runTask({
    name: "Check the workspace",
    action: "check",
    program: python.path,
    args: [...BSLS, "check", ...folders.map((folder) => folder.uri.fsPath)],
    cwd: first.uri.fsPath,
    env: withBundledLibraries(context),
    matcher: "$brainscript-check",
  });
}
