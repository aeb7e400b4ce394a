import type { Entry } from "./entry.ts";

/** How much goes into one batch: more would not be cheaper, and would make its commits wait for each other. */
export type BatchLimits = { readonly commits: number; readonly transfers: number };

/**
 * Commits in the order in which they came. A batch takes from the front, at most one commit of each payment, key,
 * session or pending transfer: a set-based UPDATE that finds two rows for one target applies one of them and says
 * nothing. One that has to wait keeps everything behind it that touches the same, or that depends on what it leaves
 * in an account: the others may overtake it, since they cannot tell.
 */
export class CommitQueue<T extends { readonly entry: Entry }> {
  #waiting: T[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  push(item: T): void {
    this.#waiting.push(item);
  }

  /** Takes the next batch out, in order; empty only if nothing waits. */
  take(limits: BatchLimits): T[] {
    const batch: T[] = [];
    const left: T[] = [];
    const touched = new Set<string>();
    const awaited = new Set<bigint>();
    let transfers = 0;
    let at = 0;
    for (; at < this.#waiting.length; at++) {
      const item = this.#waiting[at] as T;
      const size = item.entry.transfers.length;
      const isFull = batch.length === limits.commits || transfers + size > limits.transfers;
      if (batch.length > 0 && isFull) break;
      const { keys, finds, leaves } = item.entry;
      const mustWait =
        keys.some((key) => touched.has(key)) || (awaited.size > 0 && finds.some((id) => awaited.has(id)));
      if (mustWait) {
        left.push(item);
        for (const id of leaves) awaited.add(id);
      } else {
        batch.push(item);
        transfers += size;
      }
      for (const key of keys) touched.add(key);
    }
    this.#waiting = left.length === 0 ? this.#waiting.slice(at) : [...left, ...this.#waiting.slice(at)];
    return batch;
  }
}
