import postgres, { type Sql } from "postgres";
import { newId, transferUuid, uuidOf } from "../../../subgraphs/kernel/ids.ts";
import type { AccountRef } from "../../../subgraphs/ledger/accounts.ts";
import { createMigrated, databaseUrl } from "../databases.ts";
import { openBooks } from "../ledger/books.ts";
import { mustApply, pick, single } from "../ledger/postings.ts";
import { newAuditKey, openLedger } from "../ledger/session.ts";
import type { RowGroup } from "../row.ts";
import { base } from "./ledger-post.ts";

/**
 * How long a lone commit takes, one after the other, against what no durable write can do without: one INSERT of one
 * row as wide as a transfer, into a table with nothing but its primary key, prepared, by the same driver.
 */
const [INSERT, SINGLE] = ["insert.durable", "ledger.post.single"] as const;
const DATABASE = "bench_single";
const SHARDS = [0, 1, 2, 3];
const ACCOUNTS_PER_SHARD = 1_000;

export const commitLatency: RowGroup = {
  names: [INSERT, SINGLE],
  derived: [
    {
      name: `${SINGLE}.p50_over_insert`,
      unit: "x",
      from: [INSERT, SINGLE],
      derive: (insert, commit) => (commit?.p50Ms ?? 0) / (insert?.p50Ms ?? 0),
    },
  ],
  async open(bench) {
    const url = await createMigrated(bench, DATABASE);
    const books = await openBooks(url, SHARDS, ACCOUNTS_PER_SHARD);
    await withTable(url);
    const auditKey = newAuditKey();
    let session = await openLedger(url, auditKey, 0);
    let sql = connect(url);
    const one = { ...base(bench), clients: 1, database: DATABASE };
    return {
      rows: [
        { ...one, name: INSERT, units: "rows", run: () => insert(sql) },
        {
          ...one,
          name: SINGLE,
          async run() {
            const { book, debit, credit } = pick(books);
            const sides = {
              debit: book.accounts[debit] as AccountRef,
              credit: book.accounts[credit] as AccountRef,
            };
            mustApply(await session.committer.commit(single(book, sides)));
          },
        },
      ],
      async reconnect(through) {
        const rerouted = databaseUrl(through, DATABASE);
        await Promise.all([session.close(), sql.end({ timeout: 1 })]);
        session = await openLedger(rerouted, auditKey, 0);
        sql = connect(rerouted);
      },
      async close() {
        await Promise.all([session.close(), sql.end({ timeout: 1 })]);
      },
    };
  },
};

const connect = (url: URL): Sql =>
  postgres(url.href, { max: 1, fetch_types: false, idle_timeout: 0, onnotice: () => {} });

async function withTable(url: URL): Promise<void> {
  const sql = connect(url);
  try {
    await sql`create table durable (like ledger.transfer including defaults including constraints)`;
    await sql`alter table durable add primary key (shard, id)`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

let rows = 0;

async function insert(sql: Sql): Promise<void> {
  const at = new Date();
  const id = transferUuid(uuidOf(newId("cmt", { region: 1, shard: 0 }, at)), 1);
  await sql.unsafe(
    `insert into durable (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency)
     values ($1, 1, 2, 100, $2, 3, $3, 0, 0, 0, 'EUR')`,
    [++rows, at, id],
    { prepare: true },
  );
}
