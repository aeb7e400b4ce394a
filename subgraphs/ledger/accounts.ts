import { idFromUuid, type MerchantId, uuidOf } from "../kernel/ids.ts";

/**
 * The chart of accounts. A merchant's book says what we owe the merchant; the operator's book of the same
 * shard says what providers owe us and what we earned. `normalSide` is the side that makes a balance grow.
 */
export const CHART = {
  /** Owed to us by a provider for what it captured. */
  provider_receivable: { book: "operator", normalSide: "debit" },
  /** Our fees. */
  fee_revenue: { book: "operator", normalSide: "credit" },
  /** Owed by us to the merchant: captured, less fees and refunds, not yet paid out. */
  merchant_payable: { book: "merchant", normalSide: "credit" },
} as const satisfies Record<string, { book: "operator" | "merchant"; normalSide: "debit" | "credit" }>;

export type AccountCode = keyof typeof CHART;

/** An account as a commit names it; the write function finds or opens it. `merchant` null: the operator's. */
export type AccountRef = {
  readonly book: string;
  readonly merchant: string | null;
  readonly code: AccountCode;
  readonly normalSide: "debit" | "credit";
};

/** The operator's book has the nil UUID in every shard. */
const OPERATOR_BOOK = "00000000-0000-0000-0000-000000000000";

/** The account `code` that a payment of `merchant` uses: in the merchant's book or in its shard's operator book. */
export function accountOf(code: AccountCode, merchant: MerchantId): AccountRef {
  const { book, normalSide } = CHART[code];
  if (book === "operator") return { book: OPERATOR_BOOK, merchant: null, code, normalSide };
  const uuid = uuidOf(merchant);
  return { book: uuid, merchant: uuid, code, normalSide };
}

/** A merchant's book is named after the merchant. */
export const bookOf = (merchant: MerchantId) => idFromUuid("book", uuidOf(merchant));
