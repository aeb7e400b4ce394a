import type { Sql } from "postgres";
import type { CatchUpOptions, Head } from "./catch-up.ts";
import type { ChainedBatch } from "./checkpoint.ts";

type HeadRow = { shard: number; batch: bigint; mac: Buffer; at: Date };
type BatchRow = {
  shard: number;
  number: bigint;
  first_seq: bigint;
  count: number;
  micros: bigint;
  root: Buffer;
  mac: Buffer;
};

const SHARDS = 256;

/** Where the shards' chains stand, and their batches, as the committer's role may read them. */
export function chainReads(sql: Sql): {
  heads(): Promise<Head[]>;
  readonly batchesAfter: CatchUpOptions["batchesAfter"];
} {
  return {
    async heads() {
      const all = `{${Array.from({ length: SHARDS }, (_, shard) => shard).join(",")}}`;
      const rows = await sql.unsafe<HeadRow[]>(
        "select shard, batch, mac, at from ledger.heads($1) where batch > 0",
        [all],
      );
      return rows.map(({ shard, batch, mac, at }) => ({ shard, batch, mac, at }));
    },
    async batchesAfter(shard, number, limit) {
      const rows = await sql.unsafe<BatchRow[]>(
        `select shard, number, first_seq, count, (extract(epoch from at) * 1000000)::bigint as micros, root, mac
         from ledger.batches_after($1, $2, $3) order by number`,
        [shard, number.toString(), limit],
        { prepare: true },
      );
      return rows.map(
        ({
          shard: of,
          number: is,
          first_seq: firstSeq,
          count,
          micros: atMicros,
          root,
          mac,
        }): ChainedBatch => ({
          header: { shard: of, number: is, firstSeq, count, atMicros, root },
          mac,
        }),
      );
    },
  };
}
