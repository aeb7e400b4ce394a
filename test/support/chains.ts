import type { KeyObject } from "node:crypto";
import type { Sql } from "postgres";
import { leafOf } from "../../subgraphs/ledger/audit/canonical.ts";
import { GENESIS, macOf } from "../../subgraphs/ledger/audit/chain.ts";
import { rootOf } from "../../subgraphs/ledger/audit/merkle.ts";

const micros = (at: unknown) => BigInt((at as Date).getTime()) * 1_000n;

/**
 * What is wrong with the chains of a database, in words; empty: every transfer is in its batch, in order and as it was
 * written, every batch follows the one before, and every head is the last batch.
 */
export async function faultsOfChains(owner: Sql, key: KeyObject): Promise<string[]> {
  const faults: string[] = [];
  const heads = await owner`select * from ledger.chain where batch > 0 order by shard`;
  for (const head of heads) {
    const shard = head["shard"] as number;
    const rows = await owner`select * from ledger.transfer where shard = ${shard} order by seq`;
    const batches = await owner`select * from ledger.batch where shard = ${shard} order by number`;
    let [previous, seq, at] = [GENESIS, 0n, 0];
    for (const [index, batch] of batches.entries()) {
      const count = batch["count"] as number;
      const leaves = rows.slice(at, at + count).map((row) => {
        seq += 1n;
        if (row["seq"] !== seq) faults.push(`shard ${shard}: transfer ${row["seq"]} where ${seq} should be`);
        return leafOf({ ...(row as unknown as Parameters<typeof leafOf>[0]), atMicros: micros(row["at"]) });
      });
      at += count;
      const root = rootOf(leaves);
      const header = {
        shard,
        number: BigInt(index + 1),
        firstSeq: seq - BigInt(count) + 1n,
        count,
        atMicros: micros(batch["at"]),
        root,
      };
      const mac = macOf(key, previous, header);
      if (!root.equals(batch["root"] as Buffer)) faults.push(`shard ${shard}: root of batch ${index + 1}`);
      if (!mac.equals(batch["mac"] as Buffer)) faults.push(`shard ${shard}: MAC of batch ${index + 1}`);
      previous = Buffer.from(batch["mac"] as Buffer);
    }
    if (at !== rows.length) faults.push(`shard ${shard}: ${rows.length - at} transfers in no batch`);
    if (!previous.equals(head["mac"] as Buffer) || head["seq"] !== seq)
      faults.push(`shard ${shard}: its head`);
  }
  return faults;
}
