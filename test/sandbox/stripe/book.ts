/**
 * Movements of money in Stripe's terms. The kit's `payment` is the payment intent's id.
 */

import type { BookView, Movement, MovementKind } from "../kit/book.ts";
import type { ChargeRecord, RefundRecord } from "./records.ts";
import type { Work } from "./store.ts";

export type StripeMovement = Movement & { readonly paymentIntent: string; readonly charge: string };

/** `paymentIntents` is `payments` under Stripe's name. */
export type StripeBookView = BookView<StripeMovement> & {
  readonly paymentIntents: BookView["payments"];
};

/** Writes a movement of a charge's money into the book. */
export function move(
  work: Work,
  kind: MovementKind,
  charge: ChargeRecord,
  amount: number,
  refund: RefundRecord | null = null,
): void {
  work.move({
    kind,
    payment: charge.paymentIntent,
    paymentIntent: charge.paymentIntent,
    charge: charge.id,
    refund: refund?.id ?? null,
    amount,
    currency: charge.currency,
    metadata: work.get("paymentIntents", charge.paymentIntent).metadata,
    refundMetadata: refund?.metadata ?? null,
    last4: work.get("paymentMethods", charge.paymentMethod).last4,
  });
}
