import type { KeyObject } from "node:crypto";
import type { Sql } from "postgres";
import { type BatchHeader, GENESIS, macOf } from "../audit/chain.ts";
import type { Head } from "./seal.ts";

/** A shard's chain is not one that a holder of the audit key has made: nothing may be written after it. */
export class ChainBroken extends Error {
  readonly shard: number;
  constructor(shard: number, because: string) {
    super(`the chain of shard ${shard} is broken: ${because}`);
    this.name = "ChainBroken";
    this.shard = shard;
  }
}

type HeadRow = { shard: number; seq: bigint; batch: bigint; mac: Buffer; at: Date };
type BatchRow = {
  shard: number;
  number: bigint;
  first_seq: bigint;
  count: number;
  at: Date;
  root: Buffer;
  mac: Buffer;
};

/** Batches that are read at once while another writer's are followed. */
const PAGE = 1_000;

/**
 * Where a shard's chain stands. What another writer has added since `known` (or, at the start, the last batch)
 * is followed link by link with the key, so that nothing is built on what somebody without it has written. `onLink`
 * is told of each, perhaps more than once.
 * @throws {ChainBroken} if a link is missing or is not ours
 */
export async function readHead(
  sql: Sql,
  shard: number,
  known: Head | undefined,
  auditKey: KeyObject,
  onLink: (mac: Buffer) => void = () => {},
): Promise<Head> {
  const [row] = await sql.unsafe<HeadRow[]>("select * from ledger.heads($1)", [`{${shard}}`], {
    prepare: true,
  });
  if (row === undefined) throw new ChainBroken(shard, "it has no head");
  const at = microsOf(row.at);
  const head: Head = {
    seq: row.seq,
    batch: row.batch,
    mac: Buffer.from(row.mac),
    atMicros: at < 0n ? 0n : at,
  };
  if (known !== undefined && head.batch < known.batch)
    throw new ChainBroken(shard, `it ends at batch ${head.batch}, and batch ${known.batch} was there`);
  const from = known?.batch ?? (head.batch > 1n ? head.batch - 2n : 0n);
  let link = known?.mac ?? (head.batch > 1n ? null : GENESIS);
  let seq = known?.seq ?? null;
  for (let number = from; number < head.batch; ) {
    const page = await sql.unsafe<BatchRow[]>(
      "select * from ledger.batches_after($1, $2, $3)",
      [shard, number.toString(), PAGE],
      { prepare: true },
    );
    if (page.length === 0) throw new ChainBroken(shard, `batch ${number + 1n} is missing`);
    for (const batch of page) {
      number += 1n;
      if (batch.number !== number) throw new ChainBroken(shard, `batch ${number} is missing`);
      if (number > head.batch) return readHead(sql, shard, known, auditKey, onLink);
      const header = headerOf(batch);
      // At the start the last but one is only what the last one's MAC stands on.
      if (link !== null && !macOf(auditKey, link, header).equals(batch.mac))
        throw new ChainBroken(shard, `batch ${number} has not the MAC that it should have`);
      if (seq !== null && header.firstSeq !== seq + 1n)
        throw new ChainBroken(shard, `batch ${number} does not begin where the one before ended`);
      link = Buffer.from(batch.mac);
      onLink(link);
      seq = header.firstSeq + BigInt(header.count) - 1n;
    }
  }
  if (link !== null && !link.equals(head.mac))
    throw new ChainBroken(shard, `its head is not batch ${head.batch}`);
  if (seq !== null && seq !== head.seq) throw new ChainBroken(shard, `its head is not at ${seq}`);
  return head;
}

const microsOf = (at: Date): bigint => BigInt(at.getTime()) * 1_000n;

const headerOf = ({ shard, number, first_seq, count, at, root }: BatchRow): BatchHeader => ({
  shard,
  number,
  firstSeq: first_seq,
  count,
  atMicros: microsOf(at),
  root: Buffer.from(root),
});
