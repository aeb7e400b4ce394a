import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../../test/support/database.ts";
import { createTenantReader, type TenantReader } from "../../database/tenant-reader.ts";
import { idFromUuid, type MerchantId, type PaymentId, uuidOf } from "../../kernel/ids.ts";
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
  const [row] = await database.owner`select payment from ledger.journal offset ${JOURNALS / 2} limit 1`;
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
      const results = await reader.read(whose, ...queries, count);
      fetched = results.pop()?.[0]?.["rows"] as number;
      return results;
    },
  };
  const found = await createLedgerReads(counting).journals(merchant, [payment]);
  expect(found.get(payment)?.[0]?.transfers).toHaveLength(2);
  expect(fetched).toBe(2);
});

/** Journals of two transfers, as many as a shop has after a while. */
async function addJournals(owner: TestDatabase["owner"], book: string): Promise<void> {
  await owner`insert into ledger.book (shard, id, merchant) values (7, ${book}, ${book})`;
  await owner`
    insert into ledger.account (shard, book, merchant, code, currency, normal_side)
    select 7, ${book}, ${book}, code, 'EUR', 'credit' from unnest(array['merchant_payable', 'fee_revenue']) code`;
  await owner`
    insert into ledger.journal (shard, merchant, payment, id, cause, operation, created_at)
    select 7, ${book}, uuidv7(), uuidv7(), 'sale', uuidv7(), now() from generate_series(1, ${JOURNALS})`;
  await owner`
    insert into ledger.transfer
      (shard, merchant, journal, ordinal, id, kind, debit, credit, amount, currency, created_at)
    select 7, merchant, id, ordinal, uuidv7(), 'single', a.lowest, a.highest, 5, 'EUR', now()
    from ledger.journal, generate_series(1, 2) ordinal,
         (select min(id) as lowest, max(id) as highest from ledger.account) a`;
}
