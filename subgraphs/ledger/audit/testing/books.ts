import { createSecretKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sql } from "postgres";
import { type CanonicalTransfer, leafOf } from "../canonical.ts";
import { type BatchHeader, GENESIS, macOf } from "../chain.ts";
import type { SealedBatch } from "../checkpointer.ts";
import { folderStore } from "../folder-store.ts";
import type { SigningKey, VerifyingKeys } from "../keys.ts";
import { rootOf } from "../merkle.ts";

/** Keys of the audit for a test. */
export function testKeys(): {
  auditKey: ReturnType<typeof createSecretKey>;
  signing: SigningKey;
  verifying: VerifyingKeys;
} {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    auditKey: createSecretKey(Buffer.alloc(32, 7)),
    signing: { kid: "test-1", key: privateKey },
    verifying: new Map([["test-1", publicKey]]),
  };
}

export async function temporaryStore() {
  const folder = await mkdtemp(join(tmpdir(), "tessera-audit-"));
  return { folder, store: folderStore(folder), remove: () => rm(folder, { recursive: true, force: true }) };
}

export type Head = { number: bigint; seq: bigint; mac: Buffer };
export const EMPTY: Head = { number: 0n, seq: 0n, mac: GENESIS };

const OTHER = "0123456789";

/** Rows of a batch, each different in every column that can be. */
export function sampleRows(shard: number, head: Head, count: number, atMicros: bigint): CanonicalTransfer[] {
  return Array.from({ length: count }, (_, i) => {
    const seq = head.seq + BigInt(i) + 1n;
    const kind = Number(seq % 4n);
    return {
      shard,
      seq,
      id: `${randomUUID().slice(0, 34)}${shard.toString(16).padStart(2, "0")}`,
      kind,
      cause: 1 + Number(seq % 9n),
      debit: 1_000n + seq,
      credit: 2n ** 62n + seq,
      amount: 100n + seq,
      currency: OTHER[Number(seq % 10n)] === "0" ? "DOGE" : "EUR",
      pending: kind >= 2 ? randomUUID() : null,
      atMicros,
      content: seq * -7n,
    };
  });
}

/** The next batch of a shard over these rows. */
export function sealRows(
  key: ReturnType<typeof createSecretKey>,
  head: Head,
  rows: readonly CanonicalTransfer[],
): SealedBatch & { leaves: Buffer[] } {
  const [{ shard, atMicros }] = rows as [CanonicalTransfer];
  const leaves = rows.map(leafOf);
  const header: BatchHeader = {
    shard,
    number: head.number + 1n,
    firstSeq: head.seq + 1n,
    count: rows.length,
    atMicros,
    root: rootOf(leaves),
  };
  return { header, mac: macOf(key, head.mac, header), leaves };
}

export const headAfter = ({ header, mac }: SealedBatch): Head => ({
  number: header.number,
  seq: header.firstSeq + BigInt(header.count) - 1n,
  mac,
});

/** Writes rows and their batch as the committer would, by the owner of the tables. */
export async function writeBatch(
  owner: Sql,
  rows: readonly CanonicalTransfer[],
  { header, mac }: SealedBatch,
) {
  const at = new Date(Number(header.atMicros / 1_000n));
  await owner.begin(async (sql) => {
    for (const { atMicros: _, ...columns } of rows)
      await sql`insert into ledger.transfer ${sql({ ...columns, at } as never)}`;
    const { shard, number, firstSeq, count, root } = header;
    await sql`insert into ledger.batch (shard, number, first_seq, count, at, root, mac)
      values (${shard}, ${number as never}, ${firstSeq as never}, ${count}, ${at}, ${root}, ${mac})`;
    const { seq } = headAfter({ header, mac, leaves: null });
    await sql`insert into ledger.chain (shard, seq, batch, mac, at)
      values (${shard}, ${seq as never}, ${number as never}, ${mac}, ${at})
      on conflict (shard) do update set seq = excluded.seq, batch = excluded.batch, mac = excluded.mac, at = excluded.at`;
  });
}
