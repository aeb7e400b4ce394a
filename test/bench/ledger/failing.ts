import { moneyOf } from "../../../subgraphs/kernel/money.ts";
import type { AccountRef } from "../../../subgraphs/ledger/accounts.ts";
import type { ApplyCommit } from "../../../subgraphs/ledger/committer.ts";
import { type Book, CURRENCY } from "./books.ts";
import { type Hold, hold, mustApply, mustRefuse, pick, post, single } from "./postings.ts";

/** Of so many commits one is refused by the ledger. */
const ONE_IN = 100;

/** Makes units of which one in a hundred is refused, in turn for each reason that only the books can tell. */
export async function openFailing(books: readonly Book[], commit: ApplyCommit): Promise<() => Promise<void>> {
  const holds = new Map<Book, Hold>();
  for (const book of books) {
    const [debit, credit] = book.accounts as readonly [AccountRef, AccountRef];
    const held = hold(book, { debit, credit }, moneyOf(1n, CURRENCY));
    mustApply(await commit(held.commit));
    holds.set(book, held.hold);
  }
  let next = 0;
  return async () => {
    const { book, debit: from, credit: to } = pick(books);
    const [debit, credit] = [book.accounts[from] as AccountRef, book.accounts[to] as AccountRef];
    const turn = next++;
    if (turn % ONE_IN !== 0) return mustApply(await commit(single(book, { debit, credit })));
    const nobody = { ...debit, code: "merchant_payable:nobody" };
    switch ((turn / ONE_IN) % 3) {
      case 0:
        return mustRefuse(await commit(single(book, { debit: nobody, credit })), "unknown_account");
      case 1:
        return mustRefuse(await commit(single(book, { debit: book.empty, credit })), "exceeds_limit");
      default:
        return mustRefuse(
          await commit(post(holds.get(book) as Hold, moneyOf(2n, CURRENCY))),
          "exceeds_pending",
        );
    }
  };
}
