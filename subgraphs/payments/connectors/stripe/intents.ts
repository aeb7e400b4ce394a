import { declineOf } from "../../domain/decline.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { fromStripe } from "./amounts.ts";
import { chargedCard, declineDetails, detailsOf } from "./details.ts";
import { declineFor, refundFailure } from "./errors.ts";
import type { Intent, Refund } from "./objects.ts";
import { markOf } from "./requests.ts";

/**
 * What an intent or a refund, as Stripe shows it, means for an operation: the same wherever it comes from, an answer, a
 * look-up or news.
 */

export const unknown = (because: string): ProviderAnswer & { readonly kind: "unknown" } => ({
  kind: "unknown",
  because,
});

const minorOf = (units: number, payment: Payment): bigint =>
  fromStripe(BigInt(units), payment.amount.currency).minor;

const without = (code: "payer_absent" | "authorization_expired", status: string): ProviderAnswer => ({
  kind: "failed",
  decline: declineOf(code, status),
});

export function authorization(payment: Payment, intent: Intent): ProviderAnswer {
  const { id: providerPayment } = intent;
  const card = chargedCard(intent);
  const done = (captured: boolean, units: number): ProviderAnswer => ({
    kind: "done",
    providerPayment,
    captured,
    amount: minorOf(units, payment),
    expiresAt: captured || !card?.capture_before ? null : new Date(card.capture_before * 1_000),
    details: detailsOf(card),
  });
  switch (intent.status) {
    case "succeeded":
      return done(true, intent.amount_received);
    case "requires_capture":
      return done(false, intent.amount_capturable);
    case "requires_action": {
      const url = intent.next_action?.redirect_to_url?.url;
      if (!url) return unknown(`the payer is asked by ${intent.next_action?.type ?? "nothing"}`);
      return { kind: "requires_action", providerPayment, action: { type: "redirect", url } };
    }
    case "processing":
      return { kind: "accepted", providerPayment, providerOperation: null };
    case "requires_payment_method": {
      const error = intent.last_payment_error;
      if (!error) return unknown("the intent has no payment method and no error");
      return {
        kind: "declined",
        decline: declineFor(error),
        providerPayment,
        details: declineDetails(error),
      };
    }
    case "canceled":
      if (intent.amount_received !== 0) return unknown("the intent was canceled after a capture");
      // Without a charge nobody paid; with one its hold was given back.
      return without(intent.latest_charge ? "authorization_expired" : "payer_absent", intent.status);
    default:
      return unknown(`the intent is ${intent.status}`);
  }
}

/**
 * A capture, told by the mark that it left on the intent; a final one, beside which there is no other, by what was received
 * in all. Null: it has not happened, so far.
 */
export function captureOf(operation: Operation, payment: Payment, intent: Intent): ProviderAnswer | null {
  const received = minorOf(intent.amount_received, payment);
  const done = (amount: bigint): ProviderAnswer => ({
    kind: "done",
    providerPayment: intent.id,
    captured: true,
    amount,
    expiresAt: null,
  });
  if (isMarked(operation, intent)) {
    const least = payment.captured + operation.amount;
    return received < least ? unknown("less was received than was captured") : done(operation.amount);
  }
  return operation.final && received > payment.captured ? done(received - payment.captured) : null;
}

/** An increment, by its mark; Stripe says only the new total. Null: it has not happened, so far. */
export function incrementOf(operation: Operation, payment: Payment, intent: Intent): ProviderAnswer | null {
  if (!isMarked(operation, intent)) return null;
  if (minorOf(intent.amount, payment) < payment.authorized + operation.amount)
    return unknown("the intent's amount is less than what was authorized");
  return {
    kind: "done",
    providerPayment: intent.id,
    captured: false,
    amount: operation.amount,
    expiresAt: null,
    details: detailsOf(chargedCard(intent)),
  };
}

const isMarked = ({ reference }: Operation, { metadata }: Intent): boolean =>
  metadata?.[markOf(reference)] === reference;

/** A void, or an expiry: whoever gave the rest back, nothing is held any more. Null: it is still held. */
export function release(operation: Operation, payment: Payment, intent: Intent): ProviderAnswer | null {
  const isReleased =
    intent.status === "canceled" ||
    // Of what was captured in part, Stripe makes a success once the hold has ended.
    (intent.status === "succeeded" && payment.captured > 0n && intent.amount_capturable === 0);
  if (isReleased && minorOf(intent.amount_received, payment) === payment.captured) {
    return {
      kind: "done",
      providerPayment: intent.id,
      captured: false,
      amount: operation.amount,
      expiresAt: null,
    };
  }
  return intent.status === "requires_capture" ? null : unknown(`the intent is ${intent.status}`);
}

export function refundAnswer(refund: Refund, payment: Payment): ProviderAnswer {
  const providerPayment = payment.providerPayment ?? refund.id;
  switch (refund.status) {
    case "succeeded":
      return {
        kind: "done",
        providerPayment,
        providerOperation: refund.id,
        captured: false,
        amount: minorOf(refund.amount, payment),
        expiresAt: null,
      };
    case "pending":
    case "requires_action":
      return { kind: "accepted", providerPayment, providerOperation: refund.id };
    case "failed":
    case "canceled":
      return { kind: "failed", decline: refundFailure(refund.failure_reason, refund.status) };
    default:
      return unknown(`the refund is ${refund.status ?? "without a status"}`);
  }
}
