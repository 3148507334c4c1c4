// Runs programs as VS Code tasks: in a terminal that the user sees, with a problem matcher.

import * as vscode from "vscode";

export interface Job {
  readonly name: string;
  readonly action: "run" | "resume" | "check" | "set up";
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly matcher?: "$brainscript-run" | "$brainscript-check";
}

/** Runs a job to its end and gives its exit code, undefined where it could not start or was ended by a signal. */
export async function runTask(job: Job, started?: (pid: number) => void): Promise<number | undefined> {
  const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(job.cwd));
  const task = new vscode.Task(
    { type: "brainscript", action: job.action },
    folder ?? vscode.TaskScope.Workspace,
    job.name,
    "BrainScript",
    new vscode.ProcessExecution(job.program, [...job.args], { cwd: job.cwd, ...(job.env && { env: job.env }) }),
    job.matcher ?? [],
  );
  task.presentationOptions = {
    // A training has its curves in the same panel; its terminal comes to the front where it fails.
    reveal: job.matcher === "$brainscript-run" ? vscode.TaskRevealKind.Silent : vscode.TaskRevealKind.Always,
    panel: vscode.TaskPanelKind.Shared,
  };
  const listeners: vscode.Disposable[] = [];
  try {
    return await new Promise<number | undefined>((resolve, reject) => {
      // Listening begins before the start: a short task may be over before `executeTask` answers.
      const ours = (execution: vscode.TaskExecution): boolean =>
        execution.task.name === job.name && execution.task.definition["action"] === job.action;
      let code: number | undefined;
      listeners.push(
        vscode.tasks.onDidStartTaskProcess((event) => ours(event.execution) && started?.(event.processId)),
        vscode.tasks.onDidEndTaskProcess((event) => {
          if (ours(event.execution)) code = event.exitCode;
        }),
        vscode.tasks.onDidEndTask((event) => ours(event.execution) && resolve(code)),
      );
      vscode.tasks.executeTask(task).then(undefined, reject);
    });
  } finally {
    vscode.Disposable.from(...listeners).dispose();
  }
}
