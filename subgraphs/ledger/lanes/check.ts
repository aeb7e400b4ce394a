import { type CommitId, journalId, journalOf, MAX_TRANSFERS } from "../../kernel/ids.ts";
import { MAX_LEDGER_MINOR } from "../../kernel/money.ts";
import { type AccountRef, OPERATOR_BOOK } from "../accounts.ts";
import type { Commit, RefusalReason } from "../commit.ts";
import type { Transfer } from "../transfer.ts";

/** What of a commit's transfers can be refused without looking into the books; null: nothing. */
export function refusalOf({ id, journal }: Commit, shard: number): RefusalReason | null {
  if (journal === undefined) return null;
  const { transfers } = journal;
  if (transfers.length < 1 || transfers.length > MAX_TRANSFERS) return "number_of_transfers";
  const shardByte = shard.toString(16).padStart(2, "0");
  for (const transfer of transfers) {
    const reason = refusalOfTransfer(transfer, shardByte);
    if (reason !== null) return reason;
    if ("pending" in transfer && isItsOwn(id, transfer)) return "unknown_pending";
  }
  return null;
}

function refusalOfTransfer({ amount, debit, credit }: Transfer, shardByte: string): RefusalReason | null {
  if (amount.minor <= 0n || amount.minor > MAX_LEDGER_MINOR) return "amount_out_of_range";
  if (debit.currency !== amount.currency || credit.currency !== amount.currency) return "other_currency";
  if (isElsewhere(debit, shardByte) || isElsewhere(credit, shardByte)) return "other_shard";
  if (debit.book === credit.book && debit.code === credit.code) return "same_account";
  return null;
}

/** A commit cannot resolve what it holds itself: it is not there before. */
const isItsOwn = (id: CommitId, { pending }: Extract<Transfer, { pending: unknown }>): boolean =>
  journalOf(pending) === journalId(id);

/** A book's last byte is its shard; the operator has one in each. */
const isElsewhere = ({ book }: AccountRef, shardByte: string): boolean =>
  book !== OPERATOR_BOOK && !book.endsWith(shardByte);
