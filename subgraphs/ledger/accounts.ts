import { createHash } from "node:crypto";
import type { Currency } from "../kernel/currency.ts";
import { type BookId, idFromUuid, type MerchantId, uuidOf } from "../kernel/ids.ts";

/**
 * The chart of accounts (docs/chart-of-accounts.md shows each with numbers). A merchant's book says what we owe the
 * merchant, the operator's book of the same shard what providers owe us and what we earned. `normalSide` is the
 * side that makes a balance grow; without `overdraft` a balance cannot go below zero on it, pending amounts counted.
 */
export const CHART = {
  /** Owed to us by a provider for what it captured. */
  provider_receivable: { book: "operator", normalSide: "debit", overdraft: true },
  /** What banks hold of customers' money. */
  customer_funds: { book: "operator", normalSide: "debit", overdraft: true },
  /** Our fees. */
  fee_revenue: { book: "operator", normalSide: "credit", overdraft: true },
  /** What a currency conversion leaves with us: one side of it in each currency. */
  fx_position: { book: "operator", normalSide: "credit", overdraft: true },
  /** Money on its way between two books or two shards. */
  clearing: { book: "operator", normalSide: "debit", overdraft: true },
  /** Money that we cannot explain yet. */
  suspense: { book: "operator", normalSide: "credit", overdraft: true },
  /** Owed by us to the merchant: captured, less fees and refunds, not yet paid out. A refund may overdraw it. */
  merchant_payable: { book: "merchant", normalSide: "credit", overdraft: true },
  /** The merchant's money that we hold back. */
  reserve: { book: "merchant", normalSide: "credit", overdraft: false },
  /** The merchant's money that a dispute holds. */
  dispute: { book: "merchant", normalSide: "credit", overdraft: false },
} as const satisfies Record<
  string,
  { book: "operator" | "merchant"; normalSide: "debit" | "credit"; overdraft: boolean }
>;

export type AccountCode = keyof typeof CHART;

/** An account: one code in one book, in one currency. `merchant` null: the operator's. */
export type AccountRef = {
  /** A UUID whose last byte is the shard, or the operator's. */
  readonly book: string;
  readonly merchant: string | null;
  /** Of the chart; a sub-account has a name after a colon, as in `merchant_payable:seller_7`. */
  readonly code: string;
  readonly currency: Currency;
  readonly normalSide: "debit" | "credit";
  readonly overdraft: boolean;
};

/** The operator's book has the nil UUID in every shard. */
export const OPERATOR_BOOK = "00000000-0000-0000-0000-000000000000";

/** Accounts that were asked for lately: the same account is then the same object, whose id is known. */
const known = new Map<MerchantId, Map<string, AccountRef>>();
const MOST_KNOWN = 50_000;
let count = 0;

/** The account `code` that a payment of `merchant` uses: in the merchant's book or in its shard's operator book. */
export function accountOf(code: AccountCode, merchant: MerchantId, currency: Currency): AccountRef {
  const name = `${code} ${currency}`;
  const found = known.get(merchant)?.get(name);
  if (found !== undefined) return found;
  if (count >= MOST_KNOWN) {
    known.clear();
    count = 0;
  }
  const made = newRef(code, merchant, currency);
  const accounts = known.get(merchant) ?? new Map<string, AccountRef>();
  known.set(merchant, accounts.set(name, made));
  count++;
  return made;
}

function newRef(code: AccountCode, merchant: MerchantId, currency: Currency): AccountRef {
  const { book, normalSide, overdraft } = CHART[code];
  if (book === "operator")
    return { book: OPERATOR_BOOK, merchant: null, code, currency, normalSide, overdraft };
  const uuid = uuidOf(merchant);
  return { book: uuid, merchant: uuid, code, currency, normalSide, overdraft };
}

/** A merchant's book is named after the merchant. */
export const bookOf = (merchant: MerchantId): BookId => idFromUuid("book", uuidOf(merchant));

/** Within its shard: 63 bits of the digest of what the account is, as `ledger.account_id` of `schema/sql`. */
export function accountId({ book, code, currency }: Pick<AccountRef, "book" | "code" | "currency">): bigint {
  const digest = createHash("sha256").update(`${book}/${code}/${currency}`).digest();
  return digest.readBigUInt64BE() & 0x7fff_ffff_ffff_ffffn;
}
