/**
 * Mollie for the kit: routes, reading of requests, refusals in Mollie's words, what happens by itself.
 */

import type { Dialect, Incoming } from "../kit/dialect.ts";
import { authorizationKey, header, sameText } from "../kit/http.ts";
import { canonicalJson } from "../kit/idempotency.ts";
import { Router } from "../kit/router.ts";
import { Table } from "../kit/table.ts";
import type { Decision } from "../kit/world.ts";
import { readAmount } from "./amounts.ts";
import { webhookFormat } from "./announcing.ts";
import { createCapture, decideCapture, getCapture, listCaptures } from "./captures.ts";
import { checkoutControls } from "./checkout.ts";
import { createPayment } from "./creating.ts";
import { createCustomer, getCustomer, getMandate, listMandates, revokeMandate } from "./customers.ts";
import { errorReply, refuse } from "./errors.ts";
import { textPairs } from "./metadata.ts";
import { decide, expire, release } from "./paying.ts";
import { cancelPayment, getPayment, listPayments, releaseAuthorization } from "./payments.ts";
import type { PaymentRecord } from "./records.ts";
import { cancelRefund, createRefund, decideRefund, getRefund, listRefunds } from "./refunds.ts";
import {
  type MollieOperation,
  type MollieRequest,
  type MollieWorld,
  OPERATIONS,
  type Prepare,
  QUIRKS,
  type Store,
  settings,
  type Work,
} from "./world.ts";

type Endpoint = { readonly operation: MollieOperation; readonly prepare: Prepare };
const at = (operation: MollieOperation, prepare: Prepare): Endpoint => ({ operation, prepare });

const routes = new Router<Endpoint>([
  ["POST", "/v2/payments", at("create", createPayment)],
  ["GET", "/v2/payments", at("list", listPayments)],
  ["GET", "/v2/payments/:id", at("lookup", getPayment)],
  ["DELETE", "/v2/payments/:id", at("cancel", cancelPayment)],
  ["POST", "/v2/payments/:id/release-authorization", at("release", releaseAuthorization)],
  ["POST", "/v2/payments/:id/captures", at("capture", createCapture)],
  ["GET", "/v2/payments/:id/captures", at("lookup", listCaptures)],
  ["GET", "/v2/payments/:id/captures/:id", at("lookup", getCapture)],
  ["POST", "/v2/payments/:id/refunds", at("refund", createRefund)],
  ["GET", "/v2/payments/:id/refunds", at("lookup", listRefunds)],
  ["GET", "/v2/payments/:id/refunds/:id", at("lookup", getRefund)],
  ["DELETE", "/v2/payments/:id/refunds/:id", at("cancel_refund", cancelRefund)],
  ["POST", "/v2/customers", at("customer", createCustomer)],
  ["GET", "/v2/customers/:id", at("lookup", getCustomer)],
  ["POST", "/v2/customers/:id/payments", at("create", createPayment)],
  ["GET", "/v2/customers/:id/payments", at("list", listPayments)],
  ["GET", "/v2/customers/:id/mandates", at("lookup", listMandates)],
  ["GET", "/v2/customers/:id/mandates/:id", at("lookup", getMandate)],
  ["DELETE", "/v2/customers/:id/mandates/:id", at("mandate", revokeMandate)],
]);

/** Idempotency keys count for POST only; Mollie ignores them elsewhere. */
function read({ message, method, path, query, body }: Incoming, apiKey: string): MollieRequest {
  if (!sameText(authorizationKey(message) ?? "", apiKey)) {
    refuse(401, "Missing authentication, or failed to authenticate");
  }
  const found = routes.find(method, path);
  if (found === undefined) return refuse(404, "No matching endpoint");
  const key = method === "POST" ? (header(message, "idempotency-key") ?? "") : "";
  return {
    method,
    path,
    ...found.value,
    ids: found.ids,
    query: new URLSearchParams(query),
    body: readBody(body),
    idempotencyKey: key === "" ? null : key,
  };
}

