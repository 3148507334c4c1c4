// Starts the language server, starts it again when it died, and stops it.

import * as vscode from "vscode";
import {
  CloseAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  TransportKind,
  type ErrorHandler,
} from "vscode-languageclient/node";
import {
  BSLS,
  chosenInterpreter,
  examined,
  InterpreterError,
  reportInterpreter,
  withBundledLibraries,
} from "./interpreter";

export type ServerState = "starting" | "ready" | "stopped";

/** A command of a config, as the server's request `brainscript/commands` tells it. */
export interface ConfigCommand {
  readonly name: string;
  readonly action: string;
  readonly line: number;
  readonly trains: boolean;
  readonly modelPath: string | null;
}

export class Server implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ServerState>();
  readonly onDidChangeState = this.changed.event;
  /** What can change findings without an open document: included files, models that are written. */
  private readonly watcher = vscode.workspace.createFileSystemWatcher("**/*.{cntk,config,bs,ndl,mel,dnn,cmf,toml}");
  private client: LanguageClient | undefined;
  private python = "";
  private queue = Promise.resolve();

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Starts the server anew; calls wait for each other. */
  restart(): Promise<void> {
    this.queue = this.queue.then(async () => {
      await this.stop();
      await this.start();
    });
    return this.queue;
  }

  /** Starts the server anew if another interpreter is chosen now. */
  async followInterpreter(): Promise<void> {
    if ((await chosenInterpreter()) !== this.python) await this.restart();
  }

  /** The commands of a config, also of unsaved text; undefined where the server is not there to say. */
  async commands(uri: vscode.Uri): Promise<ConfigCommand[] | undefined> {
    await this.queue;
    try {
      await vscode.workspace.openTextDocument(uri); // the server knows open documents only
      return await this.client?.sendRequest<ConfigCommand[]>("brainscript/commands", { uri: uri.toString() });
    } catch (error) {
      this.log.warn(`The commands of ${uri.fsPath} are not known: ${String(error)}`);
      return undefined;
    }
  }

  async dispose(): Promise<void> {
    await this.queue;
    await this.stop();
    vscode.Disposable.from(this.watcher, this.changed).dispose();
  }

  private async start(): Promise<void> {
    this.changed.fire("starting");
    try {
      this.python = await chosenInterpreter();
      const python = await examined(this.python);
      this.log.info(`The server runs with ${python.path}, Python ${python.version.join(".")}.`);
      this.client = this.newClient(python.path);
      await this.client.start();
    } catch (error) {
      this.changed.fire("stopped");
      this.log.error(String(error));
      if (error instanceof InterpreterError) void reportInterpreter(error);
      else void this.reportStopped("could not be started");
    }
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      this.log.debug(String(error)); // it never ran
    }
  }

  private newClient(python: string): LanguageClient {
    const client: LanguageClient = new LanguageClient(
      "brainscript",
      "BrainScript",
      {
        command: python,
        args: [...BSLS, "lsp", "--stdio"],
        transport: TransportKind.stdio,
        options: { env: withBundledLibraries(this.context) },
      },
      {
        documentSelector: [
          { language: "brainscript", scheme: "file" },
          { language: "brainscript", scheme: "untitled" },
        ],
        synchronize: { fileEvents: this.watcher },
        outputChannel: this.log,
        // What goes wrong inside the server stands in the log; a toast would only be in the way of typing.
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        errorHandler: this.errorHandler(() => client),
      },
    );
    client.onDidChangeState(({ newState }) => {
      if (client !== this.client) return;
      if (newState === State.Running) this.changed.fire("ready");
      else this.changed.fire(newState === State.Starting ? "starting" : "stopped");
    });
    return client;
  }

  /** The client's own rules (five restarts in three minutes), without its toasts, and with a way out at the end. */
  private errorHandler(client: () => LanguageClient): ErrorHandler {
    let usual: ErrorHandler | undefined;
    const rules = (): ErrorHandler => (usual ??= client().createDefaultErrorHandler());
    return {
      error: async (...what) => ({ ...(await rules().error(...what)), handled: true }),
      closed: async () => {
        const result = await rules().closed();
        if (result.action === CloseAction.DoNotRestart) void this.reportStopped("stopped five times in three minutes");
        return { ...result, handled: true };
      },
    };
  }

  private async reportStopped(what: string): Promise<void> {
    const [again, log] = ["Restart", "Show Log"];
    const chosen = await vscode.window.showErrorMessage(`The BrainScript language server ${what}.`, again, log);
    if (chosen === again) await this.restart();
    else if (chosen === log) this.log.show();
  }
}
