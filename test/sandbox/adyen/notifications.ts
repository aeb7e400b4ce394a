/**
 * Standard webhooks: what Adyen tells, how it is signed, and how it is sent.
 *
 * Source: the published description of webhooks v1 (NotificationRequestItem) and
 * docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures.
 */

import { createHmac } from "node:crypto";
import { randomText } from "../kit/ids.ts";
import type { WebhookFormat } from "../kit/webhooks.ts";
import { additionalDataOf } from "./additional-data.ts";
import { REFUSALS } from "./test-cards.ts";
import type { AdyenEvent, AdyenWorld, ModificationRecord, PaymentRecord, Quirk, Work } from "./world.ts";

/** AUTHORISATION: what the bank said. */
export function tellPayment(work: Work, payment: PaymentRecord): void {
  const { refusal, authCode, card } = payment;
  const success = payment.status === "authorised";
  const reason = success
    ? `${authCode}:${card.last4}:${card.expiry}`
    : (REFUSALS[refusal ?? "2"]?.reason ?? "Refused");
  const about = { ...paymentNews(work, payment), success, reason, additionalData: additionalDataOf(payment) };
  tell(work, { ...about, type: "AUTHORISATION" }, payment.quirk);
}

/** EXPIRE: what was left of the authorisation is released. */
export function tellExpiry(work: Work, payment: PaymentRecord): void {
  tell(work, { ...paymentNews(work, payment), type: "EXPIRE", success: true, reason: "" }, null);
}

export type ModificationNews = {
  readonly eventCode: string;
  readonly success: boolean;
  readonly reason: string;
  readonly additionalData?: Readonly<Record<string, string>>;
};

/** The outcome of a modification; the payment is null where a technical cancel found none. */
export function tellModification(
  work: Work,
  modification: ModificationRecord,
  payment: PaymentRecord | null,
  { eventCode, success, reason, additionalData = {} }: ModificationNews,
): void {
  const { id, amount, currency, merchantAccount, reference, paymentReference, quirk } = modification;
  tell(
    work,
    {
      type: eventCode,
      payment: payment?.id ?? "",
      pspReference: id,
      originalReference: payment?.id ?? null,
      // A technical cancel is told under the reference of the payment.
      merchantReference: paymentReference ?? reference,
      merchantAccount,
      amount,
      currency,
      success,
      reason,
      paymentMethod: payment?.card.scheme ?? "",
      additionalData,
      atMs: work.nowMs,
    },
    quirk,
  );
}

type News = Omit<AdyenEvent, "id" | "identity">;

function paymentNews(work: Work, payment: PaymentRecord): Omit<News, "type" | "success" | "reason"> {
  return {
    payment: payment.id,
    pspReference: payment.id,
    originalReference: null,
    merchantReference: payment.reference,
    merchantAccount: payment.merchantAccount,
    amount: payment.amount,
    currency: payment.currency,
    paymentMethod: payment.card.scheme,
    additionalData: {},
    atMs: work.nowMs,
  };
}

function tell(work: Work, news: News, quirk: Quirk | null): void {
  const identity = `${news.type} ${news.merchantReference}`;
  const announce = (event: News, name: string): void =>
    work.announce({ ...event, id: randomText(20), identity: name });
  if (quirk === "contradicts") announce({ ...news, success: !news.success }, `not ${identity}`);
  announce(quirk === "forgets_reference" ? { ...news, merchantReference: "" } : news, identity);
}

/** A NotificationRequestItem without its signature. */
function itemOf(event: AdyenEvent): Record<string, unknown> {
  const { amount: value, currency, originalReference } = event;
  return {
    amount: { currency, value },
    eventCode: event.type,
    // Adyen tells the time with an offset and no fractions.
    eventDate: new Date(event.atMs).toISOString().replace(/\.\d+Z$/, "+00:00"),
    merchantAccountCode: event.merchantAccount,
    merchantReference: event.merchantReference,
    ...(originalReference === null ? {} : { originalReference }),
    paymentMethod: event.paymentMethod,
    reason: event.reason,
    pspReference: event.pspReference,
    success: String(event.success),
  };
}

/** Base64 of the HMAC-SHA256 over the documented fields; `keyHex` is hexadecimal. */
export function signatureOf(event: AdyenEvent, keyHex: string): string {
  const signed = [
    event.pspReference,
    event.originalReference ?? "",
    event.merchantAccount,
    event.merchantReference,
    String(event.amount),
    event.currency,
    event.type,
    String(event.success),
  ];
  return createHmac("sha256", Buffer.from(keyHex, "hex")).update(signed.join(":"), "utf8").digest("base64");
}

export const webhookFormat: WebhookFormat<AdyenWorld> = {
  request: (event, { settings }) => {
    const { webhooks, webhookUser, webhookPassword } = settings;
    const additionalData = { ...event.additionalData, hmacSignature: signatureOf(event, webhooks.secret) };
    const item = { additionalData, ...itemOf(event) };
    const basic = Buffer.from(`${webhookUser}:${webhookPassword}`).toString("base64");
    return {
      body: JSON.stringify({ live: "false", notificationItems: [{ NotificationRequestItem: item }] }),
      headers: {
        "content-type": "application/json",
        ...(webhookUser === "" ? {} : { authorization: `Basic ${basic}` }),
      },
    };
  },
};