function readBody(text: string): Readonly<Record<string, unknown>> {
  if (text === "") return {};
  try {
    const sent: unknown = JSON.parse(text);
    if (typeof sent === "object" && sent !== null && !Array.isArray(sent))
      return sent as Record<string, unknown>;
  } catch {
    // Said below, in one place with what is JSON and no object.
  }
  return refuse(400, "The body is not a JSON object");
}

/** What a payment does by itself next: an open one expires, a pending one is decided, a hold is let go. */
function nextOf(payment: PaymentRecord): Decision | null {
  const { idempotencyKey } = payment;
  const atMs =
    payment.status === "open"
      ? payment.expiresAt
      : payment.status === "pending"
        ? payment.decidedAt
        : payment.status === "authorized"
          ? (payment.releaseAt ?? payment.captureBefore)
          : null;
  return atMs === null ? null : { atMs, idempotencyKey };
}

function decidePayment(work: Work, id: string): void {
  const payment = work.get("payments", id);
  if (payment.status === "pending") decide(work, payment);
  else if (payment.releaseAt !== null) release(work, payment);
  else expire(work, payment);
}

/** What fault rules can know of a request: its own metadata and amount, and those of its payment. */
function subject(store: Store, { ids, path, body }: MollieRequest) {
  const payment = path.startsWith("/v2/payments/") ? store.tables.payments.get(ids[0] ?? "") : undefined;
  const amount = readAmount(body["amount"]);
  return {
    metadata: [textPairs(body["metadata"]), textPairs(payment?.metadata)],
    cardFingerprint: payment?.card?.fingerprint ?? null,
    amount: amount.ok ? amount.minor : (payment?.amount ?? null),
  };
}

function memory() {
  const byCheckoutToken = new Map<string, string>();
  const tables = {
    payments: new Table<PaymentRecord>(({ customer }) => (customer === null ? [] : [customer])),
    captures: new Table<MollieWorld["kinds"]["captures"]>(({ payment }) => [payment]),
    refunds: new Table<MollieWorld["kinds"]["refunds"]>(({ payment }) => [payment]),
    customers: new Table<MollieWorld["kinds"]["customers"]>(),
    mandates: new Table<MollieWorld["kinds"]["mandates"]>(({ customer }) => [customer]),
  };
  const index = ({ id, checkoutToken }: PaymentRecord): void => {
    if (checkoutToken !== null) byCheckoutToken.set(checkoutToken, id);
  };
  return {
    tables,
    indexes: { byCheckoutToken },
    opened: () => {
      for (const payment of tables.payments.values()) index(payment);
    },
    applied: (put: { payments?: PaymentRecord[] }) => put.payments?.forEach(index),
    emptied: () => byCheckoutToken.clear(),
  };
}

export const mollie: Dialect<MollieWorld> = {
  name: "mollie",
  settings,
  operations: OPERATIONS,
  quirks: QUIRKS,
  memory,
  operationOf: (method, path) => routes.find(method, path)?.value.operation ?? "other",
  read,
  prepare: (request) => request.prepare(request),
  parameters: ({ body }) => canonicalJson(body),
  subject,
  refusals: {
    bodyTooLarge: (limit) => errorReply(413, `The body is larger than ${limit} bytes`),
    keyInUse: () => errorReply(409, "A request with this idempotency key is still being processed"),
    keyMismatch: () => errorReply(400, "This idempotency key was used with another request"),
    rateLimited: () => errorReply(429, "You have exceeded the rate limit. Please slow down your requests."),
    failed: (status) => errorReply(status, `The provider answers ${status}`),
  },
  headers: ({ originalRequestId, requestId }) => ({
    "content-type": "application/hal+json",
    "x-request-id": requestId,
    ...(originalRequestId === null ? {} : { "idempotent-replayed": "true" }),
  }),
  decisions: {
    payments: { next: nextOf, decide: decidePayment },
    captures: { next: ({ decision }) => decision, decide: decideCapture },
    refunds: { next: ({ decision }) => decision, decide: decideRefund },
  },
  webhooks: webhookFormat,
  control: checkoutControls,
};
