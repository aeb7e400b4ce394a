/**
 * The append-only JSONL file that lets a sandbox forget nothing.
 *
 * Lines are written in batches: while one batch is being written the next one gathers, so that a thousand
 * requests cost a few writes and none waits on a timer. An answer goes out after its line has been handed to
 * the operating system, which outlives a kill -9 of this process (not a power cut: nothing is fsynced).
 *
 * A line counts only with its newline. A torn last line is therefore a request that was never answered; it is
 * cut off at the next start.
 */

import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, truncate } from "node:fs/promises";
import { dirname } from "node:path";

/** Lines that will be written together, and the promise of those who wait for them. */
type Batch = { readonly lines: string[]; readonly written: Promise<void>; readonly resolve: () => void };

export class Journal {
  readonly #file: FileHandle | null;
  #gathering: Batch | null = null;
  #inFlight: Batch | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle | null) {
    this.#file = file;
  }

  /**
   * Opens the journal at `path`, or one that keeps nothing where it is null. Every whole line already there
   * goes to `replay`, oldest first; a torn last line is cut off.
   */
  static async open(path: string | null, replay: (line: string) => void): Promise<Journal> {
    if (path === null) return new Journal(null);
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "a");
    const wholeBytes = await readWholeLines(path, replay);
    if ((await file.stat()).size > wholeBytes) await truncate(path, wholeBytes);
    return new Journal(file);
  }

  /** Whether lines are kept at all; saves building them where not. */
  get keeps(): boolean {
    return this.#file !== null;
  }

  append(line: string): void {
    if (this.#file === null) return;
    if (this.#gathering === null) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#gathering = { lines: [], written: promise, resolve };
      if (this.#inFlight === null) this.#writing = this.#write(this.#file, this.#gathering);
    }
    this.#gathering.lines.push(line);
  }

  /** Resolves once everything appended so far is written; null where nothing is waiting. */
  settled(): Promise<void> | null {
    return (this.#gathering ?? this.#inFlight)?.written ?? null;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
  }

  /** Writes batch after batch until none has gathered. A write that fails ends the process: nothing is kept up. */
  async #write(file: FileHandle, first: Batch): Promise<void> {
    this.#inFlight = first;
    // A turn of the event loop, so that requests which arrived together share a write.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch: Batch | null = first; batch !== null; batch = this.#gathering) {
      this.#inFlight = batch;
      this.#gathering = null;
      await file.appendFile(`${batch.lines.join("\n")}\n`);
      batch.resolve();
    }
    this.#inFlight = null;
  }
}

/** Calls `each` with every line that ends in a newline; gives the length of those lines in bytes. */
async function readWholeLines(path: string, each: (line: string) => void): Promise<number> {
  let rest: Buffer = Buffer.alloc(0);
  let wholeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes: Buffer = Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      if (end > start) each(bytes.toString("utf8", start, end));
      start = end + 1;
    }
    wholeBytes += start;
    rest = bytes.subarray(start);
  }
  return wholeBytes;
}
