import { readdirSync, readFileSync } from "node:fs";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { createTenantReader } from "../../database/tenant-reader.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { accountOf } from "../accounts.ts";
import { openReconciler } from "../reconcile/reconcile.ts";
import { createStatementReads } from "../sql/statements.ts";
import { createProjector } from "./project.ts";
import { openTestBooks } from "./test-books.ts";

/** Books that were kept before batches were: the migrations carry them over, and statements begin with them. */
const FIRST_OF_BATCHES = "20261122000008";
const folder = new URL("../../../schema/sql/", import.meta.url);

let database: TestDatabase;
let merchant: MerchantId;

beforeAll(async () => {
  database = await freshDatabase();
  await database.owner.unsafe("drop schema merchants, payments, ledger, risk, settlement, rates cascade");
  const files = readdirSync(folder).toSorted();
  const migrate = async (wanted: (file: string) => boolean) => {
    for (const file of files.filter(wanted))
      await database.owner.unsafe(
        readFileSync(new URL(file, folder), "utf8").split("-- migrate:down")[0] ?? "",
      );
  };
  await migrate((file) => file < FIRST_OF_BATCHES);
  merchant = (await testMerchant(database.owner)).id;
  await keepOldBooks(uuidOf(merchant));
  await migrate((file) => file >= FIRST_OF_BATCHES);
});
afterAll(() => database.drop());

/** A sale of 100 with a fee of 3 at noon, an authorization of 50 an hour later, of which 20 are captured at two. */
async function keepOldBooks(book: string): Promise<void> {
  const sql = database.owner;
  const operator = "00000000-0000-0000-0000-000000000000";
  await sql`insert into ledger.book (shard, id, merchant) values (7, ${book}, ${book}), (7, ${operator}, null)`;
  await sql`
    insert into ledger.account (shard, book, merchant, code, currency, normal_side, debits_posted, credits_posted,
                                debits_pending, credits_pending)
    values (7, ${operator}, null, 'provider_receivable', 'EUR', 'debit', 120, 0, 30, 0),
           (7, ${book}, ${book}, 'merchant_payable', 'EUR', 'credit', 3, 120, 0, 30),
           (7, ${operator}, null, 'fee_revenue', 'EUR', 'credit', 0, 3, 0, 0)`;
  const [receivable, payable, fee] = (await sql`select id from ledger.account order by id`).map(
    (row) => row["id"] as bigint,
  );
  const journal = async (
    cause: string,
    hour: number,
    transfers: [string, bigint, bigint, number, string | null][],
  ) => {
    const at = new Date(Date.UTC(2026, 10, 20, hour));
    const [row] = await sql`
      insert into ledger.journal (shard, merchant, payment, id, cause, operation, created_at)
      values (7, ${book}, uuidv7(), uuidv7(), ${cause}, uuidv7(), ${at}) returning id`;
    let held = "";
    for (const [index, [kind, debit, credit, amount, pending]] of transfers.entries()) {
      const [transfer] = await sql`
        insert into ledger.transfer
          (shard, merchant, journal, ordinal, id, kind, debit, credit, amount, currency, pending, created_at)
        values (7, ${book}, ${row?.["id"]}, ${index + 1}, uuidv7(), ${kind}, ${debit.toString()}, ${credit.toString()},
                ${amount}, 'EUR', ${pending}, ${at}) returning id`;
      held = transfer?.["id"] as string;
    }
    return held;
  };
  const [r, p, f] = [receivable, payable, fee] as [bigint, bigint, bigint];
  await journal("sale", 12, [
    ["single", r, p, 100, null],
    ["single", p, f, 3, null],
  ]);
  const hold = await journal("authorization", 13, [["pending", r, p, 50, null]]);
  await journal("capture", 14, [["post", r, p, 20, hold]]);
  await sql`
    insert into ledger.pending (shard, transfer, debit, credit, currency, remaining)
    values (7, ${hold}, ${r.toString()}, ${p.toString()}, 'EUR', 30)`;
}

it("statements and balances as of an instant reach back before the chain, and go on with it", async () => {
  const books = openTestBooks(database.url, AUDIT_KEY, new Date("2026-11-22T12:00:00Z"));
  const projector = createProjector({ url: database.url, log: pino({ level: "silent" }) });
  const reader = createTenantReader("tessera_ledger", database.url, 1);
  const statements = createStatementReads(reader);
  const account = await statements.account(merchant, { code: "merchant_payable", name: null }, "EUR");
  const at = async (instant: string) => {
    const found = await statements.balancesAt(merchant, new Date(instant), account);
    expect(found.ok).toBe(true);
    return found.ok && found.value.map(({ balance, creditsPending }) => [balance, creditsPending])[0];
  };
  expect(await at("2026-11-20T11:59:59.999Z")).toEqual([0n, 0n]);
  expect(await at("2026-11-20T12:00:00Z")).toEqual([97n, 0n]);
  expect(await at("2026-11-20T13:30:00Z")).toEqual([97n, 50n]);

  const sides = {
    debit: accountOf("provider_receivable", merchant, "EUR"),
    credit: accountOf("merchant_payable", merchant, "EUR"),
  };
  await books.post(merchant, [{ kind: "single", amount: moneyOf(5n, "EUR"), ...sides }]);
  expect((await projector.pump()).transfers).toBe(1);
  expect(await at("2026-11-20T14:00:00Z")).toEqual([117n, 30n]);
  expect(await at("2026-11-22T12:00:00Z")).toEqual([122n, 30n]);
  const lines = await database.owner`
    select seq, amount, credits_posted - debits_posted as balance from ledger.statement_line
    where account = ${account?.id.toString() ?? ""} order by seq`;
  expect(lines.map((line) => [line["seq"], line["amount"], line["balance"]])).toEqual([
    [1n, -100n, 100n],
    [2n, 3n, 97n],
    [3n, -50n, 97n],
    [4n, -20n, 117n],
    [5n, -5n, 122n],
  ]);
  await Promise.all([reader.close(), projector.stop(), books.committer.close()]);
});

it("the ledger's own books agree after that", async () => {
  const reconciler = openReconciler({ url: database.url, connections: 1, statementTimeoutMs: 10_000 });
  const result = await reconciler.reconcile({ from: new Date(0), to: new Date("9999-12-31T00:00:00Z") });
  await reconciler.close();
  const found = result.ok ? result.value.findings : [];
  expect(found.slice(0, 4).map(({ check, examined, wrong }) => [check, examined, wrong])).toEqual([
    ["journals", 5, 0],
    ["balances", 3, 0],
    ["statements", 3, 0],
    ["pending", 1, 0],
  ]);
});
