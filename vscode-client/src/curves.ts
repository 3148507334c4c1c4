// The view with the curves of a training: passes events on to its page, and the page's wish to stop back.

import * as vscode from "vscode";
import { page, pageOptions } from "./page";
import type { FromCurves, ToCurves } from "./protocol";
import type { Training } from "./training";

export class Curves implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly training: Training,
  ) {
    context.subscriptions.push(
      vscode.window.registerWebviewViewProvider("brainscript.curves", this),
      training.onDidStart((title) => {
        this.post({ type: "start", title }, { type: "running", running: true });
        void vscode.commands.executeCommand("brainscript.curves.focus", { preserveFocus: true });
      }),
      training.onDidHappen((events) => this.post({ type: "events", events })),
      training.onDidEnd(() => this.post({ type: "running", running: false })),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    view.webview.options = pageOptions(this.context);
    view.webview.onDidReceiveMessage(async ({ type }: FromCurves) => {
      if (type === "stop") this.training.stop();
      else await this.catchUp();
    });
    view.onDidDispose(() => (this.view = undefined));
    view.webview.html = page(view.webview, this.context, "curves");
  }

  /** A page that has just been made, or made again after it was hidden, knows nothing. */
  private async catchUp(): Promise<void> {
    const events = await this.training.history();
    this.post(
      { type: "start", title: this.training.title },
      { type: "events", events },
      { type: "running", running: this.training.running },
    );
  }

  private post(...messages: ToCurves[]): void {
    for (const message of messages) void this.view?.webview.postMessage(message);
  }
}
