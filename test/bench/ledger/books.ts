import postgres, { type Sql } from "postgres";
import { type Home, type MerchantId, newId, uuidOf } from "../../../subgraphs/kernel/ids.ts";
import { type AccountRef, accountOf, OPERATOR_BOOK } from "../../../subgraphs/ledger/accounts.ts";

/** A merchant's book with many accounts, and what it shares with the others of its shard. */
export type Book = {
  readonly merchant: MerchantId;
  readonly home: Home;
  /** They may be overdrawn, so that any transfer between any two goes through. */
  readonly accounts: readonly AccountRef[];
  /** The operator's, one in each shard. */
  readonly fees: AccountRef;
  /** May not go below zero, and has nothing. */
  readonly empty: AccountRef;
};

export const CURRENCY = "EUR";
const REGION = 1;
const SUB_ACCOUNTS = "merchant_payable";

/** Opens one book with `accounts` accounts in each of the shards, set-based, as the database's owner. */
export async function openBooks(url: URL, shards: readonly number[], accounts: number): Promise<Book[]> {
  const at = new Date();
  const books = shards.map((shard): Book => {
    const home = { region: REGION, shard };
    const merchant = newId("mer", home, at);
    const model = accountOf(SUB_ACCOUNTS, merchant, CURRENCY);
    return {
      merchant,
      home,
      accounts: Array.from({ length: accounts }, (_, n) => ({ ...model, code: `${SUB_ACCOUNTS}:a${n}` })),
      fees: accountOf("fee_revenue", merchant, CURRENCY),
      empty: accountOf("reserve", merchant, CURRENCY),
    };
  });
  await asOwner(url, (sql) => insertBooks(sql, books, accounts));
  return books;
}

/** Runs something on a connection of the owner's whose own commits wait for no disk. */
export async function asOwner<T>(url: URL, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url.href, {
    max: 1,
    onnotice: () => {},
    connection: { synchronous_commit: "off", work_mem: "256MB", maintenance_work_mem: "1GB" },
  } as postgres.Options<Record<string, never>>);
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function insertBooks(sql: Sql, books: readonly Book[], accounts: number): Promise<void> {
  const shards = books.map(({ home }) => home.shard);
  const ids = books.map(({ merchant }) => uuidOf(merchant));
  await sql`
    insert into ledger.book (shard, id, merchant)
    select b.shard, b.id, nullif(b.id, ${OPERATOR_BOOK}::uuid)
    from (select * from unnest(${shards}::smallint[], ${ids}::uuid[]) as own (shard, id)
          union all select s, ${OPERATOR_BOOK} from unnest(${shards}::smallint[]) s) b
    on conflict do nothing`;
  await sql`
    insert into ledger.account (shard, id, book, merchant, code, currency, normal_side, overdraft, opened_at)
    select a.shard, ledger.account_id(a.book, a.code, ${CURRENCY}), a.book, nullif(a.book, ${OPERATOR_BOOK}::uuid),
           a.code, ${CURRENCY}, 'credit', a.overdraft, now()
    from (
      select own.shard, own.book, ${SUB_ACCOUNTS} || ':a' || n as code, true as overdraft
      from unnest(${shards}::smallint[], ${ids}::uuid[]) as own (shard, book), generate_series(0, ${accounts - 1}) n
      union all
      select own.shard, own.book, 'reserve', false from unnest(${shards}::smallint[], ${ids}::uuid[]) as own (shard, book)
      union all
      select s, ${OPERATOR_BOOK}, 'fee_revenue', true from unnest(${shards}::smallint[]) s
    ) a`;
  await sql`
    insert into ledger.balance (shard, id, limited)
    select a.shard, a.id, case when a.overdraft then 0 else 1 end
    from ledger.account a where a.shard = any (${shards}::smallint[]) order by a.shard, a.id`;
  await sql`analyze`;
}

/**
 * Changes every page of the balances once and makes room again: right after a checkpoint the first change to a page puts
 * the whole page into the log, which would be the first round's alone.
 */
export function touchBalances(url: URL): Promise<void> {
  return asOwner(url, async (sql) => {
    await sql`update ledger.balance set debits_posted = debits_posted`;
    await sql`vacuum ledger.balance`;
  });
}
