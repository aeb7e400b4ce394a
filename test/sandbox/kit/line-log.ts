/**
 * A file of lines that is written a little later than it is appended to. It is for reading after the fact;
 * what must not be lost goes to the journal.
 */

import { appendFile } from "node:fs/promises";

const FLUSH_MS = 25;

export class LineLog {
  readonly #path: string | null;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  /** With a null path nothing is kept. */
  constructor(path: string | null) {
    this.#path = path;
  }

  get keeps(): boolean {
    return this.#path !== null;
  }

  append(line: string): void {
    if (this.#path === null) return;
    this.#waiting.push(line);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** Writes what is waiting; resolves once it is written. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#waiting;
    this.#waiting = [];
    const path = this.#path;
    if (path !== null && lines.length > 0) {
      this.#writing = this.#writing.then(() => appendFile(path, `${lines.join("\n")}\n`));
    }
    return this.#writing;
  }
}
