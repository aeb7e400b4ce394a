/**
 * What happens at Stripe by itself, later: refunds that change their status, payments that were `processing`
 * and are decided, holds that end.
 */

import type { Decisions } from "../kit/timers.ts";
import { charge } from "./charging.ts";
import { announceCharge, announceRefund } from "./events.ts";
import { endHold } from "./holds.ts";
import { fail, succeed } from "./refunds.ts";
import type { StripeWorld, Work } from "./store.ts";

export const decisions: Decisions<StripeWorld> = {
  refunds: { next: (refund) => refund.decision, decide: decideRefund },
  charges: { next: (charge) => charge.holdEnds, decide: endHold },
  paymentIntents: { next: (intent) => intent.decision, decide: decidePayment },
};

function decideRefund(work: Work, id: string): void {
  const refund = work.get("refunds", id);
  const owner = work.get("charges", refund.charge);
  const decided = { ...refund, decision: null };
  if (refund.status === "pending") {
    const succeeded = succeed(work, decided, owner);
    announceRefund(work, "refund.updated", succeeded);
    announceRefund(work, "charge.refund.updated", succeeded);
    announceCharge(work, "charge.refunded", work.get("charges", owner.id));
  } else if (refund.status === "succeeded") fail(work, decided, owner);
}

function decidePayment(work: Work, id: string): void {
  const intent = work.get("paymentIntents", id);
  if (intent.status !== "processing" || intent.paymentMethod === null) return;
  charge(work, { ...intent, decision: null }, work.get("paymentMethods", intent.paymentMethod));
}
