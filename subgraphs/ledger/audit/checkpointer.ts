import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchHeader } from "./chain.ts";
import {
  byShardAndNumber,
  decodeSigned,
  digestOf,
  encodeSigned,
  NO_CHECKPOINT,
  signCheckpoint,
  summaryOf,
} from "./checkpoint.ts";
import type { SigningKey } from "./keys.ts";
import { type BatchLeaves, encodeLeaves } from "./leaves.ts";
import {
  checkpointName,
  leavesName,
  newestCheckpoint,
  type ObjectStore,
  timePrefix,
} from "./object-store.ts";
import { DIGEST_BYTES } from "./sha256.ts";

/** A batch that the database has taken. `leaves` null: what its rows hash to is not known any more. */
export type SealedBatch = {
  readonly header: BatchHeader;
  readonly mac: Buffer;
  readonly leaves: readonly Buffer[] | null;
};

export type CheckpointerProblem =
  /** The store did not take a checkpoint; it is tried again. */
  | { readonly kind: "store_failed"; readonly error: unknown; readonly waiting: number }
  /** So much waits that leaves are not kept from this batch on: it can be proven still, but its rows not told apart. */
  | { readonly kind: "leaves_dropped"; readonly header: BatchHeader }
  /** So much waits that batches from this one on are left to the next start (catch-up.ts). */
  | { readonly kind: "batches_dropped"; readonly header: BatchHeader }
  /** Asked to stop, and the store did not take these in time. */
  | { readonly kind: "unwritten"; readonly batches: number };

export type CheckpointerOptions = {
  readonly store: ObjectStore;
  readonly key: SigningKey;
  readonly onProblem: (problem: CheckpointerProblem) => void;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  /** Least time between two checkpoints, and between two tries. */
  readonly intervalMs?: number;
  readonly limits?: Partial<CheckpointerLimits>;
};

export type CheckpointerLimits = {
  /** Leaves that wait, of 32 bytes each. */
  readonly leaves: number;
  /** Batches that wait, of some 300 bytes each. */
  readonly batches: number;
  /** Batches that one checkpoint has. */
  readonly perCheckpoint: number;
  /** How long `stop` tries. */
  readonly stopMs: number;
};

const LIMITS: CheckpointerLimits = {
  leaves: 1_000_000,
  batches: 500_000,
  perCheckpoint: 50_000,
  stopMs: 5_000,
};

/** Writes what the lanes have committed to the object store. */
export type Checkpointer = {
  /** Takes a batch whose transaction is known to be committed; those of a shard come in order. Never waits. */
  add(batch: SealedBatch): void;
  /** Writes a last checkpoint of what is left. */
  stop(): Promise<void>;
};

type Prepared = {
  readonly stem: string;
  readonly leaves: Buffer;
  readonly checkpoint: Buffer;
  readonly digest: Buffer;
  readonly batches: number;
};

/**
 * While there is something new, one checkpoint each `intervalMs`, and the first at once. Leaves are written before
 * their checkpoint. A checkpoint that the store did not take is written again byte by byte as it was, since the
 * store may have it; what comes meanwhile waits, within limits, for the next one.
 */
export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { store, key, onProblem, now = Date.now, intervalMs = 1_000 } = options;
  const limits = { ...LIMITS, ...options.limits };
  const queue = createQueue(limits, onProblem);
  const writer = randomBytes(8).toString("hex");
  let number = 0;
  let lastMs = 0;
  let previous: Buffer | null = null;
  let unwritten: Prepared | null = null;
  let wake = Promise.withResolvers<void>();
  const stopping = new AbortController();

  async function prepare(): Promise<Prepared> {
    previous ??= await newestDigest(store, now());
    const batches = queue.first(limits.perCheckpoint);
    const at = Math.max(now(), lastMs + 1);
    const content = { writer, number: number + 1, at, previous, ...summaryOf(batches) };
    const signed = signCheckpoint(content, key);
    queue.remove(batches.length);
    number += 1;
    lastMs = at;
    return {
      stem: `${timePrefix(at)}-${writer}`,
      leaves: encodeLeaves(batches),
      checkpoint: encodeSigned(signed),
      digest: digestOf(signed),
      batches: batches.length,
    };
  }

  /** Writes one checkpoint; false if the store did not take it. */
  async function write(): Promise<boolean> {
    try {
      unwritten ??= await prepare();
      const { stem, leaves, checkpoint, digest } = unwritten;
      await store.put(leavesName(stem), leaves);
      await store.put(checkpointName(stem), checkpoint);
      previous = digest;
      unwritten = null;
      return true;
    } catch (error) {
      onProblem({ kind: "store_failed", error, waiting: left() });
      return false;
    }
  }

  const left = () => queue.length() + (unwritten?.batches ?? 0);

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (left() === 0) {
        wake = Promise.withResolvers();
        await wake.promise;
      } else if (!(await write()) || queue.length() < limits.perCheckpoint) {
        await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }
  const running = run();

  return {
    add(batch) {
      queue.add(batch);
      wake.resolve();
    },

    async stop() {
      stopping.abort();
      wake.resolve();
      await running;
      const deadline = performance.now() + limits.stopMs;
      while (left() > 0) {
        if (await write()) continue;
        if (performance.now() >= deadline) return onProblem({ kind: "unwritten", batches: left() });
        await sleep(Math.min(intervalMs, 200));
      }
    },
  };
}

async function newestDigest(store: ObjectStore, nowMs: number): Promise<Buffer> {
  const newest = await newestCheckpoint(store, nowMs);
  const signed = newest === null ? null : decodeSigned((await store.get(newest)) ?? Buffer.alloc(0));
  return signed === null ? NO_CHECKPOINT : digestOf(signed);
}

/** Batches that wait, within limits; says once when it begins to drop. */
function createQueue(limits: CheckpointerLimits, onProblem: CheckpointerOptions["onProblem"]) {
  const waiting: BatchLeaves[] = [];
  let leavesKept = 0;
  let dropped: "leaves" | "batches" | null = null;
  return {
    length: () => waiting.length,

    add({ header, mac, leaves }: SealedBatch): void {
      if (waiting.length >= limits.batches) {
        if (dropped !== "batches") onProblem({ kind: "batches_dropped", header });
        dropped = "batches";
        return;
      }
      const keep = leaves !== null && leavesKept + leaves.length <= limits.leaves;
      if (leaves !== null && !keep && dropped === null) {
        onProblem({ kind: "leaves_dropped", header });
        dropped = "leaves";
      }
      if (keep) leavesKept += leaves.length;
      waiting.push({ header, mac, leaves: keep ? Buffer.concat(leaves) : null });
    },

    /** The oldest, at most `count`, in a checkpoint's order: up to where a shard's numbers would have a gap. */
    first(count: number): BatchLeaves[] {
      const last = new Map<number, bigint>();
      const isNext = ({ header: { shard, number } }: BatchLeaves) => {
        const before = last.get(shard);
        last.set(shard, number);
        return before === undefined || number === before + 1n;
      };
      const some = waiting.slice(0, count);
      const gap = some.findIndex((batch) => !isNext(batch));
      return (gap === -1 ? some : some.slice(0, gap)).sort(byShardAndNumber);
    },

    remove(count: number): void {
      for (const { leaves } of waiting.splice(0, count)) leavesKept -= (leaves?.length ?? 0) / DIGEST_BYTES;
      dropped = null;
    },
  };
}
