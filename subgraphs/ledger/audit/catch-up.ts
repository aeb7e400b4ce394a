import type { KeyObject } from "node:crypto";
import { GENESIS, macOf } from "./chain.ts";
import type { ChainedBatch } from "./checkpoint.ts";
import type { Checkpointer } from "./checkpointer.ts";
import { checkpointsSince, signedCheckpoints } from "./find-checkpoint.ts";
import type { VerifyingKeys } from "./keys.ts";
import { msOf, newestCheckpoint, type ObjectStore } from "./object-store.ts";

/** A shard's last batch, as `ledger.heads` gives it: 0 if it has none. */
export type Head = {
  readonly shard: number;
  readonly batch: bigint;
  readonly mac: Buffer;
  readonly at: Date;
};

export type CatchUpOptions = {
  readonly store: ObjectStore;
  readonly keys: VerifyingKeys;
  readonly auditKey: KeyObject;
  readonly heads: readonly Head[];
  /** A shard's batches after `number` in order, at most `limit`: `ledger.batches_after`. */
  readonly batchesAfter: (shard: number, number: bigint, limit: number) => Promise<readonly ChainedBatch[]>;
  readonly checkpointer: Pick<Checkpointer, "add">;
};

/** A shard's chain is not what its last checkpoint saw, continued with our key. Nothing may be added to it. */
export class BrokenChain extends Error {}

const PAGE = 1_000;
const RECENT_MS = 300_000;

type Place = { readonly number: bigint; readonly mac: Buffer };

/**
 * Gives the checkpointer what a process that died had committed and not yet written down: at a lane's start, each
 * shard's batches after the last that a checkpoint has. They are taken from the database because their MACs
 * continue the chain; their leaves are not known any more. Call it before lanes give batches of these shards.
 *
 * @throws {BrokenChain}
 */
export async function catchUp(options: CatchUpOptions): Promise<{ readonly batches: number }> {
  const recent = await recentlyCovered(options);
  let batches = 0;
  for (const head of options.heads) {
    let place = recent.get(head.shard) ?? (await lastCovered(options, head));
    if (place.number > head.batch || (place.number === head.batch && !place.mac.equals(head.mac))) {
      throw new BrokenChain(
        `shard ${head.shard} ends in batch ${head.batch}, and a checkpoint has another ${place.number}`,
      );
    }
    while (place.number < head.batch) {
      const page = await options.batchesAfter(head.shard, place.number, PAGE);
      if (page.length === 0) throw notContinued(head.shard, place.number + 1n);
      for (const batch of page) {
        place = next(options.auditKey, place, batch);
        options.checkpointer.add({ ...batch, leaves: null });
      }
      batches += page.length;
    }
  }
  return { batches };
}

const notContinued = (shard: number, number: bigint) =>
  new BrokenChain(
    `batch ${number} of shard ${shard} was not made with our audit key from the batch before it`,
  );

function next(key: KeyObject, place: Place, { header, mac }: ChainedBatch): Place {
  if (header.number !== place.number + 1n || !macOf(key, place.mac, header).equals(mac))
    throw notContinued(header.shard, header.number);
  return { number: header.number, mac };
}

/**
 * Each shard's last batch that one of the newest checkpoints has. A database that was set back, by a restored backup
 * or by someone, is seen by what these have more than it.
 */
async function recentlyCovered({ store, keys }: CatchUpOptions): Promise<Map<number, Place>> {
  const covered = new Map<number, Place>();
  const newest = await newestCheckpoint(store, Date.now());
  if (newest === null) return covered;
  const from = checkpointsSince(msOf(newest) - RECENT_MS);
  for await (const { checkpoint } of signedCheckpoints(store, keys, { from })) {
    for (const { shard, to, mac } of checkpoint.spans) {
      if (to > (covered.get(shard)?.number ?? 0n)) covered.set(shard, { number: to, mac });
    }
  }
  return covered;
}

/**
 * The shard's last batch that a checkpoint has; before the first, if none has any. Looks at the checkpoints since
 * the last batch was made, of which the first has it unless something went wrong; then since ever earlier ones.
 */
async function lastCovered({ store, keys, batchesAfter }: CatchUpOptions, head: Head): Promise<Place> {
  const { shard, batch } = head;
  let number = batch;
  let atMs = head.at.getTime();
  let to: string | undefined;
  for (let step = 1n; number > 0n; step *= 4n) {
    const from = checkpointsSince(atMs);
    let last: Place | null = null;
    for await (const { checkpoint } of signedCheckpoints(store, keys, {
      from,
      ...(to === undefined ? {} : { to }),
    })) {
      const span = checkpoint.spans.find((one) => one.shard === shard);
      if (span !== undefined && span.to > (last?.number ?? 0n)) last = { number: span.to, mac: span.mac };
      if (last !== null && last.number >= batch) return last;
    }
    if (last !== null) return last;
    to = from;
    number = number > 1n && number <= step ? 1n : number - step;
    const [earlier] = number > 0n ? await batchesAfter(shard, number - 1n, 1) : [];
    if (earlier !== undefined) atMs = Number(earlier.header.atMicros / 1_000n);
  }
  return { number: 0n, mac: GENESIS };
}
