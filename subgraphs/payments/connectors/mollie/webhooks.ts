import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { err, ok, type Result } from "../../../kernel/result.ts";
import type { Operation } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { WebhookAnswer, WebhookItem, Webhooks } from "../connector.ts";
import { type PaymentObject, parseJson, paymentObject, referenceOf } from "./objects.ts";
import { authorizeAnswer } from "./payment-answers.ts";

/**
 * Mollie's two kinds of webhooks.
 *
 * Classic ones, to the address that goes with each payment, are a form with nothing but the payment's id, and are not
 * signed: anybody can send one. So they prove nothing and only ever say where to look (docs.mollie.com/reference/webhooks). All
 * news of a payment is the same bytes, so its id is the payment's: whoever keeps ids must still look each time.
 *
 * Next-generation ones, to a subscriber's address, are JSON events signed over the raw bytes: `X-Mollie-Signature:
 * sha256=<hex HMAC-SHA256>`, two of them while a secret is rotated (docs.mollie.com/reference/webhooks-new). The payment
 * in it is believed for the authorization; captures, releases and refunds are looked up, since the snapshot of a payment does not say
 * which of them it is about.
 */
const MAX_BODY_BYTES = 64 * 1024;
const PAYMENT_ID = /^tr_\w{1,60}$/;
const SIGNATURE = /^sha256=([0-9a-f]{64})$/;

const event = z.object({
  resource: z.literal("event"),
  id: z.string().regex(/^\w{1,100}$/),
  type: z.string(),
  entityId: z.string().regex(PAYMENT_ID),
  createdAt: z.string().nullish(),
  _embedded: z.object({ entity: z.unknown() }).nullish(),
});

type Read = Result<readonly WebhookItem[], string>;

function readWebhook(
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  secrets: readonly string[],
): Read {
  if (body.byteLength > MAX_BODY_BYTES) return err("the body is too large");
  const signatures = headers["x-mollie-signature"];
  const text = Buffer.from(body).toString("utf8");
  if (signatures === undefined) return readHint(headers["content-type"] ?? "", text);
  if (!isSigned(signatures, body, secrets)) return err("the signature is not of this body");
  return readEvent(text);
}

/** Without a signature, and so without any meaning but "look at this payment". */
function readHint(contentType: string, text: string): Read {
  if (!contentType.startsWith("application/x-www-form-urlencoded")) return err("there is no signature");
  const id = new URLSearchParams(text).get("id") ?? "";
  if (!PAYMENT_ID.test(id)) return err("no payment is named");
  return ok([newsOf({ id, payment: id, reference: null, at: null, answer: () => ({ kind: "ask" }) })]);
}

function isSigned(header: string, body: Uint8Array, secrets: readonly string[]): boolean {
  const given = header.split(",").map((part) => SIGNATURE.exec(part.trim())?.[1]);
  const own = secrets.filter((secret) => secret !== "");
  return own.some((secret) => {
    const expected = createHmac("sha256", secret).update(body).digest();
    return given.some((hex) => hex !== undefined && timingSafeEqual(Buffer.from(hex, "hex"), expected));
  });
}

function readEvent(text: string): Read {
  const parsed = event.safeParse(parseJson(text));
  if (!parsed.success) return err("it is signed, and no event about a payment");
  const { id, entityId, createdAt, _embedded } = parsed.data;
  const snapshot = paymentObject.safeParse(_embedded?.entity);
  const told = snapshot.success && snapshot.data.id === entityId ? snapshot.data : null;
  const answer: WebhookItem["answer"] = (operation, payment) => answerOf(told, operation, payment);
  const at = new Date(createdAt ?? Number.NaN);
  const reference = told === null ? null : referenceOf(told);
  const news = { id, payment: entityId, reference, at: Number.isNaN(at.getTime()) ? null : at, answer };
  return ok([newsOf(news)]);
}

type News = {
  readonly id: string;
  readonly payment: string;
  readonly reference: string | null;
  readonly at: Date | null;
  readonly answer: WebhookItem["answer"];
};

/** News of the payment as a whole: a reference names the authorization that made it. */
const newsOf = ({ payment, ...news }: News): WebhookItem => ({
  ...news,
  providerPayment: payment,
  providerOperation: null,
  kind: null,
});

/** What has not ended yet, and what is not about the authorization, is looked up. */
function answerOf(snapshot: PaymentObject | null, operation: Operation, payment: Payment): WebhookAnswer {
  if (snapshot === null || operation.kind !== "authorize") return { kind: "ask" };
  const told = authorizeAnswer(operation, payment, snapshot);
  if (told.kind === "done") return told;
  // What ended after it was authorized ended by a release, a failed capture or its time: other operations than this one.
  const ended = told.kind === "declined" || told.kind === "failed";
  return ended && !snapshot.authorizedAt ? told : { kind: "ask" };
}

export const webhooks: Webhooks = {
  read: readWebhook,
  received: { status: 200, body: "" },
};
