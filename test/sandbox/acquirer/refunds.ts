/** 0200 with processing code 20: sending back what was taken, which may take its time, or come back. */

import { randomText } from "../kit/ids.ts";
import type { AcquirerEvent, Work } from "./acquirer-world.ts";
import { newRetrievalReference } from "./issuer.ts";
import { amountOf, type FollowUpMessage, minorOf } from "./message.ts";
import { move, type Outcome, refused } from "./outcome.ts";
import type { RefundRecord } from "./records.ts";

export function refund(work: Work, message: FollowUpMessage, processingMs: number | undefined): Outcome {
  const paid = work.find("transactions", message.original.retrievalReference);
  if (paid === undefined) return refused("25");
  if (paid.state === "reversed") return refused("79");
  if (paid.currency !== message.currency) return refused("12");
  const amount = minorOf(message.amount);
  if (amount === 0 || amount > paid.captured - paid.refunded) return refused("13");
  const way = processingMs === undefined ? paid.refunds : "in_progress";
  const after = work.put("transactions", { ...paid, refunded: paid.refunded + amount });
  const atMs = work.nowMs + (processingMs ?? work.settings.refundDelayMs);
  const made = work.put("refunds", {
    id: newRetrievalReference(),
    created: work.nowSeconds,
    reference: message.reference,
    transaction: paid.id,
    amount,
    state: way === "in_progress" ? "in_progress" : "approved",
    decision: way === "approved" ? null : { atMs, idempotencyKey: work.idempotencyKey },
  });
  if (way !== "in_progress") move(work, "refunded", after, amount, message.reference, made.id);
  return {
    responseCode: way === "in_progress" ? "09" : "00",
    transaction: made.id,
    fields: { amount: message.amount, currency: message.currency, retrievalReference: made.id },
  };
}

/** What happens to a refund by itself: one in progress is sent, one that was sent comes back. */
export function decideRefund(work: Work, id: string): void {
  const before = work.get("refunds", id);
  const paid = work.get("transactions", before.transaction);
  if (before.state === "in_progress") {
    const after = work.put("refunds", { ...before, state: "approved", decision: null });
    move(work, "refunded", paid, before.amount, before.reference, id);
    announce(work, "refund.completed", after, paid.currency, "00");
  } else {
    const after = work.put("refunds", { ...before, state: "returned", decision: null });
    work.put("transactions", { ...paid, refunded: paid.refunded - before.amount });
    move(work, "refund_failed", paid, before.amount, before.reference, id);
    announce(work, "refund.returned", after, paid.currency, "46");
  }
}

function announce(
  work: Work,
  type: AcquirerEvent["type"],
  { id, reference, transaction, amount }: RefundRecord,
  currency: string,
  responseCode: string,
): void {
  work.announce({
    id: `evt_${randomText(16)}`,
    identity: `${type} ${reference}`,
    type,
    payment: transaction,
    created: work.nowSeconds,
    reference,
    retrievalReference: id,
    amount: amountOf(amount),
    currency,
    responseCode,
  });
}
