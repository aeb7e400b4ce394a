/**
 * Payments: retrieve, list, cancel, release the authorization.
 */

import { noSuchToken, unprocessable } from "./errors.ts";
import { pageOf, readPage } from "./listing.ts";
import { isCancelable, renderCapture, renderPayment, renderRefund, type WireObject } from "./objects.ts";
import { cancelOpen, release } from "./paying.ts";
import type { PaymentRecord, PaymentStatus } from "./records.ts";
import type { Execution, MollieRequest, Work } from "./world.ts";

export function paymentOf(work: Work, { ids }: MollieRequest): PaymentRecord {
  const [id = ""] = ids;
  return work.find("payments", id) ?? noSuchToken(id);
}

const STATUSES: readonly PaymentStatus[] = [
  "open",
  "pending",
  "authorized",
  "paid",
  "canceled",
  "expired",
  "failed",
];

export function getPayment(request: MollieRequest): Execution {
  const embeds = (request.query.get("embed") ?? "").split(",");
  return (work, { quirk }) => {
    const payment = paymentOf(work, request);
    const ordered = quirk?.name === "contradict_status" ? quirk.parameters["status"] : undefined;
    const shown = STATUSES.find((status) => status === ordered) ?? payment.status;
    const embedded: Record<string, WireObject[]> = {};
    const { captures, refunds } = work.store.tables;
    if (embeds.includes("captures")) {
      embedded["captures"] = captures
        .ids(payment.id)
        .map((id) => renderCapture(work.get("captures", id), work));
    }
    if (embeds.includes("refunds")) {
      embedded["refunds"] = refunds.ids(payment.id).map((id) => renderRefund(work.get("refunds", id), work));
    }
    const body = renderPayment(payment, work, shown);
    return {
      status: 200,
      body: Object.keys(embedded).length === 0 ? body : { ...body, _embedded: embedded },
    };
  };
}

/** Under a customer's path only the customer's. */
export function listPayments(request: MollieRequest): Execution {
  readPage(request.query);
  return (work) => {
    const visible = work.nowMs - work.settings.listLagMs;
    const ids = work.store.tables.payments
      .ids(request.ids[0])
      .filter((id) => work.settings.listLagMs === 0 || work.get("payments", id).created <= visible);
    const render = (id: string): WireObject => renderPayment(work.get("payments", id), work);
    return { status: 200, body: pageOf(work, request, "payments", ids, render) };
  };
}

export function cancelPayment(request: MollieRequest): Execution {
  return (work) => {
    const payment = paymentOf(work, request);
    if (!isCancelable(payment, work.settings) || payment.releaseAt !== null) {
      unprocessable("The payment cannot be cancelled");
    }
    const canceled = payment.status === "open" ? cancelOpen(work, payment) : release(work, payment);
    return { status: 200, body: renderPayment(canceled, work) };
  };
}

/** Answers at once that it is accepted; the hold is let go a little later. */
export function releaseAuthorization(request: MollieRequest): Execution {
  return (work) => {
    const payment = paymentOf(work, request);
    const { captures } = work.store.tables;
    const capturing = captures.ids(payment.id).some((id) => work.get("captures", id).status === "pending");
    if (payment.status !== "authorized" || payment.releaseAt !== null || capturing) {
      unprocessable("Authorization cannot be released because the payment is not in the authorized state.");
    }
    work.put("payments", { ...payment, releaseAt: work.nowMs + work.settings.releaseDelayMs });
    return { status: 202, body: "" };
  };
}
