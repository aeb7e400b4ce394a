import {
  type Checkpoint,
  decodeSigned,
  openCheckpoint,
  type SignedCheckpoint,
  type Span,
} from "./checkpoint.ts";
import type { VerifyingKeys } from "./keys.ts";
import { CHECKPOINTS, type NameRange, type ObjectStore, stemOf, timePrefix } from "./object-store.ts";

/** A checkpoint in the store that a known key has signed. */
export type KeptCheckpoint = {
  readonly stem: string;
  readonly signed: SignedCheckpoint;
  readonly checkpoint: Checkpoint;
};

/** One with the part of it that was sought. */
export type FoundCheckpoint = KeptCheckpoint & { readonly span: Span };

export type Sought = {
  readonly shard: number;
  /** When the batch was made, in ms since the Unix epoch; its checkpoint came then or later. */
  readonly atMs: number;
  readonly has: (span: Span) => boolean;
};

/** Clocks of two machines may differ so much. */
const SLACK_MS = 5_000;
/** A batch is under one of the first few, unless the store was away when it was made. */
const MOST_LOOKED_AT = 2_000;

/** Where the names begin of checkpoints that may have a batch of this time. */
export const checkpointsSince = (atMs: number): string => timePrefix(atMs - SLACK_MS);

/** Checkpoints of these names, in order, but for what no key of ours has signed. */
export async function* signedCheckpoints(
  store: ObjectStore,
  keys: VerifyingKeys,
  range: NameRange,
): AsyncGenerator<KeptCheckpoint> {
  for await (const name of store.list(CHECKPOINTS, range)) {
    const signed = decodeSigned((await store.get(name)) ?? Buffer.alloc(0));
    const checkpoint = signed === null ? null : openCheckpoint(signed, keys);
    if (signed !== null && checkpoint !== null) yield { stem: stemOf(name), signed, checkpoint };
  }
}

/** The first checkpoint from a moment on whose part about a shard is the one sought, or null. */
export async function findCheckpoint(
  store: ObjectStore,
  keys: VerifyingKeys,
  { shard, atMs, has }: Sought,
): Promise<FoundCheckpoint | null> {
  let left = MOST_LOOKED_AT;
  for await (const kept of signedCheckpoints(store, keys, { from: checkpointsSince(atMs) })) {
    const span = kept.checkpoint.spans.find((one) => one.shard === shard && has(one));
    if (span !== undefined) return { ...kept, span };
    if (--left === 0) return null;
  }
  return null;
}
