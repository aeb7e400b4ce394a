import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { err, ok, type Result } from "../../../kernel/result.ts";
import { type Decline, declineOf } from "../../domain/decline.ts";
import type { Operation } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { WebhookAnswer, WebhookItem, Webhooks } from "../connector.ts";
import { CURRENCY_NUMBERS } from "./currency-numbers.ts";
import { declined } from "./errors.ts";

/** The acquirer's news of refunds (docs/acquirer-api.md, "Webhooks"): one item each, signed with its time. */
const MAX_AGE_SECONDS = 300;

const event = z.object({
  id: z.string().min(1).max(200),
  type: z.string(),
  created: z.int(),
  reference: z.string(),
  retrievalReference: z.string(),
  amount: z.string().regex(/^\d{12}$/),
  currency: z.string(),
  responseCode: z.string(),
});
type Event = z.infer<typeof event>;

export const webhooks: Webhooks = { read, received: { status: 200, body: "" } };

function read(
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  secrets: readonly string[],
  now: Date,
): Result<readonly WebhookItem[], string> {
  const header = headers["tessera-signature"];
  if (header === undefined) return err("no tessera-signature");
  const problem = signatureProblem(header, body, secrets, now);
  if (problem !== null) return err(problem);
  const parsed = parse(body);
  if (parsed === null) return err("not an event");
  return ok([itemOf(parsed)]);
}

/** What is wrong with `t=SECONDS,v1=HEX[,v1=HEX]`, or null. */
function signatureProblem(
  header: string,
  body: Uint8Array,
  secrets: readonly string[],
  now: Date,
): string | null {
  const parts = header.split(",").map((part) => part.split("="));
  const seconds = parts.find(([name]) => name === "t")?.[1] ?? "";
  const given = parts.filter(([name]) => name === "v1").map(([, value]) => Buffer.from(value ?? "", "hex"));
  if (!/^\d{1,12}$/.test(seconds)) return "no time in tessera-signature";
  const right = secrets
    .filter((secret) => secret !== "")
    .map((secret) => createHmac("sha256", secret).update(`${seconds}.`).update(body).digest());
  const matches = right.some((mac) =>
    given.some((one) => one.length === mac.length && timingSafeEqual(one, mac)),
  );
  if (!matches) return "no signature of ours";
  const age = Math.abs(now.getTime() / 1000 - Number(seconds));
  return age > MAX_AGE_SECONDS ? "signed too long ago" : null;
}

function parse(body: Uint8Array): Event | null {
  try {
    const parsed = event.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

const itemOf = (told: Event): WebhookItem => ({
  id: told.id,
  reference: told.reference,
  providerPayment: null,
  providerOperation: told.retrievalReference,
  kind: "refund",
  at: new Date(told.created * 1000),
  answer: (operation, payment) => answerOf(told, operation, payment),
});

function answerOf(told: Event, operation: Operation, payment: Payment): WebhookAnswer {
  if (operation.kind !== "refund" || operation.reference !== told.reference) return { kind: "nothing" };
  const asked =
    BigInt(told.amount) === operation.amount && told.currency === CURRENCY_NUMBERS[payment.amount.currency];
  if (!asked) return { kind: "ask" };
  switch (told.type) {
    case "refund.returned":
      return returned(operation, declineOf("refund_returned", told.responseCode));
    case "refund.completed":
      return completed(told, operation, payment);
    default:
      return { kind: "nothing" };
  }
}

/**
 * It was sent and came back. Before its success was recorded it has simply failed: to ask instead would lose this news, if the
 * answer that it was sent is still on its way to us.
 */
function returned({ state }: Operation, decline: Decline): WebhookAnswer {
  if (state === "claimed") return { kind: "failed", decline };
  return state === "succeeded" ? { kind: "reversed", decline } : { kind: "nothing" };
}

function completed(told: Event, operation: Operation, payment: Payment): WebhookAnswer {
  if (told.responseCode !== "00") {
    const decline = declined(told.responseCode);
    return decline === null ? { kind: "ask" } : { kind: "failed", decline };
  }
  if (payment.providerPayment === null) return { kind: "ask" };
  return {
    kind: "done",
    providerPayment: payment.providerPayment,
    providerOperation: told.retrievalReference,
    captured: false,
    amount: operation.amount,
    expiresAt: null,
  };
}
