import type { Logger } from "pino";

/** Something that has changed, and the transaction that changed it. */
export type Change = { readonly merchant: string; readonly id: string; readonly transaction: string };

/** What has changed since a position, and the position to ask from next time. */
export type Changes = { readonly upTo: string; readonly changes: readonly Change[] };

export interface ChangeFeed {
  start(): void;
  stop(): Promise<void>;
  /** Whether all changes are known that were committed more than `trustMs` ago. */
  isCurrent(): boolean;
  /** Asks once; for tests. */
  poll(): Promise<void>;
}

export type ChangeFeedOptions = {
  /**
   * Changes since `position`; at first (null) those as old as any cache may keep what they have changed. At most `limit`.
   * A position is the oldest transaction that was under way: those after it may become visible in any order.
   */
  readonly read: (position: string | null, limit: number) => Promise<Changes>;
  /** Forgets changes that nobody asks for any more; called now and then. */
  readonly prune?: () => Promise<void>;
  readonly onChange: (change: Change) => void;
  /** There were more than `limit`: anything may have changed. */
  readonly onTooMany: () => void;
  readonly log?: Logger | undefined;
  readonly pollMs?: number;
  readonly trustMs?: number;
  readonly limit?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

const POLL_MS = 1_000;
const TRUST_MS = 5_000;
const LIMIT = 5_000;
const PRUNE_EVERY_MS = 10 * 60_000;

/**
 * Hears of changes by asking the database for them, each second: by rows that the changing transactions wrote, so none
 * is lost if the process that made it dies, nor one made by hand. While the database does not answer, `isCurrent` turns
 * false after `trustMs`, and caches give nothing out that might be outdated.
 */
export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  const { read, prune, onChange, onTooMany, log, pollMs = POLL_MS, trustMs = TRUST_MS } = options;
  const { limit = LIMIT, now = () => performance.now() } = options;
  let position: string | null = null;
  /** Changes after the position that were told already: they come again while an older transaction is under way. */
  let told = new Set<string>();
  let heardAt = Number.NEGATIVE_INFINITY;
  let prunedAt = now();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let failing = false;

  async function poll(): Promise<void> {
    // What was committed before this is seen.
    const asked = now();
    const { upTo, changes } = await read(position, limit);
    // A database that was put back to an earlier state counts its transactions from there.
    const isPutBack = position !== null && BigInt(upTo) < BigInt(position);
    if (changes.length >= limit || isPutBack) {
      onTooMany();
      told = new Set();
    } else {
      const seen = new Set<string>();
      for (const change of changes) {
        const name = `${change.transaction} ${change.merchant} ${change.id}`;
        seen.add(name);
        if (!told.has(name)) onChange(change);
      }
      told = seen;
    }
    position = upTo;
    heardAt = asked;
    if (prune !== undefined && now() - prunedAt > PRUNE_EVERY_MS) {
      prunedAt = now();
      await prune();
    }
  }

  async function loop(): Promise<void> {
    try {
      await poll();
      failing = false;
    } catch (error) {
      if (!failing && !stopped) log?.warn({ err: error }, "changes are not heard of: caches are not used");
      failing = true;
    }
    if (stopped) return;
    timer = setTimeout(() => {
      running = loop();
    }, pollMs);
    timer.unref();
  }

  return {
    start() {
      running = loop();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
    isCurrent: () => now() - heardAt <= trustMs,
    poll,
  };
}
