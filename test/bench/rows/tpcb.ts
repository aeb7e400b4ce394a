import postgres from "postgres";
import { createDatabase, databaseUrl } from "../databases.ts";
import type { OpenGroup, RowGroup } from "../row.ts";
import { connectWire, type WireClient } from "../wire/client.ts";
import type { Statement } from "../wire/messages.ts";

/**
 * The baseline: pgbench's "TPC-B (sort of)" transaction, as its documentation gives it: seven prepared statements, each
 * a round trip. It tells what this machine's Postgres can do with small durable transactions now, which is what every
 * other row is held against. So its driver must cost as little as pgbench itself, which is run beside it to see.
 */
export const BASELINE = "tpcb.c8";
export const TPCB_DATABASE = "bench_tpcb";
const CLIENTS = { [BASELINE]: 8, "tpcb.c32": 32 } as const;
const MOST = Math.max(...Object.values(CLIENTS));
/** With fewer branches than clients, they would mostly wait for each other's rows. */
const SCALE = 40;
const TELLERS = 10 * SCALE;
const ACCOUNTS = 100_000 * SCALE;

export const tpcb: RowGroup = {
  names: Object.keys(CLIENTS),
  async open(bench, needed) {
    const url = await createDatabase(bench, TPCB_DATABASE);
    await fill(url);
    const most = needed.has("tpcb.c32") ? MOST : CLIENTS[BASELINE];
    let clients = await connectClients(url, most);
    return {
      rows: Object.entries(CLIENTS).map(([name, count]) => ({
        name,
        units: "transactions",
        clients: count,
        run: (client) => transact(clients[client] as TpcbClient),
        processes: [bench.meters.postgres, bench.meters.driver],
        ours: ["postgres"],
        database: TPCB_DATABASE,
      })),
      async reconnect(through) {
        await disconnect(clients);
        clients = await connectClients(databaseUrl(through, TPCB_DATABASE), most);
      },
      settled: () => touchEveryPage(url),
      close: () => disconnect(clients),
    } satisfies OpenGroup;
  },
};

type TpcbClient = { readonly wire: WireClient; readonly statements: readonly Statement[] };

const STATEMENTS = [
  "begin",
  "update pgbench_accounts set abalance = abalance + $1 where aid = $2",
  "select abalance from pgbench_accounts where aid = $1",
  "update pgbench_tellers set tbalance = tbalance + $1 where tid = $2",
  "update pgbench_branches set bbalance = bbalance + $1 where bid = $2",
  "insert into pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)",
  "commit",
];

const connectClients = (url: URL, count: number): Promise<TpcbClient[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const wire = await connectWire(url);
      const statements: Statement[] = [];
      for (const text of STATEMENTS) statements.push(await wire.prepare(text));
      return { wire, statements };
    }),
  );

const disconnect = async (clients: readonly TpcbClient[]) =>
  void (await Promise.all(clients.map(({ wire }) => wire.close())));

const random = (count: number) => 1 + Math.floor(Math.random() * count);

async function transact({ wire, statements }: TpcbClient): Promise<void> {
  const [begin, account, look, teller, branch, history, commit] = statements as Seven;
  const aid = random(ACCOUNTS);
  const bid = random(SCALE);
  const tid = random(TELLERS);
  const delta = random(10_001) - 5_001;
  await wire.run(begin);
  await wire.run(account, delta, aid);
  await wire.run(look, aid);
  await wire.run(teller, delta, tid);
  await wire.run(branch, delta, bid);
  await wire.run(history, tid, bid, aid, delta);
  await wire.run(commit);
}

type Seven = [Statement, Statement, Statement, Statement, Statement, Statement, Statement];

/** The tables as `pgbench -i` makes them, so that pgbench itself runs on them, too. */
async function fill(url: URL): Promise<void> {
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
async function touchEveryPage(url: URL): Promise<void> {
  const sql = postgres(url.href, { max: 1, onnotice: () => {} });
  try {
    await sql`
      update pgbench_accounts set abalance = abalance where ctid = any (array(
        select format('(%s,1)', page)::tid
        from generate_series(0, pg_relation_size('pgbench_accounts') / current_setting('block_size')::int - 1) page
      ))`;
    await sql`vacuum pgbench_accounts`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
