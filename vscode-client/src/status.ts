// One item in the status bar: the server's state, the findings, how far a training is.

import * as vscode from "vscode";
import type { Server, ServerState } from "./server";
import type { Progress, Training } from "./training";

interface Look {
  readonly text: string;
  readonly tooltip: string;
  readonly command: string;
  readonly warns?: boolean;
}

export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("brainscript", vscode.StatusBarAlignment.Left);
  private readonly disposable: vscode.Disposable;
  private server: ServerState = "starting";
  private progress: Progress | undefined;

  constructor(server: Server, training: Training) {
    this.item.name = "BrainScript";
    this.disposable = vscode.Disposable.from(
      this.item,
      server.onDidChangeState((state) => {
        this.server = state;
        this.update();
      }),
      training.onDidProgress((progress) => {
        this.progress = progress;
        this.update();
      }),
      vscode.languages.onDidChangeDiagnostics(() => this.update()),
      vscode.window.onDidChangeActiveTextEditor(() => this.update()),
    );
    this.update();
  }

  dispose(): void {
    this.disposable.dispose();
  }

  private update(): void {
    const { text, tooltip, command, warns } = this.look();
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.command = command;
    this.item.backgroundColor = warns ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    const shown =
      this.progress ?? vscode.window.visibleTextEditors.some((e) => e.document.languageId === "brainscript");
    if (shown) this.item.show();
    else this.item.hide();
  }

  private look(): Look {
    if (this.progress) {
      const { epoch, epochs } = this.progress;
      const where = epoch === undefined ? "training …" : `epoch ${epoch} of ${epochs}`;
      return {
        text: `$(sync~spin) BrainScript: ${where}`,
        tooltip: "Show the curves",
        command: "brainscript.curves.focus",
      };
    }
    if (this.server === "starting") {
      return { text: "$(loading~spin) BrainScript", tooltip: "The server is starting", command: "brainscript.showLog" };
    }
    if (this.server === "stopped") {
      const tooltip = "The language server does not run; click to start it";
      return { text: "$(warning) BrainScript", tooltip, command: "brainscript.restartServer", warns: true };
    }
    const document = vscode.window.activeTextEditor?.document;
    const findings = document?.languageId === "brainscript" ? vscode.languages.getDiagnostics(document.uri) : [];
    const count = (severity: vscode.DiagnosticSeverity): number =>
      findings.filter((f) => f.severity === severity).length;
    const errors = count(vscode.DiagnosticSeverity.Error);
    const warnings = count(vscode.DiagnosticSeverity.Warning);
    if (errors + warnings === 0) {
      return { text: "$(check) BrainScript", tooltip: "No problems in this file", command: "brainscript.showLog" };
    }
    return {
      text: `$(error) ${errors} $(warning) ${warnings} BrainScript`,
      tooltip: "Show the problems",
      command: "workbench.actions.view.problems",
    };
  }
}
