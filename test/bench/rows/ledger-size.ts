import type { AccountRef } from "../../../subgraphs/ledger/accounts.ts";
import { createMigrated, databaseUrl } from "../databases.ts";
import { openBooks, touchBalances } from "../ledger/books.ts";
import { fillTransfers } from "../ledger/fill.ts";
import { mustApply, pick, single } from "../ledger/postings.ts";
import { newAuditKey, openLedger } from "../ledger/session.ts";
import type { RowGroup } from "../row.ts";
import { ACCOUNTS_PER_SHARD, base, SHARDS } from "./ledger-post.ts";

/** Uniform posting on a ledger that has many transfers already, each in a database of its own. */
const SIZES = { "ledger.post.at1m": 1_000_000, "ledger.post.at10m": 10_000_000 } as const;
const [SMALL, LARGE] = ["ledger.post.at1m", "ledger.post.at10m"] as const;

const databaseOf = (name: string) => `bench_${name.replaceAll(".", "_")}`;

export const ledgerSize: RowGroup = {
  names: [SMALL, LARGE],
  // Filling takes about a minute.
  onlyIfAsked: [SMALL, LARGE, `${LARGE}.postgres_over_1m`],
  derived: [
    {
      name: `${LARGE}.postgres_over_1m`,
      unit: "x",
      from: [SMALL, LARGE],
      derive: (small, large) =>
        (large?.cpuByProcess["postgres"] ?? 0) / (small?.cpuByProcess["postgres"] ?? 0),
    },
  ],
  async open(bench, needed) {
    const ledgers = await Promise.all(
      Object.entries(SIZES)
        .filter(([name]) => needed.has(name))
        .map(async ([name, transfers]) => {
          const url = await createMigrated(bench, databaseOf(name));
          const books = await openBooks(url, SHARDS, ACCOUNTS_PER_SHARD);
          await fillTransfers(url, books, transfers);
          const auditKey = newAuditKey();
          return { name, url, books, auditKey, session: await openLedger(url, auditKey, 0) };
        }),
    );
    return {
      rows: ledgers.map((ledger) => ({
        ...base(bench),
        name: ledger.name,
        database: databaseOf(ledger.name),
        async run() {
          const { book, debit, credit } = pick(ledger.books);
          const sides = {
            debit: book.accounts[debit] as AccountRef,
            credit: book.accounts[credit] as AccountRef,
          };
          mustApply(await ledger.session.committer.commit(single(book, sides)));
        },
      })),
      async settled() {
        for (const { url } of ledgers) await touchBalances(url);
      },
      async reconnect(through) {
        for (const ledger of ledgers) {
          await ledger.session.close();
          ledger.session = await openLedger(
            databaseUrl(through, databaseOf(ledger.name)),
            ledger.auditKey,
            0,
          );
        }
      },
      async close() {
        for (const { session } of ledgers) await session.close();
      },
    };
  },
};
