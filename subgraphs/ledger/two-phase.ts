import type { Currency } from "../kernel/currency.ts";
import type { TransferId } from "../kernel/ids.ts";
import { moneyOf } from "../kernel/money.ts";
import { invariant } from "../kernel/result.ts";
import type { AccountRef } from "./accounts.ts";
import type { Transfer } from "./transfer.ts";

/** A pending transfer and what is left of it, in minor units. */
export type Hold = { readonly pending: TransferId; readonly left: bigint };

/** The accounts that all holds of one authorization are between. */
export type Sides = { readonly debit: AccountRef; readonly credit: AccountRef; readonly currency: Currency };

/**
 * What a capture of `amount` posts. The holds are an authorization and its increments, oldest first; the amount is
 * posted from them in that order. More than they have left is an over-capture: the excess, which the scheme must have
 * allowed, moves at once. After a final part nothing is held any more: the rest is released. Each part of a hold is
 * resolved once, by the ledger's own guard; this only says which.
 */
export function settleHolds(
  holds: readonly Hold[],
  { debit, credit, currency }: Sides,
  { amount, final }: { readonly amount: bigint; readonly final: boolean },
): Transfer[] {
  invariant(amount >= 0n, "a capture posts nothing negative");
  const sides = { debit, credit };
  const transfers: Transfer[] = [];
  let open = amount;
  for (const { pending, left } of holds) {
    const part = open < left ? open : left;
    open -= part;
    if (part > 0n) transfers.push({ kind: "post", pending, amount: moneyOf(part, currency), ...sides });
    const rest = left - part;
    if (final && rest > 0n)
      transfers.push({ kind: "release", pending, amount: moneyOf(rest, currency), ...sides });
  }
  if (open > 0n) transfers.push({ kind: "single", amount: moneyOf(open, currency), ...sides });
  return transfers;
}
