/**
 * Adyen's Checkout API v72 and its standard webhooks, put together for the kit.
 */

import { cardFingerprint } from "../kit/cards.ts";
import type { Dialect, Incoming } from "../kit/dialect.ts";
import { authorizationKey, header, sameText } from "../kit/http.ts";
import { canonicalJson } from "../kit/idempotency.ts";
import { Router } from "../kit/router.ts";
import { Table } from "../kit/table.ts";
import { Refusal } from "../kit/world.ts";
import { bankRoutes } from "./bank-page.ts";
import { newPspReference, serviceError, transient, unauthorised, unreadable } from "./errors.ts";
import { prepareModification } from "./modifications.ts";
import { webhookFormat } from "./notifications.ts";
import { decisions } from "./outcomes.ts";
import { prepareDetails, preparePayment } from "./payments.ts";
import {
  type AdyenRequest,
  type AdyenWorld,
  type Execution,
  OPERATIONS,
  type OperationName,
  QUIRKS,
  settings,
} from "./world.ts";

type Route = { readonly operation: OperationName; readonly prepare: (request: AdyenRequest) => Execution };

const ON_PAYMENT = "/v72/payments/:id";
const MAX_KEY_LENGTH = 64;

const routes = new Router<Route>([
  ["POST", "/v72/payments", { operation: "authorise", prepare: preparePayment }],
  ["POST", "/v72/payments/details", { operation: "details", prepare: prepareDetails }],
  [
    "POST",
    "/v72/cancels",
    { operation: "technical_cancel", prepare: prepareModification("technicalCancel") },
  ],
  ["POST", `${ON_PAYMENT}/captures`, { operation: "capture", prepare: prepareModification("capture") }],
  ["POST", `${ON_PAYMENT}/amountUpdates`, { operation: "adjust", prepare: prepareModification("adjust") }],
  ["POST", `${ON_PAYMENT}/cancels`, { operation: "cancel", prepare: prepareModification("cancel") }],
  ["POST", `${ON_PAYMENT}/refunds`, { operation: "refund", prepare: prepareModification("refund") }],
  ["POST", `${ON_PAYMENT}/reversals`, { operation: "reverse", prepare: prepareModification("reversal") }],
]);

function read({ message, method, path, body }: Incoming, apiKey: string): AdyenRequest {
  const given = header(message, "x-api-key") ?? authorizationKey(message) ?? "";
  if (!sameText(given, apiKey)) throw unauthorised();
  const found = routes.find(method, path);
  if (found === undefined) throw new Refusal(serviceError(404, "000", "Not Found", "internal"));
  if (!(header(message, "content-type") ?? "").startsWith("application/json")) {
    throw new Refusal(serviceError(415, "000", "Unsupported Media Type", "validation"));
  }
  const key = header(message, "idempotency-key") ?? null;
  if (key !== null && key.length > MAX_KEY_LENGTH)
    throw unreadable(`Idempotency-Key is longer than ${MAX_KEY_LENGTH}.`);
  return {
    method,
    path,
    operation: found.value.operation,
    prepare: found.value.prepare,
    payment: found.ids[0] ?? "",
    idempotencyKey: key,
    body: parse(body),
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw unreadable("Unexpected input: the body is not JSON.");
  }
}

/** What a request says of itself, as far as it can be read. */
type Glance = {
  readonly amount?: { readonly value?: number };
  readonly paymentMethod?: { readonly number?: string };
  readonly metadata?: Readonly<Record<string, string>>;
  readonly reference?: string;
};

export const adyen: Dialect<AdyenWorld> = {
  name: "adyen",
  settings,
  operations: OPERATIONS,
  quirks: QUIRKS,
  memory: () => ({
    tables: { payments: new Table(), modifications: new Table() },
    indexes: {},
  }),
  operationOf: (method, path) => routes.find(method, path)?.value.operation ?? "other",
  read,
  prepare: (request) => request.prepare(request),
  parameters: ({ body }) => canonicalJson(body),
  subject: (store, { payment: id, body }) => {
    const { amount, paymentMethod, metadata, reference } = (body ?? {}) as Glance;
    const payment = store.tables.payments.get(id);
    const number = paymentMethod?.number;
    return {
      metadata: [{ ...payment?.metadata, ...metadata, reference: payment?.reference ?? reference ?? "" }],
      cardFingerprint: number === undefined ? (payment?.card.fingerprint ?? null) : cardFingerprint(number),
      amount: amount?.value ?? payment?.amount ?? null,
    };
  },
  refusals: {
    bodyTooLarge: (limit) => serviceError(413, "000", `The body is larger than ${limit} bytes.`),
    keyInUse: () => transient(serviceError(422, "704", "request already processed or in progress")),
    keyMismatch: () => serviceError(422, "704", "request already processed or in progress"),
    rateLimited: () => ({
      ...serviceError(429, "000", "Too Many Requests", "internal"),
      headers: { "retry-after": "1" },
    }),
    failed: (status) => serviceError(status, "000", "An error ordered by the test", "internal"),
  },
  headers: (answer, request) => ({
    pspreference: answer.requestId,
    // How Adyen says that it knows the key.
    ...(request?.idempotencyKey ? { "idempotency-key": request.idempotencyKey } : {}),
  }),
  newRequestId: newPspReference,
  garbage: '{"pspReference":"<html><title>502',
  decisions,
  webhooks: webhookFormat,
  control: bankRoutes,
};
