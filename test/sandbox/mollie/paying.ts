/**
 * How a payment changes its status, and what then moves in the book: the issuer's decision, captures, releases,
 * expiry. Everything that changes a status is here, and every change is told by a webhook where Mollie tells it.
 */

import type { MovementKind } from "../kit/book.ts";
import { announcePayment } from "./announcing.ts";
import type { FailureReason } from "./failure-reasons.ts";
import { newId } from "./ids.ts";
import { textPairs } from "./metadata.ts";
import type { CardRecord, PaymentRecord, RefundRecord } from "./records.ts";
import type { Work } from "./world.ts";

/** 3-D Secure succeeded with a challenge: Visa's and Mastercard's indicator (EMVCo, scheme rules). */
const authenticatedEci = (card: CardRecord): string => (card.label === "Mastercard" ? "02" : "05");

export const authenticated = (payment: PaymentRecord, card: CardRecord): PaymentRecord => ({
  ...payment,
  eci: authenticatedEci(card),
  challenged: false,
});

/** The payer has done their part: the issuer decides, at once or, where that was ordered, later. */
export function submit(work: Work, payment: PaymentRecord): PaymentRecord {
  const { orderedPendingMs } = payment;
  if (orderedPendingMs === null) return decide(work, payment);
  const pending = work.put("payments", {
    ...payment,
    status: "pending",
    challenged: false,
    decidedAt: work.nowMs + orderedPendingMs,
    orderedPendingMs: null,
  });
  announcePayment(work, pending);
  return pending;
}

/** The issuer's word on `payment.card`. */
export function decide(work: Work, payment: PaymentRecord): PaymentRecord {
  const { card } = payment;
  if (card === null) throw new Error(`${payment.id} has no card`);
  const { failure, recurringFailure } = card.behaviour;
  const absent = payment.sequenceType === "recurring";
  const reason = payment.orderedFailure ?? failure ?? (absent ? recurringFailure : undefined);
  const decided = { ...payment, challenged: false, decidedAt: null };
  return reason === undefined ? authorize(work, decided, card) : fail(work, decided, reason);
}

export function fail(work: Work, payment: PaymentRecord, reason: FailureReason): PaymentRecord {
  const held = payment.status === "authorized" ? payment.amount - payment.amountCaptured : 0;
  move(work, payment, "released", held);
  return close(work, { ...payment, status: "failed", failureReason: reason, failedAt: work.nowMs });
}

function authorize(work: Work, payment: PaymentRecord, card: CardRecord): PaymentRecord {
  const mandate = payment.sequenceType === "first" ? storeCard(work, payment, card) : payment.mandate;
  const authorized: PaymentRecord = {
    ...payment,
    mandate,
    status: "authorized",
    authorizedAt: work.nowMs,
    captureBefore: work.nowMs + work.settings.captureWindowMs,
  };
  move(work, authorized, "authorized", payment.amount);
  if (payment.captureMode === "automatic") {
    move(work, authorized, "captured", payment.amount);
    return close(work, { ...authorized, status: "paid", amountCaptured: payment.amount, paidAt: work.nowMs });
  }
  const put = work.put("payments", authorized);
  announcePayment(work, put);
  return put;
}

function storeCard(work: Work, { customer }: PaymentRecord, card: CardRecord): string | null {
  if (customer === null) return null;
  const id = newId("mdt");
  work.put("mandates", { id, created: work.nowMs, customer, status: "valid", card });
  return id;
}

/** A capture has succeeded. The first one ends a card payment, unless the account has several. */
export function captured(work: Work, payment: PaymentRecord, amount: number): PaymentRecord {
  move(work, payment, "captured", amount);
  const amountCaptured = payment.amountCaptured + amount;
  const left = payment.amount - amountCaptured;
  const after = { ...payment, amountCaptured };
  if (left > 0 && work.settings.multicapture) return work.put("payments", after);
  move(work, payment, "released", left);
  return close(work, { ...after, status: "paid", paidAt: work.nowMs });
}

/** The rest of the hold is given back: nothing was taken, or no more will be. */
export function release(work: Work, payment: PaymentRecord): PaymentRecord {
  move(work, payment, "released", payment.amount - payment.amountCaptured);
  const ended = { ...payment, releaseAt: null };
  if (payment.amountCaptured > 0) return close(work, { ...ended, status: "paid", paidAt: work.nowMs });
  return close(work, { ...ended, status: "canceled", canceledAt: work.nowMs });
}

export function cancelOpen(work: Work, payment: PaymentRecord): PaymentRecord {
  return close(work, { ...payment, status: "canceled", canceledAt: work.nowMs });
}

/** An open payment that nobody paid, or an authorization that nobody captured in time. */
export function expire(work: Work, payment: PaymentRecord): PaymentRecord {
  if (payment.status === "authorized" && payment.amountCaptured > 0) return release(work, payment);
  if (payment.status === "authorized") move(work, payment, "released", payment.amount);
  return close(work, { ...payment, status: "expired", expiredAt: work.nowMs });
}

function close(work: Work, payment: PaymentRecord): PaymentRecord {
  const put = work.put("payments", { ...payment, releaseAt: null, decidedAt: null, challenged: false });
  announcePayment(work, put);
  return put;
}

export function move(
  work: Work,
  payment: PaymentRecord,
  kind: MovementKind,
  amount: number,
  refund: RefundRecord | null = null,
): void {
  work.move({
    kind,
    payment: payment.id,
    refund: refund?.id ?? null,
    amount,
    currency: payment.currency,
    metadata: textPairs(payment.metadata),
    refundMetadata: refund === null ? null : textPairs(refund.metadata),
    last4: payment.card?.last4 ?? "",
  });
}
