import { Redis } from "@upstash/redis";
import { z } from "zod";
import { Guard, type Guarded, SHARED_LIMITS, type SharedLimits } from "./breaker.ts";
import { createSealer } from "./seal.ts";
import { createRequester, type UpstashRequester } from "./upstash-requester.ts";

/**
 * The cache that the processes of a region share: Redis, spoken to over Upstash's REST API. It saves time and decides
 * nothing: what it answers late, wrongly or not at all is as if there were nothing in it. No method throws.
 */
export interface SharedTier {
  /** The name of a value: of the cache, the version of its values' form, and whose it is. */
  nameOf(...parts: readonly string[]): string;
  /** The text under this name, and how long it still counts. Null if there is none that can be used. */
  read(name: string): Promise<{ readonly text: string; readonly lifeMs: number } | null>;
  /** Puts it there if there is nothing: not over what another process has written, or dropped, meanwhile. */
  write(name: string, text: string, lifeMs: number): Promise<void>;
  /**
   * The value has changed. From now on this process reads nothing under this name until Redis has confirmed that it is
   * gone, and tries until then; `lifeMs` is the longest time for which what is there might count.
   */
  drop(name: string, lifeMs: number): Promise<void>;
  /** More has changed than is known: reads nothing for `lifeMs`, by when whatever is there has ended. */
  distrust(lifeMs: number): void;
  counts(): SharedCounts;
  /** Stops trying, and ends connections. */
  close(): Promise<void>;
}

export type SharedCounts = {
  readonly hits: number;
  readonly misses: number;
  /** No answer in time, or none that can be used. */
  readonly failures: number;
  /** Not asked: the breaker was open, or too many were asking. */
  readonly notAsked: number;
  /** Values that were not sealed by us under their name. */
  readonly forged: number;
  /** Drops that Redis has not confirmed yet. */
  readonly pendingDrops: number;
};

export type SharedOptions = {
  readonly url: string;
  readonly token: string;
  /** Of all processes that share it; see `seal.ts`. */
  readonly secret: string;
  /** How long Redis may take, in ms: about what reading the database would. */
  readonly timeoutMs?: number;
  readonly limits?: Partial<SharedLimits>;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

const TIMEOUT_MS = 50;
const CONNECTIONS = 16;
const MAX_TEXT = 64 * 1024;
const MAX_PENDING = 10_000;
const RETRY_MS = 500;
/**
 * A dropped value leaves a mark behind, over which no process writes what it had read before: longer than any read of the
 * database takes (`MAX_FILL_MS` in cache.ts), or a request to Redis is under way.
 */
const MARK_MS = 30_000;
const MARK = "dropped";

/** The client turns text that is JSON into what it says; nothing of ours is. */
const readAnswer = z.tuple([z.unknown(), z.int()]);

export function openSharedTier(options: SharedOptions): SharedTier {
  return new RedisTier(options);
}

class RedisTier implements SharedTier {
  readonly #requester: UpstashRequester;
  readonly #redis: Redis;
  readonly #sealer: ReturnType<typeof createSealer>;
  readonly #guard: Guard;
  readonly #now: () => number;
  /** Names that may still be there, and until when they might count. */
  readonly #pending = new Map<string, number>();
  readonly #counts = { hits: 0, misses: 0, failures: 0, notAsked: 0, forged: 0 };
  /** Until then nothing is read: more has changed than is known. */
  #blindUntil = Number.NEGATIVE_INFINITY;
  #retrying: NodeJS.Timeout | null = null;
  #closed = false;

  constructor({ url, token, secret, timeoutMs = TIMEOUT_MS, limits, now }: SharedOptions) {
    this.#now = now ?? (() => performance.now());
    this.#guard = new Guard({ ...SHARED_LIMITS, ...limits }, this.#now);
    this.#sealer = createSealer(secret);
    this.#requester = createRequester({ url, token, timeoutMs, connections: CONNECTIONS });
    this.#redis = new Redis(this.#requester);
  }

  nameOf(...parts: readonly string[]): string {
    return this.#sealer.nameOf(...parts);
  }

  async read(name: string): Promise<{ readonly text: string; readonly lifeMs: number } | null> {
    if (this.#pending.has(name) || this.#now() < this.#blindUntil) return null;
    const asked = this.#now();
    const answer = await this.#ask(async () =>
      readAnswer.parse(await this.#redis.pipeline().get(name).pttl(name).exec()),
    );
    // It may have been dropped while the answer was under way.
    if (answer === null || this.#pending.has(name)) return null;
    const [sealed, remainingMs] = answer;
    const lifeMs = remainingMs - (this.#now() - asked);
    if (sealed === null || sealed === MARK || remainingMs === GONE) return this.#miss("misses");
    const text = typeof sealed === "string" ? this.#sealer.open(name, sealed) : null;
    if (text === null || remainingMs < 0) {
      // Nobody could write over it: make room.
      void this.drop(name, MARK_MS);
      return this.#miss("forged");
    }
    if (lifeMs <= 0) return this.#miss("misses");
    this.#counts.hits++;
    return { text, lifeMs };
  }

  async write(name: string, text: string, lifeMs: number): Promise<void> {
    const px = Math.floor(lifeMs);
    if (px <= 0 || text.length > MAX_TEXT || this.#pending.has(name)) return;
    const sealed = this.#sealer.seal(name, text);
    await this.#ask(() => this.#redis.set(name, sealed, { nx: true, px }));
  }

  async drop(name: string, lifeMs: number): Promise<void> {
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(name)) return this.distrust(lifeMs);
    const until = this.#now() + lifeMs;
    this.#pending.set(name, until);
    await this.#mark(name, until);
    if (this.#pending.size > 0) this.#retryLater();
  }

  distrust(lifeMs: number): void {
    this.#blindUntil = Math.max(this.#blindUntil, this.#now() + lifeMs);
  }

  counts(): SharedCounts {
    return { ...this.#counts, pendingDrops: this.#pending.size };
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retrying !== null) clearTimeout(this.#retrying);
    await this.#requester.close();
  }

  async #mark(name: string, until: number): Promise<void> {
    const answer = await this.#ask(async () => {
      const answered = await this.#redis.set(name, MARK, { px: MARK_MS });
      if (answered !== "OK") throw new Error("Redis does not confirm");
      return answered;
    });
    // Dropped again meanwhile, it has to be confirmed again.
    if (answer !== null && this.#pending.get(name) === until) this.#pending.delete(name);
  }

  #retryLater(): void {
    if (this.#retrying !== null || this.#closed) return;
    this.#retrying = setTimeout(() => void this.#retry(), RETRY_MS);
    this.#retrying.unref();
  }

  async #retry(): Promise<void> {
    for (const [name, until] of this.#pending) {
      if (this.#closed) return;
      if (until <= this.#now()) this.#pending.delete(name);
      else await this.#mark(name, until);
      // One that gets no answer is enough to know that the others would get none.
      if (this.#guard.isOpen) break;
    }
    this.#retrying = null;
    if (this.#pending.size > 0) this.#retryLater();
  }

  #miss(why: "misses" | "forged"): null {
    this.#counts[why]++;
    return null;
  }

  /** Null if there was no answer. What went wrong is counted and not told: the client's errors quote what was sent. */
  async #ask<T>(ask: () => Promise<T>): Promise<T | null> {
    const asked: Guarded<T> = await this.#guard.run(ask);
    if (asked.outcome === "answered") return asked.value;
    this.#counts[asked.outcome === "failed" ? "failures" : "notAsked"]++;
    return null;
  }
}

/** PTTL's answer for a key that is not there; -1 is one without an end. */
const GONE = -2;
