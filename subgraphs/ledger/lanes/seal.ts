import type { KeyObject } from "node:crypto";
import { type CanonicalTransfer, leafOf } from "../audit/canonical.ts";
import { type BatchHeader, macOf } from "../audit/chain.ts";
import { rootOf } from "../audit/merkle.ts";
import type { Entry } from "./entry.ts";

/** Where a shard's chain stands: after its last batch. */
export type Head = {
  readonly seq: bigint;
  readonly batch: bigint;
  readonly mac: Buffer;
  readonly atMicros: bigint;
};

/** A shard's part of a batch, with its place in the shard's chain. */
export type SealedBatch = {
  readonly header: BatchHeader;
  readonly previous: Buffer;
  readonly mac: Buffer;
  /** Leaf hashes of its transfers, in order. */
  readonly leaves: readonly Buffer[];
};

export type SealedTransfer = CanonicalTransfer & {
  /** Of its commit in the batch, from 1. */
  readonly ordinal: number;
};

export type Sealed = {
  readonly entries: readonly Entry[];
  readonly at: Date;
  readonly transfers: readonly SealedTransfer[];
  readonly batches: readonly SealedBatch[];
};

/**
 * Gives every transfer its position in its shard, and every shard of the batch the next link of its chain: Merkle
 * root over the rows as they will be written, and a MAC that only a holder of the audit key can make. Time never
 * goes back within a shard.
 */
export function seal(
  entries: readonly Entry[],
  headOf: (shard: number) => Head,
  now: Date,
  auditKey: KeyObject,
): Sealed {
  const shards = new Map<number, { head: Head; leaves: Buffer[] }>();
  let atMicros = BigInt(now.getTime()) * 1_000n;
  for (const { shard, transfers } of entries) {
    if (transfers.length === 0 || shards.has(shard)) continue;
    const head = headOf(shard);
    if (head.atMicros > atMicros) atMicros = head.atMicros;
    shards.set(shard, { head, leaves: [] });
  }
  const sealed: SealedTransfer[] = [];
  for (let index = 0; index < entries.length; index++) {
    const { shard, transfers, cause, content } = entries[index] as Entry;
    if (transfers.length === 0) continue;
    const { head, leaves } = shards.get(shard) as { head: Head; leaves: Buffer[] };
    for (const transfer of transfers) {
      const seq = head.seq + BigInt(leaves.length) + 1n;
      const { id, kind, debit, credit, amount, currency, pending } = transfer;
      const row: SealedTransfer = {
        ordinal: index + 1,
        shard,
        seq,
        id,
        kind,
        cause,
        debit,
        credit,
        amount,
        currency,
        pending,
        atMicros,
        content,
      };
      sealed.push(row);
      leaves.push(leafOf(row));
    }
  }
  // In order, since it is the order in which chains are locked.
  const inOrder = [...shards].sort(([a], [b]) => a - b);
  const batches = inOrder.map(([shard, { head, leaves }]): SealedBatch => {
    const header: BatchHeader = {
      shard,
      number: head.batch + 1n,
      firstSeq: head.seq + 1n,
      count: leaves.length,
      atMicros,
      root: rootOf(leaves),
    };
    return { header, previous: head.mac, mac: macOf(auditKey, head.mac, header), leaves };
  });
  return { entries, at: new Date(Number(atMicros / 1_000n)), transfers: sealed, batches };
}

/** The head that a shard has once the batch is applied. */
export const headAfter = ({ header, mac }: SealedBatch): Head => ({
  seq: header.firstSeq + BigInt(header.count) - 1n,
  batch: header.number,
  mac,
  atMicros: header.atMicros,
});
