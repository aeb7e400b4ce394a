import { type AccountRef } from "../../../subgraphs/ledger/accounts.ts";
import type { Bench } from "../bench.ts";
import { ownMeter } from "../cpu-time.ts";
import { createMigrated, databaseUrl } from "../databases.ts";
import { type Book, openBooks, touchBalances } from "../ledger/books.ts";
import { openFailing } from "../ledger/failing.ts";
import { type Hold, hold, mustApply, pick, post, randomBelow, single } from "../ledger/postings.ts";
import { type LedgerSession, newAuditKey, openLedger } from "../ledger/session.ts";
import { TouchedAccounts } from "../ledger/touched-accounts.ts";
import type { DerivedRow, Row, RowGroup } from "../row.ts";
import { BASELINE } from "./tpcb.ts";

/**
 * Posting to the ledger, a transfer a commit, through the committer. Commits are handed over in this process, so "node"
 * is the committer and what makes its commits together.
 */
const DATABASE = "bench_ledger";
/** Odd and even ones, so that they fall to all lanes. */
export const SHARDS = Array.from({ length: 16 }, (_, at) => at * 17);
export const ACCOUNTS_PER_SHARD = 10_000;
/** Commits under way in the closed loops. */
export const IN_FLIGHT = 4_000;
/** Without batches a shard's transfers wait for each other, and shards are what spreads them. */
const NAIVE_SHARDS = SHARDS.map((shard) => (shard + 8) % 256);
const NAIVE_CLIENTS = 8;
const NAIVE_ACCOUNTS = 1_000;
const OPEN_SHARE = 0.5;

const [UNIFORM, HOT, TWOPHASE, FAILING, OPEN, NAIVE] = [
  "ledger.post.uniform",
  "ledger.post.hot",
  "ledger.post.twophase",
  "ledger.post.failing",
  "ledger.post.open",
  "ledger.post.naive",
] as const;

const postgresOf = (sample: { readonly cpuByProcess: Readonly<Record<string, number>> } | undefined) =>
  sample?.cpuByProcess["postgres"] ?? Number.NaN;

const againstBaseline = (name: string): DerivedRow[] => [
  {
    name: `${name}.rate_x`,
    unit: "x TPC-B",
    from: [BASELINE, name],
    derive: (tpcb, row) => (row?.rate ?? 0) / (tpcb?.rate ?? 0),
  },
  {
    name: `${name}.postgres_x`,
    unit: "x TPC-B's CPU",
    from: [BASELINE, name],
    derive: (tpcb, row) => postgresOf(row) / postgresOf(tpcb),
  },
];

const derived: readonly DerivedRow[] = [
  ...[UNIFORM, HOT, TWOPHASE, NAIVE].flatMap(againstBaseline),
  { name: `${UNIFORM}.wal`, unit: "B", from: [UNIFORM], derive: (row) => row?.walBytes ?? Number.NaN },
  {
    name: `${UNIFORM}.touched`,
    unit: "accounts",
    from: [UNIFORM],
    derive: (row) => row?.extras["touchedAccounts"] ?? 0,
  },
  {
    name: `${TWOPHASE}.postgres_over_uniform`,
    unit: "x",
    from: [UNIFORM, TWOPHASE],
    derive: (uniform, row) => postgresOf(row) / postgresOf(uniform),
  },
  {
    name: `${FAILING}.rate_over_uniform`,
    unit: "x",
    from: [UNIFORM, FAILING],
    derive: (uniform, row) => (row?.rate ?? 0) / (uniform?.rate ?? 0),
  },
  {
    name: `${OPEN}.rate_over_uniform`,
    unit: "x",
    from: [UNIFORM, OPEN],
    derive: (uniform, row) => (row?.rate ?? 0) / (uniform?.rate ?? 0),
  },
];

