// The config that a command is about, saved, and places in documents.

import * as vscode from "vscode";

/** The config that a menu was opened on, else that of the active editor; undefined where there is none. */
export async function savedConfig(uri: vscode.Uri | undefined): Promise<vscode.Uri | undefined> {
  const active = vscode.window.activeTextEditor?.document;
  const config = uri ?? (active?.languageId === "brainscript" ? active.uri : undefined);
  if (!config) {
    void vscode.window.showInformationMessage("Open a BrainScript config first.");
    return undefined;
  }
  if (config.scheme !== "file") {
    void vscode.window.showInformationMessage("Save the config first: paths in it count from its folder.");
    return undefined;
  }
  // Others that it includes may have changed, too.
  const changed = vscode.workspace.textDocuments.filter(
    (d) => d.isDirty && !d.isUntitled && d.languageId === "brainscript",
  );
  const saved = await Promise.all(changed.map((document) => document.save()));
  return saved.every(Boolean) ? config : undefined;
}

/** Shows a place in a file; line and character count from 0, characters in code points as `bsls` counts them. */
export async function showPlace(path: string, line: number, character: number): Promise<void> {
  const document = await vscode.workspace.openTextDocument(path);
  const text = document.lineAt(Math.min(line, document.lineCount - 1)).text;
  const column = [...text].slice(0, character).join("").length;
  const place = new vscode.Position(line, column);
  await vscode.window.showTextDocument(document, {
    viewColumn: vscode.ViewColumn.One,
    selection: document.getWordRangeAtPosition(place) ?? new vscode.Range(place, place),
  });
}
