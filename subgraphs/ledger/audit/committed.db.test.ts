import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { connectAs } from "../../database/pool.ts";
import { createTenantReader } from "../../database/tenant-reader.ts";
import { type MerchantId, newId, type PaymentId } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { accountOf } from "../accounts.ts";
import type { Commit } from "../commit.ts";
import { openCommitter } from "../committer.ts";
import { catchUp } from "./catch-up.ts";
import { chainReads } from "./chain-reads.ts";
import { createCheckpointer, type SealedBatch } from "./checkpointer.ts";
import { createProofs } from "./proof.ts";
import { createBatchReader, readPaymentRows } from "./reads.ts";
import { temporaryStore, testKeys } from "./testing/books.ts";
import { lineOf, verifyAudit } from "./verify.ts";

/** The audit behind the real committer. */

const keys = testKeys();
let database: TestDatabase;
let place: Awaited<ReturnType<typeof temporaryStore>>;
beforeEach(async () => {
  database = await freshDatabase();
  place = await temporaryStore();
});
afterEach(async () => {
  await database.drop();
  await place.remove();
});

const merchants = [3, 7, 200].map((shard) => newId("mer", { region: 1, shard }, new Date()));

/** A sale of some cents and its fee. */
function saleOf(merchant: MerchantId, payment: PaymentId, minor: bigint, home: number): Commit {
  const at = new Date();
  const receivable = accountOf("provider_receivable", merchant, "EUR");
  const payable = accountOf("merchant_payable", merchant, "EUR");
  const fees = accountOf("fee_revenue", merchant, "EUR");
  return {
    id: newId("cmt", { region: 1, shard: home }, at),
    merchant,
    at,
    journal: {
      cause: "sale",
      payment,
      opens: [receivable, payable, fees],
      transfers: [
        { kind: "single", amount: moneyOf(minor, "EUR"), debit: receivable, credit: payable },
        { kind: "single", amount: moneyOf(1n, "EUR"), debit: payable, credit: fees },
      ],
    },
    events: [],
  };
}

const problem = (found: unknown) => {
  throw new Error(JSON.stringify(found));
};
const openCheckpointer = () =>
  createCheckpointer({ store: place.store, key: keys.signing, onProblem: problem, intervalMs: 20 });

async function commitSales(onBatch: (batch: SealedBatch) => void, payment: PaymentId): Promise<void> {
  const committer = openCommitter({
    url: database.url,
    lanes: 2,
    auditKey: keys.auditKey,
    log: pino({ level: "silent" }),
    onBatch,
  });
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => {
        const merchant = merchants[i % 3] as MerchantId;
        const home = [3, 7, 200][i % 3] as number;
        const of = i === 1 && round === 2 ? payment : newId("pay", { region: 1, shard: home }, new Date());
        return committer.commit(saleOf(merchant, of, BigInt(100 + i), home));
      }),
    );
  }
  await committer.close();
}

const verify = () =>
  verifyAudit({
    databaseUrl: database.url,
    store: place.store,
    auditKey: keys.auditKey,
    keys: keys.verifying,
  });

/** What the published verifier says of the payment's first transfer. */
async function proofSaid(payment: PaymentId): Promise<string> {
  const reader = createTenantReader("tessera_ledger", database.url, 1);
  const batches = createBatchReader(database.url);
  const rows = await readPaymentRows(reader, merchants[1] as MerchantId, payment);
  expect(rows).toHaveLength(2);
  expect(await readPaymentRows(reader, merchants[0] as MerchantId, payment)).toEqual([]);
  const proofs = createProofs({ store: place.store, keys: keys.verifying, rowsOf: batches.rowsOf });
  const result = await proofs.proofOf(rows[0] as (typeof rows)[number]);
  await Promise.all([reader.close(), batches.close()]);
  if (!("proof" in result)) return result.missing;
  const files = ["proof.json", "key.json"].map((name) => join(place.folder, name)) as [string, string];
  writeFileSync(files[0], JSON.stringify(result.proof));
  const jwks = [...keys.verifying].map(([kid, key]) => ({ ...key.export({ format: "jwk" }), kid }));
  writeFileSync(files[1], JSON.stringify(jwks));
  return execFileSync(process.execPath, [join(import.meta.dirname, "verify-proof.mjs"), ...files], {
    encoding: "utf8",
  });
}

describe("what the committer writes", () => {
  it("is verified, and a merchant can prove it", async () => {
    const payment = newId("pay", { region: 1, shard: 7 }, new Date());
    const checkpointer = openCheckpointer();
    await commitSales(checkpointer.add, payment);
    await checkpointer.stop();
    const verdict = await verify();
    expect(verdict.findings.map(lineOf)).toEqual([]);
    expect(verdict).toMatchObject({ rows: 300, young: 0 });
    const said = await proofSaid(payment);
    expect(said).toContain("debits provider_receivable of book 00000000-0000-0000-0000-000000000000");
    expect(said).toContain("credits merchant_payable of book");
  });

  it("is caught up with after a crash that left batches without a checkpoint", async () => {
    const payment = newId("pay", { region: 1, shard: 7 }, new Date());
    const before = openCheckpointer();
    await commitSales(before.add, newId("pay", { region: 1, shard: 7 }, new Date()));
    await before.stop();
    await commitSales(() => {}, payment); // the process died before any checkpoint of these
    const sql = connectAs("tessera_committer", database.url, { connections: 1 });
    const { heads, batchesAfter } = chainReads(sql);
    const checkpointer = openCheckpointer();
    const options = {
      store: place.store,
      keys: keys.verifying,
      auditKey: keys.auditKey,
      batchesAfter,
      checkpointer,
    };
    const { batches } = await catchUp({ ...options, heads: await heads() });
    expect(batches).toBeGreaterThan(0);
    await checkpointer.stop();
    expect(await catchUp({ ...options, heads: await heads() })).toEqual({ batches: 0 });
    await sql.end();
    const verdict = await verify();
    expect(verdict.findings.map(lineOf)).toEqual([]);
    expect(verdict).toMatchObject({ rows: 600, young: 0 });
    expect(await proofSaid(payment)).toMatch(/^PROVEN/);
    await database.owner`update ledger.transfer set amount = 5 where amount = 113 and shard = 7`;
    expect(
      (await verify()).findings.map(lineOf).every((line) => /^(row_altered|root_wrong): shard 7/.test(line)),
    ).toBe(true);
  });
});
