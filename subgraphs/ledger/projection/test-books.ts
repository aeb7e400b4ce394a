import type { KeyObject } from "node:crypto";
import pino from "pino";
import type { DatabaseUrl } from "../../database/pool.ts";
import type { Currency } from "../../kernel/currency.ts";
import { type CommitId, homeOf, type MerchantId, newId, type PaymentId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import { type AccountCode, type AccountRef, accountOf } from "../accounts.ts";
import type { JournalCause } from "../commit.ts";
import { type Committer, openCommitter } from "../committer.ts";
import type { Transfer } from "../transfer.ts";

/** Books for tests, kept by the real committer on a clock that the test sets. */
export type TestBooks = {
  /** The committer's time; a shard's own never goes back. */
  at: Date;
  readonly committer: Committer;
  /** Commits a journal, opening what accounts it uses. */
  post(
    merchant: MerchantId,
    transfers: readonly Transfer[],
    journal?: { readonly cause?: JournalCause; readonly payment?: PaymentId },
  ): Promise<CommitId>;
};

export function openTestBooks(url: DatabaseUrl, auditKey: KeyObject, at: Date): TestBooks {
  const books: TestBooks = {
    at,
    committer: openCommitter({
      url,
      lanes: 1,
      auditKey,
      log: pino({ level: "silent" }),
      clock: { now: () => books.at },
    }),
    async post(merchant, transfers, { cause = "adjustment", payment } = {}) {
      const id = newId("cmt", homeOf(merchant), books.at);
      const opens = transfers.flatMap(({ debit, credit }) => [debit, credit]);
      const journal = { cause, payment: payment ?? null, transfers, opens };
      const result = await books.committer.commit({ id, merchant, at: books.at, journal, events: [] });
      invariant(result.outcome === "applied", `the commit is applied: ${JSON.stringify(result)}`);
      return id;
    },
  };
  return books;
}

/** A sub-account, in the book that the chart gives its code. */
export function subAccount(
  code: AccountCode,
  name: string,
  merchant: MerchantId,
  currency: Currency,
): AccountRef {
  return { ...accountOf(code, merchant, currency), code: `${code}:${name}` };
}
