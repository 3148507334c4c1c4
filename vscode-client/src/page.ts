// The HTML frame of a webview: our script and styles, and nothing else from anywhere.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export function pageOptions(context: vscode.ExtensionContext): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(context.extensionUri, "dist")] };
}

/** The page that runs dist/NAME.js with dist/NAME.css. */
export function page(webview: vscode.Webview, context: vscode.ExtensionContext, name: "curves" | "graph"): string {
  const nonce = randomBytes(16).toString("base64url");
  const file = (kind: string): vscode.Uri =>
    webview.asWebviewUri(vscode.Uri.joinPath(context.extensionUri, "dist", `${name}.${kind}`));
  const policy = `default-src 'none'; style-src ${webview.cspSource} 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <link rel="stylesheet" href="${file("css").toString()}">
  </head>
  <body>
    <main></main>
    <script nonce="${nonce}" src="${file("js").toString()}"></script>
  </body>
</html>`;
}
