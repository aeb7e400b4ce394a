/** The smallest provider: it authorizes, captures and tells of it. The kit is tested on it. */

import { createHmac } from "node:crypto";
import type { Movement } from "./book.ts";
import { cardFingerprint } from "./cards.ts";
import type { Dialect, Execution, Incoming } from "./dialect.ts";
import { authorizationKey, sameText } from "./http.ts";
import { canonicalJson } from "./idempotency.ts";
import { randomText } from "./ids.ts";
import { Router } from "./router.ts";
import { count, sharedSettings, type ValuesOf } from "./settings.ts";
import { Table } from "./table.ts";
import { type ApiRequest, type Decision, Refusal, type Reply, type WebhookEvent } from "./world.ts";

const settings = { ...sharedSettings, holdMs: count(7 * 86_400_000) };
const operations = ["authorize", "capture", "lookup", "other"] as const;
type Body = { amount: number; currency: string; card: string; order: string };
type Request = ApiRequest & {
  operation: (typeof operations)[number];
  id: string;
  body: Partial<Body>;
  prepare: (request: Request) => Execution<ExampleWorld>;
};
type Payment = {
  id: string;
  created: number;
  state: string;
  amount: number;
  currency: string;
  card: string;
  last4: string;
  order: string;
  decision: Decision | null;
};
export type ExampleWorld = {
  kinds: { payments: Payment };
  settings: ValuesOf<typeof settings>;
  movement: Movement;
  request: Request;
  event: WebhookEvent & { state: string };
  indexes: object;
};

const refusal = (status: number, error: string): Reply => ({ status, body: { error } });
const shown = ({ id, state, amount, order }: Payment): Reply => ({
  status: 200,
  body: { id, state, amount, order },
});
const known = (payment: Payment | undefined): Payment => {
  if (payment === undefined) throw new Refusal(refusal(404, "no such payment"));
  return payment;
};

const authorize = ({ body }: Request): Execution<ExampleWorld> => {
  const { amount, currency, card, order = "" } = body;
  if (!amount || !currency || !card) throw new Refusal(refusal(422, "amount, currency and card"));
  return (work, bending) => {
    if (bending.declineCode) throw new Refusal(refusal(402, bending.declineCode));
    const id = `pay_${randomText(16)}`;
    const decision = { atMs: work.nowMs + work.settings.holdMs, idempotencyKey: work.idempotencyKey };
    const payment = {
      id,
      created: work.nowSeconds,
      state: "held",
      amount,
      currency,
      card: cardFingerprint(card),
      last4: card.slice(-4),
      order,
      decision,
    };
    work.put("payments", payment);
    work.move({
      kind: "authorized",
      payment: id,
      refund: null,
      amount,
      currency,
      metadata: { order },
      refundMetadata: null,
      last4: payment.last4,
    });
    work.announce({
      id: `evt_${randomText(16)}`,
      identity: `held ${order}`,
      type: "held",
      payment: id,
      state: "held",
    });
    return shown(payment);
  };
};

const close =
  (kind: "captured" | "released"): ((request: { id: string }) => Execution<ExampleWorld>) =>
  ({ id }) =>
  (work) => {
    const payment = known(work.find("payments", id));
    if (payment.state !== "held") throw new Refusal(refusal(409, `already ${payment.state}`));
    const { amount, currency, order, last4 } = payment;
    work.move({
      kind,
      payment: id,
      refund: null,
      amount,
      currency,
      metadata: { order },
      refundMetadata: null,
      last4,
    });
    work.announce({
      id: `evt_${randomText(16)}`,
      identity: `${kind} ${order}`,
      type: kind,
      payment: id,
      state: kind,
    });
    return shown(work.put("payments", { ...payment, state: kind, decision: null }));
  };

const lookup =
  ({ id }: Request): Execution<ExampleWorld> =>
  (work) =>
    shown(known(work.find("payments", id)));

const routes = new Router([
  ["POST", "/payments", { operation: "authorize", prepare: authorize }],
  ["POST", "/payments/:id/capture", { operation: "capture", prepare: close("captured") }],
  ["GET", "/payments/:id", { operation: "lookup", prepare: lookup }],
] as const);

function read({ message, method, path, body }: Incoming, apiKey: string): Request {
  if (!sameText(authorizationKey(message) ?? "", apiKey)) throw new Refusal(refusal(401, "key"));
  const found = routes.find(method, path);
  if (found === undefined) throw new Refusal(refusal(404, "path"));
  const idempotencyKey = method === "POST" ? String(message.headers["idempotency-key"] ?? "") || null : null;
  const sent = body === "" ? {} : (JSON.parse(body) as Partial<Body>);
  return { method, path, ...found.value, id: found.ids[0] ?? "", idempotencyKey, body: sent };
}

export const example: Dialect<ExampleWorld> = {
  name: "example",
  settings,
  operations,
  quirks: [],
  memory: () => ({ tables: { payments: new Table<Payment>() }, indexes: {} }),
  operationOf: (method, path) => routes.find(method, path)?.value.operation ?? "other",
  read,
  prepare: (request) => request.prepare(request),
  parameters: (request) => canonicalJson(request.body),
  subject: (store, { id, body }) => {
    const payment = store.tables.payments.get(id);
    const order = body.order ?? payment?.order;
    return {
      metadata: order === undefined ? [] : [{ order }],
      cardFingerprint: body.card === undefined ? (payment?.card ?? null) : cardFingerprint(body.card),
      amount: body.amount ?? payment?.amount ?? null,
    };
  },
  refusals: {
    bodyTooLarge: () => refusal(413, "body"),
    keyInUse: () => refusal(409, "key in use"),
    keyMismatch: () => refusal(422, "key of another request"),
    rateLimited: () => ({ ...refusal(429, "slow down"), headers: { "retry-after": "1" } }),
    failed: (status) => refusal(status, "ordered"),
  },
  decisions: {
    payments: {
      next: (payment) => payment.decision,
      decide: (work, id) => void close("released")({ id })(work, {}),
    },
  },
  webhooks: {
    request: ({ id, type, payment, state }, { settings: { webhooks } }) => {
      const body = JSON.stringify({ id, type, payment, state });
      const signature = createHmac("sha256", webhooks.secret).update(body).digest("hex");
      return { body, headers: { "content-type": "application/json", "x-signature": signature } };
    },
  },
};
