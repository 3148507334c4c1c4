// Runs, resumes and stops trainings, and tells others what happens in them.

import { basename, dirname, resolve } from "node:path";
import * as vscode from "vscode";
import { savedConfig, showPlace } from "./documents";
import { trainingPython } from "./environment";
import { EventsFile } from "./events";
import { BSLS } from "./interpreter";
import type { TrainingEvent } from "./protocol";
import type { ConfigCommand, Server } from "./server";
import { runTask } from "./tasks";

/** What a caller may say instead of being asked. */
export interface Choice {
  /** Name of a command; empty for all. */
  readonly command?: string;
  /** Epochs in total; empty for what the config says. */
  readonly maxEpochs?: string;
}

/** How far the running training is. */
export interface Progress {
  readonly epoch?: number;
  readonly epochs?: number;
}

export class Training implements vscode.Disposable {
  private readonly progressed = new vscode.EventEmitter<Progress | undefined>();
  private readonly happened = new vscode.EventEmitter<TrainingEvent[]>();
  private readonly started = new vscode.EventEmitter<string>();
  private readonly ended = new vscode.EventEmitter<void>();
  /** How far it is; undefined at the end. */
  readonly onDidProgress = this.progressed.event;
  readonly onDidHappen = this.happened.event;
  /** The name of its config. */
  readonly onDidStart = this.started.event;
  readonly onDidEnd = this.ended.event;

