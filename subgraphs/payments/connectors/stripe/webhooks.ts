import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { err, ok, type Result } from "../../../kernel/result.ts";
import { shardOfReference } from "../../domain/idempotency.ts";
import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { WebhookAnswer, WebhookItem, Webhooks } from "../connector.ts";
import { authorization, captureOf, incrementOf, refundAnswer, release } from "./intents.ts";
import { type Intent, intentObject, type Refund, refundObject } from "./objects.ts";
import { REFERENCE_FIELD } from "./requests.ts";

/**
 * Stripe's events (docs.stripe.com/webhooks): one to a delivery, signed with its time.
 *
 * An event shows its object as it was then. What cannot come undone is believed: a decline, a cancellation, a capture or an
 * increment that left its mark, and how a refund ended. A success of an authorization is asked for, since only the whole
 * charge tells until when it holds and what the network said of the card; and so is all else.
 */
const TOLERANCE_SECONDS = 300;

const event = z.object({
  object: z.literal("event"),
  id: z.string().min(1).max(200),
  type: z.string(),
  created: z.int(),
  data: z.object({ object: z.record(z.string(), z.unknown()) }),
  request: z.object({ idempotency_key: z.string().nullish() }).nullish(),
});
type Event = z.infer<typeof event>;

const chargeObject = z.object({
  object: z.literal("charge"),
  payment_intent: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

export const stripeWebhooks: Webhooks = {
  received: { status: 200, body: "" },
  read(headers, body, secrets, now) {
    const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "stripe-signature")?.[1];
    const refused = whyNotGenuine(header, body, secrets, now);
    if (refused !== null) return err(refused);
    const parsed = parse(body);
    if (parsed === null) return err("not an event");
    return toItems(parsed);
  },
};

/** Null for a delivery that Stripe signed a moment ago. */
function whyNotGenuine(
  header: string | undefined,
  body: Uint8Array,
  secrets: readonly string[],
  now: Date,
): string | null {
  if (header === undefined) return "there is no signature";
  const parts = header.split(",").map((part) => part.trim().split("=", 2));
  const valuesOf = (name: string): string[] =>
    parts.flatMap(([key, value]) => (key === name && value !== undefined ? [value] : []));
  const [time, ...others] = valuesOf("t");
  if (time === undefined || others.length > 0 || !/^\d{1,12}$/.test(time)) return "the signature has no time";
  const keys = secrets.filter((secret) => secret !== "");
  const given = valuesOf("v1").filter((hex) => /^[0-9a-f]{64}$/.test(hex));
  const isSigned = keys.some((secret) => {
    const expected = createHmac("sha256", secret).update(`${time}.`).update(body).digest();
    return given.some((hex) => timingSafeEqual(Buffer.from(hex, "hex"), expected));
  });
  if (!isSigned) return "no secret of ours made the signature";
  const age = now.getTime() / 1_000 - Number(time);
  return Math.abs(age) > TOLERANCE_SECONDS ? `it was signed ${Math.round(age)} s ago` : null;
}

function parse(body: Uint8Array): Event | null {
  try {
    const parsed = event.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** None of what is of no interest; an error for an event that should be of interest and cannot be read. */
function toItems(told: Event): Result<readonly WebhookItem[], string> {
  const { object } = told.data;
  if (told.type.startsWith("payment_intent.")) {
    const intent = intentObject.safeParse(object);
    return intent.success ? ok([intentItem(told, intent.data)]) : err("unreadable payment intent");
  }
  if (told.type.startsWith("refund.") || told.type === "charge.refund.updated") {
    const refund = refundObject.safeParse(object);
    return refund.success ? ok([refundItem(told, refund.data)]) : err("unreadable refund");
  }
  if (CHARGES.includes(told.type)) {
    const charge = chargeObject.safeParse(object);
    return charge.success ? ok([chargeItem(told, charge.data)]) : err("unreadable charge");
  }
  return ok([]);
}

const CHARGES = ["charge.captured", "charge.updated", "charge.refunded", "charge.expired"];

/** An event names the key of the request that caused it; that is our reference, unless somebody else asked. */
function referenceOf({ request }: Event, metadata: Readonly<Record<string, string>> | null | undefined) {
  const key = request?.idempotency_key ?? null;
  const isOurs = key !== null && shardOfReference(key) !== null;
  return isOurs ? key : (metadata?.[REFERENCE_FIELD] ?? null);
}

function intentItem(told: Event, intent: Intent): WebhookItem {
  return {
    id: told.id,
    reference: referenceOf(told, intent.metadata),
    providerPayment: intent.id,
    providerOperation: null,
    kind: null,
    at: new Date(told.created * 1_000),
    answer: (operation, payment) =>
      onceAndForAll(operation, payment, intent) ?? whetherToAsk(operation, told),
  };
}

/** What the intent shows and no later event can take back; null: nothing of that kind. */
function onceAndForAll(operation: Operation, payment: Payment, intent: Intent): ProviderAnswer | null {
  const seen = shownOf(operation, payment, intent);
  return seen?.kind === "done" || seen?.kind === "declined" || seen?.kind === "failed" ? seen : null;
}

function shownOf(operation: Operation, payment: Payment, intent: Intent): ProviderAnswer | null {
  switch (operation.kind) {
    case "authorize": {
      const seen = authorization(payment, intent);
      if (isUnderWay(operation)) return seen.kind === "done" ? null : seen;
      // An attempt that had failed, and may have been passed on: there may be a second charge, and somebody must hear of it.
      const hadFailed = operation.state === "declined" || operation.state === "failed";
      return hadFailed && seen.kind === "done" ? seen : null;
    }
    case "capture":
      // By its mark only: totals are those of then, and the payment has moved on.
      return captureOf({ ...operation, final: false }, { ...payment, captured: 0n }, intent);
    case "increment":
      return incrementOf(operation, { ...payment, authorized: 0n }, intent);
    case "void":
    case "expire":
      return release(operation, payment, intent);
    case "refund":
    case "authenticate":
      return null;
  }
}

const isUnderWay = ({ state }: Operation): boolean => state === "claimed" || state === "requires_action";

/** News that is not of the authorization's own request may be of anything that is under way. */
function whetherToAsk(operation: Operation, told: Event): WebhookAnswer {
  const isOwn = told.request?.idempotency_key === operation.reference;
  const isOfAll = operation.kind === "authorize" && !isOwn;
  return isUnderWay(operation) || isOfAll ? { kind: "ask" } : { kind: "nothing" };
}

function refundItem(told: Event, refund: Refund): WebhookItem {
  const { payment_intent: intent } = refund;
  return {
    id: told.id,
    reference: refund.metadata?.[REFERENCE_FIELD] ?? null,
    providerPayment: (typeof intent === "object" ? intent?.id : intent) ?? null,
    providerOperation: refund.id,
    kind: "refund",
    at: new Date(told.created * 1_000),
    answer: (operation, payment) =>
      operation.kind === "refund" ? refundNews(operation, payment, refund) : { kind: "nothing" },
  };
}

/** A refund may fail after it had succeeded, never the other way round: an older success is no news to one that failed. */
function refundNews(operation: Operation, payment: Payment, refund: Refund): WebhookAnswer {
  const told = refundAnswer(refund, payment);
  if (told.kind === "failed" && operation.state !== "claimed")
    return { kind: "reversed", decline: told.decline };
  const hasFailed = operation.state === "failed" || operation.state === "reversed";
  return hasFailed && told.kind !== "failed" ? { kind: "nothing" } : told;
}

function chargeItem(told: Event, charge: z.infer<typeof chargeObject>): WebhookItem {
  return {
    id: told.id,
    reference: referenceOf(told, charge.metadata),
    providerPayment: charge.payment_intent ?? null,
    providerOperation: null,
    kind: null,
    at: new Date(told.created * 1_000),
    answer: (operation) => whetherToAsk(operation, told),
  };
}
