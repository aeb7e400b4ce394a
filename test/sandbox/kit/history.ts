/**
 * A summary of the requests received, for tests: what came, under which key, and what became of it.
 */

import { Recent } from "./recent.ts";

/** What the client got: a status, or how it got none. */
export type Outcome =
  | number
  /** Still being answered. */
  | "open"
  /** Executed, answer withheld. */
  | "lost"
  /** Not executed yet; see `landed`. */
  | "late"
  /** Never answered, never executed. */
  | "hung"
  | "reset"
  /** The provider was down. */
  | "refused";

export type HistoryEntry = {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  idempotencyKey: string | null;
  outcome: Outcome;
  /** Whether a key's stored result answered, and nothing was executed. */
  replayed: boolean;
  /** The kind of the fault that fired, or `rate_limit`. */
  fault: string | null;
  /** For a late request: what it would have been answered, once it has landed. */
  landed: { readonly at: number; readonly status: number; readonly replayed: boolean } | null;
};

export type HistoryView = {
  readonly received: number;
  readonly forgotten: number;
  readonly requests: readonly HistoryEntry[];
};

export class History {
  readonly #recent = new Recent<HistoryEntry>();

  add(method: string, path: string, idempotencyKey: string | null): HistoryEntry {
    return this.#recent.add((sequence) => ({
      sequence,
      at: Date.now(),
      method,
      path,
      idempotencyKey,
      outcome: "open",
      replayed: false,
      fault: null,
      landed: null,
    }));
  }

  /** Entries with a higher sequence. */
  view(since: number): HistoryView {
    const { entries, ...counts } = this.#recent.view(since);
    return { ...counts, requests: entries };
  }

  clear(): void {
    this.#recent.clear();
  }
}