export const ledgerPost: RowGroup = {
  names: [UNIFORM, HOT, TWOPHASE, FAILING, OPEN, NAIVE],
  derived,
  async open(bench, needed) {
    const url = await createMigrated(bench, DATABASE);
    const books = await openBooks(url, SHARDS, ACCOUNTS_PER_SHARD);
    const naiveBooks = needed.has(NAIVE) ? await openBooks(url, NAIVE_SHARDS, NAIVE_ACCOUNTS) : [];
    const auditKey = newAuditKey();
    let session = await openLedger(url, auditKey, naiveBooks.length === 0 ? 0 : NAIVE_CLIENTS);
    const of = () => session;
    return {
      rows: [
        ...uniformAndOpen(bench, books, of),
        { ...base(bench), name: HOT, run: () => credit(books, of(), "fees") },
        twoPhase(bench, books, of),
        {
          ...base(bench),
          name: FAILING,
          run: await openFailing(books, (commit) => session.committer.commit(commit)),
        },
        {
          ...base(bench),
          name: NAIVE,
          clients: NAIVE_CLIENTS,
          run: (client) => naive(naiveBooks, of(), client),
        },
      ],
      settled: () => touchBalances(url),
      async reconnect(through) {
        await session.close();
        session = await openLedger(databaseUrl(through, DATABASE), auditKey, session.statements.length);
      },
      close: () => session.close(),
    };
  },
};

export const base = (bench: Bench) => ({
  units: "transfers",
  clients: IN_FLIGHT,
  processes: [bench.meters.postgres, ownMeter("node")],
  ours: ["postgres", "node"],
  database: DATABASE,
});

/** From any account to any other of its shard, or to the shard's fees. */
async function credit(
  books: readonly Book[],
  { committer }: LedgerSession,
  to: "another" | "fees",
  touched: TouchedAccounts | null = null,
): Promise<void> {
  const { at, book, debit, credit: other } = pick(books);
  const sides = {
    debit: book.accounts[debit] as AccountRef,
    credit: to === "fees" ? book.fees : (book.accounts[other] as AccountRef),
  };
  mustApply(await committer.commit(single(book, sides)));
  touched?.mark(at, debit);
  touched?.mark(at, other);
}

/** The open loop goes at a share of what the closed one reached last. */
function uniformAndOpen(bench: Bench, books: readonly Book[], of: () => LedgerSession): Row[] {
  const touched = new TouchedAccounts(books.length, ACCOUNTS_PER_SHARD);
  let reached = Number.NaN;
  return [
    {
      ...base(bench),
      name: UNIFORM,
      run: () => credit(books, of(), "another", touched),
      onCount: () => touched.forget(),
      onSample: ({ rate }) => {
        reached = rate;
      },
      afterwards: async () => ({ touchedAccounts: touched.count }),
    },
    {
      ...base(bench),
      name: OPEN,
      run: () => credit(books, of(), "another"),
      arrivals: () => reached * OPEN_SHARE,
    },
  ];
}

/** Each client holds an amount, then posts it in its next commit: a unit is one of the two. */
function twoPhase(bench: Bench, books: readonly Book[], of: () => LedgerSession): Row {
  const held: (Hold | null)[] = [];
  return {
    ...base(bench),
    name: TWOPHASE,
    async run(client) {
      const { committer } = of();
      const open = held[client] ?? null;
      if (open !== null) {
        held[client] = null;
        return mustApply(await committer.commit(post(open)));
      }
      const { book, debit, credit: other } = pick(books);
      const sides = { debit: book.accounts[debit] as AccountRef, credit: book.accounts[other] as AccountRef };
      const pending = hold(book, sides);
      mustApply(await committer.commit(pending.commit));
      held[client] = pending.hold;
    },
  };
}

async function naive(books: readonly Book[], { statements }: LedgerSession, client: number): Promise<void> {
  const book = books[randomBelow(books.length)] as Book;
  const { debit, credit: other } = pick([book]);
  const sides = { debit: book.accounts[debit] as AccountRef, credit: book.accounts[other] as AccountRef };
  await statements[client]?.apply(single(book, sides));
}
