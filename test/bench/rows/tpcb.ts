import postgres, { type Sql } from "postgres";
import type { Bench } from "../bench.ts";
import type { OpenGroup, RowGroup } from "../row.ts";

/**
 * The baseline: pgbench's "TPC-B (sort of)" transaction, as its documentation gives it, sent by postgres.js like
 * everything else here: seven prepared statements, each a round trip. It tells what this machine's Postgres
 * can do with small durable transactions now, which is what every other row is held against.
 */
export const BASELINE = "tpcb.c8";
export const TPCB_DATABASE = "bench_tpcb";
const CLIENTS = 8;
/** With fewer branches than twice the clients, they would wait for each other's rows. */
const SCALE = 16;
const TELLERS = 10 * SCALE;
const ACCOUNTS = 100_000 * SCALE;

export const tpcb: RowGroup = {
  names: [BASELINE],
  async open(bench) {
    const url = new URL(bench.postgres.adminUrl);
    url.pathname = `/${TPCB_DATABASE}`;
    await fill(bench, url);
    let clients = connect(url);
    return {
      rows: [
        {
          name: BASELINE,
          units: "transactions",
          clients: CLIENTS,
          run: (client) => transact(clients[client] as Sql),
          processes: [bench.meters.postgres, bench.meters.driver],
          ours: ["postgres"],
          database: TPCB_DATABASE,
        },
      ],
      async reconnect(through) {
        await disconnect(clients);
        const rerouted = new URL(through);
        rerouted.pathname = url.pathname;
        clients = connect(rerouted);
      },
      close: () => disconnect(clients),
    } satisfies OpenGroup;
  },
};

const connect = (url: URL): Sql[] =>
  Array.from({ length: CLIENTS }, () =>
    postgres(url.href, {
      max: 1,
      fetch_types: false,
      idle_timeout: 0,
      onnotice: () => {},
    }),
  );

const disconnect = async (clients: readonly Sql[]) =>
  void (await Promise.all(clients.map((client) => client.end({ timeout: 1 }))));

const random = (count: number) => 1 + Math.floor(Math.random() * count);
const prepared = { prepare: true } as const;

async function transact(sql: Sql): Promise<void> {
  const account = random(ACCOUNTS);
  const branch = random(SCALE);
  const teller = random(TELLERS);
  const delta = random(10_001) - 5_001;
  await sql.unsafe("begin", [], prepared);
  await sql.unsafe(
    "update pgbench_accounts set abalance = abalance + $1 where aid = $2",
    [delta, account],
    prepared,
  );
  await sql.unsafe("select abalance from pgbench_accounts where aid = $1", [account], prepared);
  await sql.unsafe(
    "update pgbench_tellers set tbalance = tbalance + $1 where tid = $2",
    [delta, teller],
    prepared,
  );
  await sql.unsafe(
    "update pgbench_branches set bbalance = bbalance + $1 where bid = $2",
    [delta, branch],
    prepared,
  );
  await sql.unsafe(
    "insert into pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)",
    [teller, branch, account, delta],
    prepared,
  );
  await sql.unsafe("commit", [], prepared);
}

/** The tables as `pgbench -i` makes them, so that pgbench itself runs on them, too. */
async function fill(bench: Bench, url: URL): Promise<void> {
  await bench.admin.unsafe(`create database ${TPCB_DATABASE}`);
  const sql = postgres(url.href, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(`
      create table pgbench_branches (bid int not null, bbalance int, filler char(88));
      create table pgbench_tellers (tid int not null, bid int, tbalance int, filler char(84));
      create table pgbench_accounts (aid int not null, bid int, abalance int, filler char(84));
      create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
      insert into pgbench_branches select i, 0, '' from generate_series(1, ${SCALE}) i;
      insert into pgbench_tellers select i, (i - 1) / 10 + 1, 0, '' from generate_series(1, ${TELLERS}) i;
      insert into pgbench_accounts select i, (i - 1) / 100000 + 1, 0, '' from generate_series(1, ${ACCOUNTS}) i;
      alter table pgbench_branches add primary key (bid);
      alter table pgbench_tellers add primary key (tid);
      alter table pgbench_accounts add primary key (aid);`);
    await sql`vacuum analyze`;
    await sql`checkpoint`;
    await touchEveryPage(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * The first change to a page after a checkpoint puts the whole page into the log. This baseline changes pages all
 * over a large table, while payments append: for minutes after a checkpoint only the baseline would pay for it. Moving
 * one row of each page, which changes its page and one of the index, pays for all of them now, and no checkpoint
 * follows while the bench runs.
 */
async function touchEveryPage(sql: Sql): Promise<void> {
  await sql`
    update pgbench_accounts set abalance = abalance where ctid = any (array(
      select format('(%s,1)', page)::tid
      from generate_series(0, pg_relation_size('pgbench_accounts') / current_setting('block_size')::int - 1) page
    ))`;
  await sql`vacuum pgbench_accounts`;
}
