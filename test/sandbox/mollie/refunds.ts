/**
 * Refunds: queued or pending first, when they can still be called off; then processing; then refunded, or failed
 * because the payer's bank sent the money back (docs.mollie.com/docs/refunds).
 */

import { announceClassic } from "./announcing.ts";
import { noSuchToken, refuse, unprocessable } from "./errors.ts";
import { newId } from "./ids.ts";
import { pageOf, readPage } from "./listing.ts";
import { renderRefund, type WireObject } from "./objects.ts";
import * as params from "./params.ts";
import { move } from "./paying.ts";
import { paymentOf } from "./payments.ts";
import type { PaymentRecord, RefundRecord } from "./records.ts";
import type { Execution, MollieRequest, Work } from "./world.ts";

export function createRefund(request: MollieRequest): Execution {
  const { body } = request;
  params.refuseOthers(body, ["amount", "description", "metadata"]);
  const { minor, currency } = params.amount(body);
  const metadata = params.metadata(body);
  return (work) => {
    const payment = paymentOf(work, request);
    checkRefundable(work, payment, minor, currency);
    const queued = work.settings.queueRefunds;
    const refund = work.put("refunds", {
      id: newId("re"),
      created: work.nowMs,
      payment: payment.id,
      amount: minor,
      currency,
      description: params.optionalDescription(body) ?? payment.description,
      metadata,
      status: queued ? "queued" : "pending",
      decision: queued ? null : nextStep(work, work.idempotencyKey),
    });
    work.put("payments", { ...payment, amountRefunded: payment.amountRefunded + minor });
    return { status: 201, body: renderRefund(refund, work) };
  };
}

function checkRefundable(work: Work, payment: PaymentRecord, minor: number, currency: string): void {
  if (payment.status !== "paid") unprocessable("The payment is not paid, so it cannot be refunded");
  if (currency !== payment.currency) {
    unprocessable("The amount contains an invalid currency", "amount.currency");
  }
  if (minor > payment.amountCaptured - payment.amountRefunded) {
    unprocessable("The amount is higher than the amount that remains", "amount");
  }
  const recent = work.nowMs - work.settings.duplicateRefundWindowMs;
  const twin = work.store.tables.refunds
    .ids(payment.id)
    .map((id) => work.get("refunds", id))
    .some(({ amount, created, status }) => amount === minor && created > recent && status !== "canceled");
  if (twin) refuse(409, "A duplicate refund has been detected");
}

const nextStep = (work: Work, idempotencyKey: string | null) => ({
  atMs: work.nowMs + work.settings.refundDelayMs,
  idempotencyKey,
});

/** The next step of a refund. Money leaves with `processing`. */
export function decideRefund(work: Work, id: string): void {
  const refund = work.get("refunds", id);
  const payment = work.get("payments", refund.payment);
  if (refund.status === "pending") {
    move(work, payment, "refunded", refund.amount, refund);
    work.put("refunds", {
      ...refund,
      status: "processing",
      decision: nextStep(work, work.idempotencyKey),
    });
    return announceClassic(work, payment, "refund.processing");
  }
  if (refund.status !== "processing") return;
  const fails = payment.card?.behaviour.refundFails === true;
  if (fails) {
    move(work, payment, "refund_failed", refund.amount, refund);
    work.put("payments", { ...payment, amountRefunded: payment.amountRefunded - refund.amount });
  }
  work.put("refunds", { ...refund, status: fails ? "failed" : "refunded", decision: null });
  announceClassic(work, payment, `refund.${fails ? "failed" : "refunded"}`);
}

function refundOf(work: Work, request: MollieRequest): RefundRecord {
  const { id } = paymentOf(work, request);
  const refund = work.find("refunds", request.ids[1] ?? "");
  return refund?.payment === id ? refund : noSuchToken(request.ids[1] ?? "");
}

/** A canceled refund is no longer found (description of GET /v2/payments/{paymentId}/refunds/{refundId}). */
export function getRefund(request: MollieRequest): Execution {
  return (work) => {
    const refund = refundOf(work, request);
    if (refund.status === "canceled") noSuchToken(refund.id);
    return { status: 200, body: renderRefund(refund, work) };
  };
}

export function listRefunds(request: MollieRequest): Execution {
  readPage(request.query);
  return (work) => {
    const { id } = paymentOf(work, request);
    const render = (refund: string): WireObject => renderRefund(work.get("refunds", refund), work);
    const ids = work.store.tables.refunds.ids(id);
    return { status: 200, body: pageOf(work, request, "refunds", ids, render) };
  };
}

export function cancelRefund(request: MollieRequest): Execution {
  return (work) => {
    const refund = refundOf(work, request);
    if (refund.status !== "queued" && refund.status !== "pending") {
      unprocessable("The refund can no longer be canceled");
    }
    const payment = work.get("payments", refund.payment);
    work.put("refunds", { ...refund, status: "canceled", decision: null });
    work.put("payments", { ...payment, amountRefunded: payment.amountRefunded - refund.amount });
    return { status: 204, body: "" };
  };
}
