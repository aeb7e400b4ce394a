import type { DatabaseRow } from "../../database/tenant-reader.ts";
import { type Currency, isCurrency } from "../../kernel/currency.ts";
import { invariant } from "../../kernel/result.ts";
import type { AccountCode } from "../accounts.ts";
import { CAUSES, type JournalCause } from "../commit.ts";
import { TRANSFER_KINDS, type TransferKind } from "../transfer.ts";

/** Between the tables of `schema/sql` and what the ledger's reads give: rows are parsed here and nowhere else. */

/** An account's name in its book: a code of the chart, and what a sub-account is called beside it. */
export type AccountCodeName = { readonly code: AccountCode; readonly name: string | null };

/** Minor units; `balance` is signed, on the account's normal side. */
export type BalanceRecord = AccountCodeName & {
  readonly currency: Currency;
  readonly debitsPosted: bigint;
  readonly creditsPosted: bigint;
  readonly debitsPending: bigint;
  readonly creditsPending: bigint;
  readonly balance: bigint;
};

export const currencyFrom = (value: unknown): Currency => {
  invariant(typeof value === "string" && isCurrency(value), "a stored currency is one of ours");
  return value;
};

export const causeFrom = (value: unknown): JournalCause => {
  const cause = CAUSES[value as number];
  invariant(cause !== undefined, "a stored cause is one of ours");
  return cause;
};

export const kindFrom = (value: unknown): TransferKind => {
  const kind = TRANSFER_KINDS[value as number];
  invariant(kind !== undefined, "a stored kind of transfer is one of ours");
  return kind;
};

/** `merchant_payable:seller_7` is the sub-account seller_7 of merchant_payable. */
export function codeAndName(code: string): AccountCodeName {
  const colon = code.indexOf(":");
  if (colon === -1) return { code: code as AccountCode, name: null };
  return { code: code.slice(0, colon) as AccountCode, name: code.slice(colon + 1) };
}

export const storedCode = ({ code, name }: AccountCodeName): string =>
  name === null ? code : `${code}:${name}`;

/** From a row with code, currency, normal_side and the four balances; those of an account without lines are null. */
export function balanceFrom(row: DatabaseRow): BalanceRecord {
  const debitsPosted = (row["debits_posted"] as bigint | null) ?? 0n;
  const creditsPosted = (row["credits_posted"] as bigint | null) ?? 0n;
  return {
    ...codeAndName(row["code"] as string),
    currency: currencyFrom(row["currency"]),
    debitsPosted,
    creditsPosted,
    debitsPending: (row["debits_pending"] as bigint | null) ?? 0n,
    creditsPending: (row["credits_pending"] as bigint | null) ?? 0n,
    balance: row["normal_side"] === "debit" ? debitsPosted - creditsPosted : creditsPosted - debitsPosted,
  };
}