  title = "";
  private events: EventsFile | undefined;
  private pid: number | undefined;
  private busy = false;
  private stopping = false;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly server: Server,
  ) {}

  get running(): boolean {
    return this.busy;
  }

  async run(uri?: vscode.Uri, choice: Choice = {}): Promise<void> {
    const config = await savedConfig(uri);
    const commands = config && (await this.commands(config));
    if (!commands) return;
    const all = { label: "All commands", description: "in the order of the config", name: "" };
    const command = choice.command ?? (await pick("Run", commands.length > 1 ? [all, ...items(commands)] : [all]));
    if (command === undefined) return;
    // A plus sign separates files there, so that a path with one goes by its name in the folder.
    const file = config.fsPath.includes("+") ? basename(config.fsPath) : config.fsPath;
    const args = [`configFile=${file}`, ...(command ? [`command=${command}`] : [])];
    await this.start(config, "run", args, command);
  }

  async resume(uri?: vscode.Uri, choice: Choice = {}): Promise<void> {
    const config = await savedConfig(uri);
    const commands = config && (await this.commands(config));
    if (!commands) return;
    const trains = commands.filter((command) => command.trains);
    const command = choice.command ?? (trains.length > 1 ? await pick("Resume", items(trains)) : "");
    if (command === undefined) return;
    const maxEpochs = choice.maxEpochs ?? (await askEpochs());
    if (maxEpochs === undefined) return;
    const args = [config.fsPath, ...(command ? [`command=${command}`] : [])];
    await this.start(config, "resume", [...args, ...(maxEpochs ? ["--max-epochs", maxEpochs] : [])], command);
  }

  /** Asks the training to end, as Ctrl-C does: it says what was kept, and can be resumed. The second time it must. */
  stop(): void {
    const signal = this.stopping ? "SIGKILL" : "SIGINT";
    this.stopping = true;
    this.signal(signal);
  }

  /** The events of the last training. */
  async history(): Promise<TrainingEvent[]> {
    return (await this.events?.history()) ?? [];
  }

  dispose(): void {
    this.stop();
    this.events?.dispose();
    vscode.Disposable.from(this.progressed, this.happened, this.started, this.ended).dispose();
  }

  private signal(signal: NodeJS.Signals): void {
    try {
      if (this.pid !== undefined) process.kill(this.pid, signal);
    } catch {
      // it has just ended
    }
  }

  /** The commands of a config; none are known without the server, and undefined says that the file is no config. */
  private async commands(config: vscode.Uri): Promise<readonly ConfigCommand[] | undefined> {
    const commands = await this.server.commands(config);
    if (commands?.length !== 0) return commands ?? [];
    void vscode.window.showInformationMessage(`${basename(config.fsPath)} has no commands that could be run.`);
    return undefined;
  }

  private async start(config: vscode.Uri, action: "run" | "resume", args: string[], command: string): Promise<void> {
    if (this.busy) {
      void vscode.window.showInformationMessage(`${this.title} is still running.`);
      return;
    }
    this.title = basename(config.fsPath);
    this.stopping = false;
    this.setBusy(true);
    try {
      const python = await trainingPython(this.context, config);
      if (!python || this.stopping) return;
      let end: TrainingEvent | undefined;
      this.events?.dispose();
      const events = (this.events = new EventsFile((found) => {
        end = found.find((event) => event.event === "done" || event.event === "error") ?? end;
        this.pass(found);
      }));
      await vscode.commands.executeCommand("setContext", "brainscript.trained", true);
      this.started.fire(this.title);
      this.progressed.fire({});
      const more = vscode.workspace.getConfiguration("brainscript", config).get<string[]>("run.arguments", []);
      const cwd = dirname(config.fsPath);
      await runTask(
        {
          name: [action === "run" ? "Run" : "Resume", this.title, command].filter(Boolean).join(" "),
          action,
          program: python.path,
          args: [...BSLS, action, ...args, ...more, "--events", events.path],
          cwd,
          env: python.env,
          matcher: "$brainscript-run",
        },
        (pid) => {
          this.pid = pid;
          if (this.stopping) this.signal("SIGINT");
        },
      );
      events.stopWatching();
      await events.catchUp();
      if (end?.event !== "done" && !this.stopping) void this.reportFailure(end, cwd);
    } finally {
      this.pid = undefined;
      this.setBusy(false);
      this.progressed.fire(undefined);
      this.ended.fire();
    }
  }

  private pass(events: TrainingEvent[]): void {
    this.happened.fire(events);
    const last = events.findLast((event) => event.event === "minibatch" || event.event === "epoch");
    if (last) this.progressed.fire({ epoch: last.epoch, epochs: last.epochs });
  }

  /** Exit codes tell less than events: a process that was killed may report 0. */
  private async reportFailure(end: TrainingEvent | undefined, cwd: string): Promise<void> {
    if (end?.event !== "error") {
      const text = `${this.title} ended before it was done; the terminal may say why. Resume Training goes on from the last checkpoint.`;
      void vscode.window.showWarningMessage(text);
      return;
    }
    const { rule, path, line, column } = end;
    if (rule === "interrupted") return; // by Ctrl-C in the terminal
    const place = "Show Place";
    const chosen = await vscode.window.showErrorMessage(
      `${this.title} failed: ${end.message}`,
      ...(path ? [place] : []),
    );
    if (chosen === place && path) await showPlace(resolve(cwd, path), (line ?? 1) - 1, (column ?? 1) - 1);
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    void vscode.commands.executeCommand("setContext", "brainscript.training", busy);
  }
}

interface Item extends vscode.QuickPickItem {
  readonly name: string;
}

function items(commands: readonly ConfigCommand[]): Item[] {
  return commands.map(({ name, action, modelPath }) => ({
    label: name,
    description: [action, modelPath].filter(Boolean).join(" · "),
    name,
  }));
}

/** The name of the command; without a question where there is no choice. */
async function pick(what: string, choices: Item[]): Promise<string | undefined> {
  if (choices.length < 2) return choices[0]?.name;
  return (await vscode.window.showQuickPick(choices, { title: `${what}: which command?` }))?.name;
}

async function askEpochs(): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: "Resume: epochs in total",
    prompt: "Those done before count. Leave it empty for the number in the config.",
    validateInput: (text) => (/^\s*([1-9]\d*)?\s*$/.test(text) ? undefined : "A whole number, or nothing"),
  });
}
