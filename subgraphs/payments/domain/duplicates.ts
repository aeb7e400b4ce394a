import { hash } from "node:crypto";
import { homeOf, type MerchantId, newId, type PaymentId } from "../../kernel/ids.ts";
import type { Money } from "../../kernel/money.ts";
import type { OutboxEvent } from "../../ledger/commit.ts";
import type { Payment, PaymentState, Terms } from "./payment.ts";

/**
 * Duplicates: another payment of the same card, amount, currency and merchant within minutes, under another key. The same key
 * is never a second payment; what is watched here is a merchant's server, or a payer, that asks twice.
 */
export type DuplicatePolicy = {
  /** How far apart two payments may be to be duplicates, in ms. */
  readonly windowMs: number;
  /** Decline them before anything is sent. */
  readonly refuse: boolean;
};

export const DEFAULT_POLICY: DuplicatePolicy = { windowMs: 10 * 60_000, refuse: false };
/** The longest window that a merchant can have: what is older is forgotten. */
export const LONGEST_WINDOW_MS = 60 * 60_000;

/** What duplicates have in common. */
export type Paid = {
  readonly merchant: MerchantId;
  readonly amount: Money;
  readonly card: Pick<Terms["card"], "fingerprint">;
  readonly stored: Terms["stored"];
};

export const paidBy = ({ merchant, amount, terms: { card, stored } }: Payment): Paid => ({
  merchant,
  amount,
  card,
  stored,
});

/** What was found of earlier payments of the same. */
export type Suspicion = {
  /** How many there are within the merchant's window. */
  readonly count: number;
  /** The latest of them. */
  readonly of: PaymentId | null;
  readonly policy: DuplicatePolicy;
};

/** Agreed payments without the payer come as often as agreed, also the same twice in a row. */
export const isWatched = ({ stored }: Pick<Paid, "stored">): boolean =>
  stored?.initiator !== "merchant" || (stored.reason !== "recurring" && stored.reason !== "installment");

/**
 * A number that is the same for the same card, amount, currency and merchant, and for nothing else in practice: 63 bits of a
 * SHA-256, in decimals as a bigint column takes it. Null for a payment that is not watched.
 */
export function cardUseOf(paid: Paid): string | null {
  if (!isWatched(paid)) return null;
  const { merchant, amount, card } = paid;
  const digest = hash(
    "sha256",
    `${merchant}\n${card.fingerprint}\n${amount.currency}\n${amount.minor}`,
    "hex",
  );
  return (BigInt(`0x${digest.slice(0, 16)}`) >> 1n).toString();
}

const TOOK_NOTHING: ReadonlySet<PaymentState> = new Set([
  "declined",
  "failed",
  "voided",
  "expired",
  "refunded",
]);
/** Whether the same again would be a duplicate of a payment in this state; as `payments.took_nothing` of schema/sql. */
export const canBeDuplicated = (state: PaymentState): boolean => !TOOK_NOTHING.has(state);

export const DUPLICATE_SUSPECTED = "payment.duplicate_suspected.v1";

/** Says once of a payment that it looks like a duplicate of `earlier`. */
export function suspectedEvent(
  { merchant, payment, amount }: { merchant: MerchantId; payment: PaymentId; amount: Money },
  earlier: PaymentId,
  at: Date,
): OutboxEvent {
  return {
    id: newId("evt", homeOf(merchant), at),
    type: DUPLICATE_SUSPECTED,
    payment,
    body: { payment, currency: amount.currency, amount: Number(amount.minor), duplicateOf: earlier },
  };
}

/** What a claim announces of its own payment. */
export const suspicionsOf = ({ id: payment, merchant, amount, terms }: Payment, at: Date): OutboxEvent[] =>
  terms.duplicateOf === null ? [] : [suspectedEvent({ merchant, payment, amount }, terms.duplicateOf, at)];

/** The lowest UUIDv7 of a moment: ids from then on are not below it. */
export function lowestUuid(at: Date): string {
  const time = Math.max(0, at.getTime()).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
