import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { createTenantReader, type TenantReader } from "../../database/tenant-reader.ts";
import { idFromUuid, journalOf, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
import { createLedgerReads } from "./reads.ts";

const JOURNALS = 2_000;

let database: TestDatabase;
let merchant: MerchantId;
let reader: TenantReader;

beforeAll(async () => {
  database = await freshDatabase();
  ({ id: merchant } = await testMerchant(database.owner));
  reader = createTenantReader("tessera_ledger", database.url, 1);
  await addJournals(database.owner, uuidOf(merchant));
});

afterAll(async () => {
  await reader.close();
  await database.drop();
});

it("reads a payment's journals without reading the merchant's others", async () => {
  const [row] =
    await database.owner`select payment from ledger.payment_journal offset ${JOURNALS / 2} limit 1`;
  const payment = idFromUuid("pay", row?.["payment"]) as PaymentId;
  let fetched = Number.NaN;
  const counting: TenantReader = {
    ...reader,
    async read(whose, ...queries) {
      const count = {
        text: `select (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::integer as rows
               from pg_stat_xact_user_tables where schemaname = 'ledger' and relname = 'transfer'`,
        parameters: [],
      };
      const results = await reader.read(whose, count, ...queries, count);
      const [before, after] = [results.shift(), results.pop()].map((rows) => rows?.[0]?.["rows"] as number);
      fetched = (after as number) - (before as number);
      return results;
    },
  };
  const found = await createLedgerReads(counting).journals(merchant, [payment]);
  const [journal, ...others] = found.get(payment) ?? [];
  expect(others).toEqual([]);
  expect(journal).toMatchObject({
    cause: "sale",
    createdAt: new Date("2026-11-22T12:00:00Z"),
    transfers: [
      {
        kind: "single",
        debit: { code: "provider_receivable", name: null, book: "operator" },
        credit: { code: "merchant_payable", name: "seller_7", book: "merchant" },
      },
      { kind: "single", pending: null },
    ],
  });
  for (const { id } of journal?.transfers ?? []) expect(journalOf(id)).toBe(journal?.id);
  expect(fetched).toBe(2);
});

it("reads the balances of the merchant's accounts and of no other", async () => {
  expect(await createLedgerReads(reader).balances(merchant)).toEqual([
    {
      code: "merchant_payable",
      name: "seller_7",
      currency: "EUR",
      debitsPosted: 3n,
      creditsPosted: 10n,
      debitsPending: 0n,
      creditsPending: 2n,
      balance: 7n,
    },
  ]);
});

/** Journals of two transfers, as many as a shop has after a while. */
async function addJournals(owner: TestDatabase["owner"], book: string): Promise<void> {
  const operator = "00000000-0000-0000-0000-000000000000";
  await owner`insert into ledger.book (shard, id, merchant) values (7, ${book}, ${book}), (7, ${operator}, null)`;
  await owner`
    insert into ledger.account (shard, id, book, merchant, code, currency, normal_side, overdraft, opened_at)
    select 7, ledger.account_id(book, code, 'EUR'), book, nullif(book, ${operator}::uuid), code, 'EUR', side, true, now()
    from (values (${book}::uuid, 'merchant_payable:seller_7', 'credit'),
                 (${operator}::uuid, 'provider_receivable', 'debit')) a (book, code, side)`;
  await owner`
    insert into ledger.balance (shard, id, debits_posted, credits_posted, credits_pending, limited)
    select 7, id, 3, 10, 2, 0 from ledger.account`;
  await owner`
    insert into ledger.payment_journal (shard, merchant, payment, commit)
    select 7, ${book}, uuidv7(), ledger.commit_of(uuidv7()) from generate_series(1, ${JOURNALS})`;
  await owner`
    insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency)
    select row_number() over (), ledger.account_id(${operator}, 'provider_receivable', 'EUR'),
           ledger.account_id(${book}, 'merchant_payable:seller_7', 'EUR'), 5, '2026-11-22T12:00:00Z', 0,
           ledger.transfer_id(commit, position), 7, 0, 2, 'EUR'
    from ledger.payment_journal, generate_series(1, 2) position`;
}
