/**
 * A summary of the requests received, for tests: what came, under which key, and what became of it.
 */

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
  readonly idempotencyKey: string | null;
  outcome: Outcome;
  /** Whether a key's stored result answered, and nothing was executed. */
  replayed: boolean;
  /** The kind of the fault that fired. */
  fault: string | null;
  /** For a late request: what it would have been answered, once it has landed. */
  landed: { readonly at: number; readonly status: number; readonly replayed: boolean } | null;
};

const MAX_ENTRIES = 100_000;

export class History {
  #entries: HistoryEntry[] = [];
  #received = 0;

  add(method: string, path: string, idempotencyKey: string | null): HistoryEntry {
    const entry: HistoryEntry = {
      sequence: ++this.#received,
      at: Date.now(),
      method,
      path,
      idempotencyKey,
      outcome: "open",
      replayed: false,
      fault: null,
      landed: null,
    };
    this.#entries.push(entry);
    // Half at a time, so that forgetting is rare and cheap.
    if (this.#entries.length > MAX_ENTRIES) this.#entries = this.#entries.slice(MAX_ENTRIES / 2);
    return entry;
  }

  /** Entries with a higher sequence; how many were received in all, and how many are remembered no more. */
  view(since: number): { received: number; forgotten: number; requests: readonly HistoryEntry[] } {
    const requests = this.#entries.filter((entry) => entry.sequence > since);
    return { received: this.#received, forgotten: this.#received - this.#entries.length, requests };
  }

  clear(): void {
    this.#entries = [];
    this.#received = 0;
  }
}
