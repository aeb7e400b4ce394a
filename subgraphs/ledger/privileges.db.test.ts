import pino from "pino";
import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freshDatabase, type TestDatabase, testMerchant } from "../../test/support/database.ts";
import { AUDIT_KEY } from "../../test/support/payments.ts";
import { connectAs, type DatabaseRole } from "../database/pool.ts";
import { homeOf, type MerchantId, newId, uuidOf } from "../kernel/ids.ts";
import { moneyOf } from "../kernel/money.ts";
import { accountOf } from "./accounts.ts";
import { openCommitter } from "./committer.ts";

/** Who may do what in the database: tried, since a grant too many shows nowhere else. */
let database: TestDatabase;
let merchant: MerchantId;
const REFUSED = { code: "42501" };
const SCHEMAS = ["payments", "ledger", "risk", "settlement", "merchants"] as const;

beforeAll(async () => {
  database = await freshDatabase();
  merchant = (await testMerchant(database.owner)).id;
  const committer = openCommitter({
    url: database.url,
    lanes: 1,
    auditKey: AUDIT_KEY,
    log: pino({ level: "silent" }),
  });
  const at = new Date();
  const amount = moneyOf(5n, "EUR");
  const [debit, credit] = [
    accountOf("provider_receivable", merchant, "EUR"),
    accountOf("merchant_payable", merchant, "EUR"),
  ];
  const transfers = [
    { kind: "single", amount, debit, credit },
    { kind: "pending", amount, debit, credit },
  ] as const;
  const payment = newId("pay", homeOf(merchant), at);
  const journal = { cause: "sale", payment, transfers, opens: [debit, credit] } as const;
  const id = newId("cmt", homeOf(merchant), at);
  expect(await committer.commit({ id, merchant, at, journal, events: [] })).toEqual({ outcome: "applied" });
  await committer.close();
});
afterAll(() => database.drop());

const tablesOf = (schemas: readonly string[]) =>
  database.owner<{ schema: string; name: string; column: string }[]>`
    select t.schemaname as schema, t.tablename as name, c.column_name as column
    from pg_tables t
    join information_schema.columns c
      on c.table_schema = t.schemaname and c.table_name = t.tablename and c.ordinal_position = 1
    where t.schemaname = any (${schemas as string[]})`;

async function roles(): Promise<DatabaseRole[]> {
  // Roles belong to the cluster; those of this database's migrations are all there are.
  const rows = await database.owner`select rolname from pg_roles where rolname like 'tessera\\_%' order by 1`;
  return rows.map(({ rolname }) => rolname as DatabaseRole);
}

it("no role changes the ledger by a statement of its own", async () => {
  const tables = await tablesOf(["ledger"]);
  expect(tables.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["transfer", "chain", "batch", "commit", "balance", "account", "pending"]),
  );
  const all = await roles();
  expect(all).toEqual(expect.arrayContaining(["tessera_committer", "tessera_ledger", "tessera_relay"]));
  for (const role of all) {
    const sql = connectAs(role, database.url, { connections: 1 });
    for (const { name, column } of tables) {
      for (const statement of [
        `delete from ledger.${name}`,
        `update ledger.${name} set ${column} = ${column}`,
        `insert into ledger.${name} select * from ledger.${name}`,
        `truncate ledger.${name}`,
      ]) {
        const tried = sql.unsafe(statement);
        await expect(tried, `${role}: ${statement}`).rejects.toMatchObject(REFUSED);
      }
    }
    await sql.end();
  }
});

it("the committer does nothing but commit", async () => {
  const sql = connectAs("tessera_committer", database.url, { connections: 1 });
  for (const statement of [
    "select * from ledger.transfer",
    "delete from payments.payment",
    "insert into payments.outbox select * from payments.outbox",
    "select ledger.open_accounts('[]', now())",
    "select payments.failed_guards('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
  ]) {
    await expect(sql.unsafe(statement), statement).rejects.toMatchObject(REFUSED);
  }
  await sql.end();
});

it.each(SCHEMAS)("the readers of %s read that schema only, and write nothing", async (own) => {
  const sql = connectAs(`tessera_${own}`, database.url, { connections: 1 });
  for (const { schema, name } of await tablesOf(SCHEMAS)) {
    await expect(sql.unsafe(`delete from ${schema}.${name}`), name).rejects.toMatchObject(REFUSED);
    if (schema !== own)
      await expect(sql.unsafe(`select 1 from ${schema}.${name}`), name).rejects.toMatchObject(REFUSED);
  }
  await expect(sql.unsafe("select * from ledger.heads('{1}')")).rejects.toMatchObject(REFUSED);
  await sql.end();
});

it("a reader sees nothing before it says which merchant, and only that merchant's rows then", async () => {
  const sql = postgres(database.url, { max: 1, connection: { role: "tessera_ledger" } } as never);
  const stranger = (await testMerchant(database.owner)).id;
  const views = ["account", "balance", "transfer", "entry", "pending", "payment_journal"];
  for (const name of views) expect(await sql.unsafe(`select * from ledger.${name}`), name).toEqual([]);
  const seen = await sql.begin(async (tx) => {
    await tx.unsafe("select set_config('tessera.merchant', $1, true)", [uuidOf(stranger)]);
    for (const name of views) expect(await tx.unsafe(`select * from ledger.${name}`), name).toEqual([]);
    await tx.unsafe("select set_config('tessera.merchant', $1, true)", [uuidOf(merchant)]);
    const counts = [];
    for (const name of views) counts.push((await tx.unsafe(`select * from ledger.${name}`)).length);
    return counts;
  });
  // Of the two accounts one is the operator's, whose balance is not the merchant's to see.
  expect(seen).toEqual([1, 1, 2, 4, 1, 1]);
  for (const name of views) expect(await sql.unsafe(`select * from ledger.${name}`), name).toEqual([]);
  await sql.end();
});
