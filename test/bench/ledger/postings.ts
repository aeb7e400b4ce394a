import { type CommitId, newId, type TransferId, transferId } from "../../../subgraphs/kernel/ids.ts";
import { type Money, moneyOf } from "../../../subgraphs/kernel/money.ts";
import type { AccountRef } from "../../../subgraphs/ledger/accounts.ts";
import type { Commit, CommitResult } from "../../../subgraphs/ledger/commit.ts";
import type { Transfer } from "../../../subgraphs/ledger/transfer.ts";
import { type Book, CURRENCY } from "./books.ts";

/** Commits of one transfer each, and nothing else: what posting costs without a payment around it. */
type Sides = { readonly debit: AccountRef; readonly credit: AccountRef };

export type Hold = Sides & { readonly book: Book; readonly id: TransferId; readonly amount: Money };

export const randomBelow = (count: number) => Math.floor(Math.random() * count);

export const randomAmount = (): Money => moneyOf(BigInt(1 + randomBelow(10_000)), CURRENCY);

/** A book, and the positions of two of its accounts. */
export function pick(books: readonly Book[]) {
  const at = randomBelow(books.length);
  const book = books[at] as Book;
  const debit = randomBelow(book.accounts.length);
  const credit = (debit + 1 + randomBelow(book.accounts.length - 1)) % book.accounts.length;
  return { at, book, debit, credit };
}

function commitOf(
  book: Book,
  transfer: Transfer,
  at = new Date(),
  id: CommitId = newId("cmt", book.home, at),
): Commit {
  const journal = { cause: "adjustment", payment: null, transfers: [transfer], opens: [] } as const;
  return { id, merchant: book.merchant, at, journal, events: [] };
}

export const single = (book: Book, { debit, credit }: Sides, amount = randomAmount()): Commit =>
  commitOf(book, { kind: "single", amount, debit, credit });

/** A commit that holds an amount, and what later resolves it. */
export function hold(
  book: Book,
  { debit, credit }: Sides,
  amount = randomAmount(),
): { commit: Commit; hold: Hold } {
  const at = new Date();
  const id = newId("cmt", book.home, at);
  const commit = commitOf(book, { kind: "pending", amount, debit, credit }, at, id);
  return { commit, hold: { book, id: transferId(id, 1), amount, debit, credit } };
}

/** Posts an amount of what is held; all of it if none is given. */
export const post = ({ book, id, debit, credit, amount: held }: Hold, amount = held): Commit =>
  commitOf(book, { kind: "post", pending: id, amount, debit, credit });

/** @throws if the books have not taken it */
export function mustApply(result: CommitResult): void {
  if (result.outcome !== "applied") throw new Error(`a commit was answered ${JSON.stringify(result)}`);
}

/** @throws if it was not refused for this reason */
export function mustRefuse(result: CommitResult, reason: string): void {
  if (result.outcome !== "refused" || result.reason !== reason)
    throw new Error(`refused for ${reason} is due, not ${JSON.stringify(result)}`);
}
