/**
 * A sandbox without its socket: what it knows, its switches, and what goes on in it by itself.
 */

import { join } from "node:path";
import type { Dialect } from "./dialect.ts";
import { type ExecutionContext, newWork } from "./execution.ts";
import { FaultRules } from "./faults.ts";
import { History } from "./history.ts";
import { LineLog } from "./line-log.ts";
import { SeededRandom } from "./random.ts";
import { RateLimit } from "./rate-limit.ts";
import { changeSettings, initialOf } from "./settings.ts";
import { Store } from "./store.ts";
import { startTimers, type Timers } from "./timers.ts";
import { WebhookSender } from "./webhooks.ts";
import type { Work } from "./work.ts";
import type { World } from "./world.ts";

export type SandboxOptions = {
  /** The secret key that clients must send. */
  readonly apiKey: string;
  /** A folder for the journal; without it the book is in memory only. */
  readonly dataDir?: string | undefined;
  /** A file that gets every API request as it came, card numbers included. */
  readonly requestLog?: string | undefined;
  /** Where webhooks go from the start on; the setting `webhooks.url`, which a reset keeps. */
  readonly webhookUrl?: string | undefined;
  /** Milliseconds since 1970; the system's clock where not given. */
  readonly now?: (() => number) | undefined;
};

export class Sandbox<T extends World> {
  readonly dialect: Dialect<T>;
  readonly apiKey: string;
  readonly store: Store<T>;
  readonly random: SeededRandom;
  readonly faults: FaultRules;
  readonly history = new History();
  readonly rateLimit = new RateLimit();
  /** Null where the provider has no webhooks. */
  readonly webhooks: WebhookSender<T> | null;
  readonly requestLog: LineLog;
  readonly context: ExecutionContext<T>;
  settings: T["settings"];
  /** Where clients reach it; known once it listens. */
  baseUrl = "";
  readonly #firstSettings: T["settings"];
  readonly #timers: Timers<T>;
  readonly #late = new Set<NodeJS.Timeout>();
  #closed = false;

  private constructor(dialect: Dialect<T>, options: SandboxOptions, store: Store<T>) {
    this.dialect = dialect;
    this.apiKey = options.apiKey;
    this.store = store;
    this.settings = initialOf<T["settings"]>(dialect.settings);
    if (options.webhookUrl !== undefined) {
      this.settings = this.#changed({ webhooks: { url: options.webhookUrl } });
    }
    this.#firstSettings = this.settings;
    this.random = new SeededRandom(this.settings.seed);
    this.faults = new FaultRules(this.random);
    this.requestLog = new LineLog(options.requestLog ?? null);
    const now = options.now ?? Date.now;
    this.context = {
      dialect,
      store,
      random: this.random,
      now,
      settings: () => this.settings,
      baseUrl: () => this.baseUrl,
      applied: (work) => this.#applied(work),
    };
    this.webhooks = this.#newSender();
    this.#timers = startTimers<T>(dialect.decisions ?? {}, store.tables, now, (key, decide) => {
      this.change(key, decide);
    });
    this.#timers.watchAll();
    for (const event of store.undelivered.values()) this.webhooks?.send(event);
  }

  static async open<T extends World>(dialect: Dialect<T>, options: SandboxOptions): Promise<Sandbox<T>> {
    const file = `${dialect.name}-sandbox.jsonl`;
    const path = options.dataDir === undefined ? null : join(options.dataDir, file);
    return new Sandbox(dialect, options, await Store.open(path, dialect.memory()));
  }

  /** A change that no API request makes: a decision's, or the customer's on a page. */
  change<R>(idempotencyKey: string | null, change: (work: Work<T>) => R): R {
    const work = newWork(this.context, idempotencyKey, null);
    const result = change(work);
    this.store.apply(work);
    this.#applied(work);
    return result;
  }

  /** Takes settings as a test sent them. Throws a `TypeError` where they make no sense. */
  changeSettings(change: unknown): T["settings"] {
    this.settings = this.#changed(change);
    if (typeof change === "object" && change !== null && "seed" in change) {
      this.random.reseed(this.settings.seed);
    }
    this.webhooks?.resume();
    return this.settings;
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
    this.webhooks?.clear();
    this.faults.set([]);
    this.settings = this.#firstSettings;
    this.random.reseed(this.settings.seed);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#dropWaiting();
    this.webhooks?.stop();
    await Promise.all([this.store.close(), this.requestLog.flush()]);
  }

  #changed(change: unknown): T["settings"] {
    return changeSettings<T["settings"]>(this.dialect.settings, this.settings, change);
  }

  #newSender(): WebhookSender<T> | null {
    const { dialect, store, random } = this;
    if (dialect.webhooks === undefined) return null;
    const done = (id: string): void => store.eventDone(id);
    return new WebhookSender<T>({ format: dialect.webhooks, settings: () => this.settings, random, done });
  }

  #applied(work: Work<T>): void {
    this.#timers.watch(work);
    // A webhook never tells of what a kill could still undo.
    if (work.events.length > 0) void this.#announce(work.events);
  }

  async #announce(events: readonly T["event"][]): Promise<void> {
    await this.store.settled();
    if (this.#closed) return;
    for (const event of events) if (this.store.undelivered.has(event.id)) this.webhooks?.send(event);
  }

  #dropWaiting(): void {
    this.#timers.stop();
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
  }
}
