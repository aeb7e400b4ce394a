/**
 * What is reserved on a card: how much of it may be captured, and how it ends by itself.
 * Source: docs.stripe.com/payments/{place-a-hold-on-a-payment-method,multicapture,incremental-authorization,overcapture}.
 *
 * Brands and percentages are those that every merchant category has; the categories with more (hotels, restaurants,
 * taxis) are not played.
 */

import { move } from "./book.ts";
import { announceCharge, announceIntent } from "./events.ts";
import type { ChargeRecord, PaymentIntentRecord } from "./records.ts";
import type { Work } from "./store.ts";

const MULTICAPTURE_BRANDS = ["amex", "visa", "discover", "mastercard", "diners", "unionpay", "jcb"];
const INCREMENT_BRANDS = ["visa", "mastercard"];
const OVERCAPTURE_BPS: Readonly<Record<string, number>> = { visa: 1_500 };

/** The members of a charge that say what may be done with its hold. */
export type HoldTerms = Pick<
  ChargeRecord,
  "multicapture" | "incrementable" | "maximumCapturable" | "captureBefore" | "holdEnds"
>;

/** The terms of a hold for an approved payment of `brand`; of none where it is captured at once. */
export function holdTerms(work: Work, intent: PaymentIntentRecord, brand: string): HoldTerms {
  const { settings, nowMs, idempotencyKey } = work;
  if (intent.captureMethod !== "manual") {
    return {
      multicapture: false,
      incrementable: false,
      maximumCapturable: intent.amount,
      captureBefore: null,
      holdEnds: null,
    };
  }
  const endsMs = nowMs + settings.holdMs;
  return {
    multicapture: intent.requestMulticapture && settings.multicapture && MULTICAPTURE_BRANDS.includes(brand),
    incrementable:
      intent.requestIncrementalAuthorization &&
      settings.incrementalAuthorization &&
      INCREMENT_BRANDS.includes(brand),
    maximumCapturable: maximumCapturable(work, intent, brand, intent.amount),
    captureBefore: Math.floor(endsMs / 1_000),
    holdEnds: { atMs: endsMs, idempotencyKey },
  };
}

export function maximumCapturable(
  work: Work,
  intent: PaymentIntentRecord,
  brand: string,
  authorized: number,
): number {
  if (!intent.requestOvercapture || !work.settings.overcapture) return authorized;
  return authorized + Math.floor((authorized * (OVERCAPTURE_BPS[brand] ?? 0)) / 10_000);
}

/** The time is over: what is still reserved goes back. What was captured before stays captured. */
export function endHold(work: Work, id: string): void {
  const charge = work.get("charges", id);
  const intent = work.get("paymentIntents", charge.paymentIntent);
  const closed = work.put("charges", { ...charge, holdEnds: null, captured: charge.captures > 0 });
  if (intent.status !== "requires_capture") return;
  const isPaid = intent.amountReceived > 0;
  move(work, "released", charge, intent.amountCapturable);
  const ended = work.put("paymentIntents", {
    ...intent,
    amountCapturable: 0,
    ...(isPaid
      ? { status: "succeeded" as const }
      : { status: "canceled" as const, canceledAt: work.nowSeconds, cancellationReason: "automatic" }),
  });
  announceCharge(work, "charge.expired", closed);
  announceIntent(work, isPaid ? "payment_intent.succeeded" : "payment_intent.canceled", ended);
}
