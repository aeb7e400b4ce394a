/**
 * POST /v2/payments, and its alias under a customer.
 */

import { randomText } from "../kit/ids.ts";
import type { Bending } from "../kit/world.ts";
import { unprocessable } from "./errors.ts";
import { isFailureReason } from "./failure-reasons.ts";
import { newId } from "./ids.ts";
import { renderPayment } from "./objects.ts";
import * as params from "./params.ts";
import { submit } from "./paying.ts";
import type { MandateRecord, PaymentRecord } from "./records.ts";
import type { Execution, MollieRequest, Work } from "./world.ts";

const PLAYED = [
  "amount",
  "description",
  "redirectUrl",
  "cancelUrl",
  "webhookUrl",
  "method",
  "captureMode",
  "metadata",
  "locale",
  "sequenceType",
  "customerId",
  "mandateId",
];

export function createPayment(request: MollieRequest): Execution {
  const { body, ids } = request;
  params.refuseOthers(body, PLAYED);
  const { minor, currency } = params.amount(body);
  const sequenceType = params.choice(body, "sequenceType", ["oneoff", "first", "recurring"], "oneoff");
  const redirectUrl = params.address(body, "redirectUrl");
  if (redirectUrl === null && sequenceType !== "recurring") {
    unprocessable("The 'redirectUrl' field is missing", "redirectUrl");
  }
  const customer = ids[0] ?? params.optionalText(body, "customerId");
  if (customer === null && sequenceType !== "oneoff") {
    unprocessable("The 'customerId' field is missing", "customerId");
  }
  const terms = {
    amount: minor,
    currency,
    description: params.description(body),
    redirectUrl,
    cancelUrl: params.address(body, "cancelUrl"),
    webhookUrl: params.address(body, "webhookUrl"),
    metadata: params.metadata(body),
    method: readMethod(body),
    captureMode: params.choice(body, "captureMode", ["automatic", "manual"], "automatic"),
    sequenceType,
    customer,
    mandate: params.optionalText(body, "mandateId"),
    locale: params.optionalText(body, "locale"),
  } satisfies Partial<PaymentRecord>;
  return (work, bending) => {
    if (customer !== null && work.find("customers", customer) === undefined) {
      unprocessable("The customer ID is invalid", "customerId");
    }
    const created = newPayment(work, terms, bending);
    const put = sequenceType === "recurring" ? chargeStored(work, created) : work.put("payments", created);
    return { status: 201, body: renderPayment(put, work) };
  };
}

/** Cards are all that is played; a list of methods may name others, which the page does not show. */
function readMethod(body: params.Body): "creditcard" | null {
  const sent = body["method"];
  if (sent === undefined || sent === null) return null;
  const methods: unknown[] = Array.isArray(sent) ? sent : [sent];
  if (methods.includes("creditcard")) return methods.length === 1 ? "creditcard" : null;
  return unprocessable("The payment method is not activated on your website profile", "method");
}

type Terms = Pick<
  PaymentRecord,
  | "amount"
  | "currency"
  | "description"
  | "redirectUrl"
  | "cancelUrl"
  | "webhookUrl"
  | "metadata"
  | "method"
  | "captureMode"
  | "sequenceType"
  | "customer"
  | "mandate"
  | "locale"
>;

function newPayment(work: Work, terms: Terms, bending: Bending): PaymentRecord {
  const { declineCode, processingMs } = bending;
  if (declineCode !== undefined && !isFailureReason(declineCode)) {
    throw new TypeError(`not one of Mollie's failure reasons: ${declineCode}`);
  }
  const present = terms.sequenceType !== "recurring";
  return {
    ...terms,
    id: newId("tr"),
    created: work.nowMs,
    status: "open",
    checkoutToken: present ? randomText(24) : null,
    card: null,
    challenged: false,
    eci: null,
    failureReason: null,
    authorizedAt: null,
    paidAt: null,
    canceledAt: null,
    expiredAt: null,
    failedAt: null,
    expiresAt: present ? work.nowMs + work.settings.openMs : null,
    captureBefore: null,
    amountCaptured: 0,
    amountRefunded: 0,
    releaseAt: null,
    decidedAt: null,
    orderedFailure: declineCode ?? null,
    orderedPendingMs: processingMs ?? null,
    idempotencyKey: work.idempotencyKey,
  };
}

/** A payment without the payer: the stored card is charged at once. */
function chargeStored(work: Work, payment: PaymentRecord): PaymentRecord {
  const mandate = mandateFor(work, payment);
  return submit(work, { ...payment, mandate: mandate.id, card: mandate.card, method: "creditcard" });
}

function mandateFor(work: Work, { customer, mandate: wanted }: PaymentRecord): MandateRecord {
  const { mandates } = work.store.tables;
  if (wanted !== null) {
    const mandate = work.find("mandates", wanted);
    if (mandate !== undefined && mandate.customer === customer && mandate.status === "valid") return mandate;
    return unprocessable("The mandate is not valid for this customer", "mandateId");
  }
  for (const id of mandates.ids(customer ?? "").toReversed()) {
    const mandate = work.get("mandates", id);
    if (mandate.status === "valid") return mandate;
  }
  return unprocessable("No suitable mandates found for customer", "customerId");
}
