// What `bsls run --events FILE` writes: a JSON object a line, read while it grows.

import { mkdtempSync, rmSync, unwatchFile, watchFile } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainingEvent } from "./protocol";

export class EventsFile {
  private readonly folder = mkdtempSync(join(tmpdir(), "brainscript-"));
  readonly path = join(this.folder, "events.jsonl");
  private read = 0;
  private reading = Promise.resolve();

  /** Calls `listener` with the events that have come since the last call. */
  constructor(private readonly listener: (events: TrainingEvent[]) => void) {
    // Polling: notices about files get lost on network drives.
    watchFile(this.path, { interval: 250 }, () => void this.catchUp());
  }

  /** Reads what has been written since; calls wait for each other. */
  catchUp(): Promise<void> {
    this.reading = this.reading.then(() => this.readOn()).catch(() => undefined); // not yet there, or gone again
    return this.reading;
  }

  /** Everything that has been passed to the listener so far. */
  async history(): Promise<TrainingEvent[]> {
    await this.reading;
    const text = await readFile(this.path).catch(() => Buffer.alloc(0));
    return parsed(text.subarray(0, this.read).toString().split("\n"));
  }

  private async readOn(): Promise<void> {
    const file = await open(this.path);
    try {
      const length = (await file.stat()).size - this.read;
      if (length <= 0) return;
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await file.read(bytes, 0, length, this.read);
      const end = bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1; // the last line may be half written
      this.read += end;
      const events = parsed(bytes.subarray(0, end).toString().split("\n"));
      if (events.length) this.listener(events);
    } finally {
      await file.close();
    }
  }

  stopWatching(): void {
    unwatchFile(this.path);
  }

  dispose(): void {
    this.stopWatching();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function parsed(lines: string[]): TrainingEvent[] {
  return lines.flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as TrainingEvent] : [];
    } catch {
      return []; // the writer was killed in the middle of a line, and a new one went on
    }
  });
}
