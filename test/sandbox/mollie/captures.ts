/**
 * Captures of an authorized payment: created as pending, they succeed or fail a little later.
 */

import { announceClassic } from "./announcing.ts";
import { noSuchToken, unprocessable } from "./errors.ts";
import { newId } from "./ids.ts";
import { pageOf, readPage } from "./listing.ts";
import { renderCapture, type WireObject } from "./objects.ts";
import * as params from "./params.ts";
import { captured, fail } from "./paying.ts";
import { paymentOf } from "./payments.ts";
import type { CaptureRecord, PaymentRecord } from "./records.ts";
import type { Execution, MollieRequest, Work } from "./world.ts";

export function createCapture(request: MollieRequest): Execution {
  const { body } = request;
  params.refuseOthers(body, ["amount", "description", "metadata"]);
  const wanted = body["amount"] === undefined ? null : params.amount(body);
  const terms = { description: params.optionalDescription(body), metadata: params.metadata(body) };
  return (work, { declineCode }) => {
    const payment = paymentOf(work, request);
    const amount = capturable(work, payment, wanted);
    const capture: CaptureRecord = {
      ...terms,
      id: newId("cpt"),
      created: work.nowMs,
      payment: payment.id,
      amount,
      currency: payment.currency,
      status: "pending",
      fails: declineCode !== undefined || payment.card?.behaviour.captureFails === true,
      decision: {
        atMs: work.nowMs + work.settings.captureDelayMs,
        idempotencyKey: work.idempotencyKey,
      },
    };
    return { status: 201, body: renderCapture(work.put("captures", capture), work) };
  };
}

/** What the capture may take, or a refusal. */
function capturable(
  work: Work,
  payment: PaymentRecord,
  wanted: { readonly minor: number; readonly currency: string } | null,
): number {
  if (payment.status !== "authorized" || payment.releaseAt !== null) {
    unprocessable("The payment is not in the authorized state");
  }
  let left = payment.amount - payment.amountCaptured;
  for (const id of work.store.tables.captures.ids(payment.id)) {
    const { status, amount } = work.get("captures", id);
    if (status !== "pending") continue;
    if (!work.settings.multicapture) unprocessable("The payment is being captured already");
    left -= amount;
  }
  if (wanted === null) return left;
  if (wanted.currency !== payment.currency) {
    unprocessable("The amount contains an invalid currency", "amount.currency");
  }
  if (wanted.minor > left) unprocessable("The amount is higher than the amount that is left", "amount");
  return wanted.minor;
}

/** The acquirer's answer to a capture has come. */
export function decideCapture(work: Work, id: string): void {
  const capture = work.get("captures", id);
  const payment = work.get("payments", capture.payment);
  if (capture.fails || payment.status !== "authorized") {
    work.put("captures", { ...capture, status: "failed", decision: null });
    // An authorization that the issuer no longer honours ends the payment (docs.mollie.com, place a hold).
    if (payment.status === "authorized") fail(work, payment, "refused_by_issuer");
    else announceClassic(work, payment, "capture.failed");
    return;
  }
  work.put("captures", { ...capture, status: "succeeded", decision: null });
  const after = captured(work, payment, capture.amount);
  if (after.status === "authorized") announceClassic(work, after, "capture.succeeded");
}

export function getCapture(request: MollieRequest): Execution {
  const [, id = ""] = request.ids;
  return (work) => {
    const payment = paymentOf(work, request);
    const capture = work.find("captures", id);
    if (capture?.payment !== payment.id) noSuchToken(id);
    return { status: 200, body: renderCapture(capture as CaptureRecord, work) };
  };
}

export function listCaptures(request: MollieRequest): Execution {
  readPage(request.query);
  return (work) => {
    const { id } = paymentOf(work, request);
    const render = (capture: string): WireObject => renderCapture(work.get("captures", capture), work);
    const ids = work.store.tables.captures.ids(id);
    return { status: 200, body: pageOf(work, request, "captures", ids, render) };
  };
}
