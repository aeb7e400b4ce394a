/**
 * The sandbox without its socket: what it knows, its switches, and what goes on in it by itself.
 */

import { join } from "node:path";
import { type ExecutionContext, newWork } from "./execution.ts";
import { FaultRules } from "./faults.ts";
import { History } from "./history.ts";
import { LineLog } from "./line-log.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";
import { Store, type Work } from "./store.ts";
import { startTimers, type Timers } from "./timers.ts";

export type SandboxOptions = {
  /** The secret key that clients must send. */
  readonly apiKey: string;
  /** A folder for the journal; without it the book is in memory only. */
  readonly dataDir?: string | undefined;
  /** A file that gets every API request as it came, card numbers included. */
  readonly requestLog?: string | undefined;
  /** Milliseconds since 1970; the system's clock where not given. */
  readonly now?: (() => number) | undefined;
};

export class Sandbox {
  readonly apiKey: string;
  readonly store: Store;
  readonly faults = new FaultRules();
  readonly history = new History();
  readonly requestLog: LineLog;
  readonly context: ExecutionContext;
  settings: Settings = DEFAULT_SETTINGS;
  /** Where clients reach it; known once it listens. */
  baseUrl = "";
  readonly #timers: Timers;
  readonly #late = new Set<NodeJS.Timeout>();

  private constructor(options: SandboxOptions, store: Store) {
    this.apiKey = options.apiKey;
    this.store = store;
    this.requestLog = new LineLog(options.requestLog ?? null);
    const now = options.now ?? Date.now;
    this.context = {
      store,
      now,
      settings: () => this.settings,
      baseUrl: () => this.baseUrl,
      applied: (work) => this.#timers.watch(work),
    };
    this.#timers = startTimers(store, now, (key, change) => this.change(key, change));
    this.#timers.watchAll();
  }

  static async open(options: SandboxOptions): Promise<Sandbox> {
    const path = options.dataDir === undefined ? null : join(options.dataDir, "stripe-sandbox.jsonl");
    return new Sandbox(options, await Store.open(path));
  }

  /** A change that no API request makes: a timer's, or the customer's on the authentication page. */
  change<T>(idempotencyKey: string | null, change: (work: Work) => T): T {
    const work = newWork(this.context, idempotencyKey, null);
    const result = change(work);
    this.store.apply(work);
    this.context.applied(work);
    return result;
  }

  /** Runs something later, as a request that was stuck in a queue; a stop or a reset drops it. */
  later(afterMs: number, land: () => void): void {
    const timer = setTimeout(() => {
      this.#late.delete(timer);
      land();
    }, afterMs);
    this.#late.add(timer);
  }

  /** Empties everything and turns every switch back. */
  reset(): void {
    this.#dropWaiting();
    this.store.reset();
    this.history.clear();
    this.faults.set([]);
    this.settings = DEFAULT_SETTINGS;
  }

  async close(): Promise<void> {
    this.#dropWaiting();
    await Promise.all([this.store.close(), this.requestLog.flush()]);
  }

  #dropWaiting(): void {
    this.#timers.stop();
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
  }
}
