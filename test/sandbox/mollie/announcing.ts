/**
 * What Mollie tells, and how.
 *
 * Classic webhooks go to the address that came with the payment, and say nothing but its id, unsigned: whoever hears
 * one looks the payment up (docs.mollie.com/reference/webhooks). Next-generation events go to the subscriber's
 * address, which is the setting `webhooks.url`: JSON with the payment as it was, signed over the raw bytes with
 * HMAC-SHA256 (docs.mollie.com/reference/webhooks-new).
 */

import { createHmac } from "node:crypto";
import type { WebhookFormat } from "../kit/webhooks.ts";
import { newId } from "./ids.ts";
import { renderPayment, wireTime } from "./objects.ts";
import type { PaymentRecord } from "./records.ts";
import type { MollieEvent, MollieWorld, Work } from "./world.ts";

/** A payment has changed its status. Nobody is told of `open`. */
export function announcePayment(work: Work, payment: PaymentRecord): void {
  const type = `payment.${payment.status}`;
  announceClassic(work, payment, type);
  const snapshot = renderPayment(payment, work);
  work.announce({ ...eventOf(work, payment, `next ${type}`), type, snapshot });
}

/** Something under the payment has changed: a capture or a refund. Classic webhooks name the payment all the same. */
export function announceClassic(work: Work, payment: PaymentRecord, type: string): void {
  if (payment.webhookUrl === null) return;
  work.announce({ ...eventOf(work, payment, `classic ${type}`), type, url: payment.webhookUrl });
}

function eventOf(work: Work, payment: PaymentRecord, what: string): Omit<MollieEvent, "type" | "url"> {
  // Ids differ from run to run, keys do not: chance is drawn under them.
  const identity = `${what} ${payment.idempotencyKey ?? payment.id} ${work.idempotencyKey ?? ""}`;
  return { id: newId("event"), identity, payment: payment.id, snapshot: null, at: work.nowMs };
}

export const webhookFormat: WebhookFormat<MollieWorld> = {
  request: ({ id, type, payment, snapshot, at }, { settings }) => {
    if (snapshot === null) {
      const body = new URLSearchParams({ id: payment }).toString();
      return { body, headers: { "content-type": "application/x-www-form-urlencoded" } };
    }
    const _embedded = { entity: snapshot };
    const event = { resource: "event", id, type, entityId: payment, createdAt: wireTime(at), _embedded };
    const body = JSON.stringify(event);
    const signature = createHmac("sha256", settings.webhooks.secret).update(body).digest("hex");
    return {
      body,
      headers: { "content-type": "application/json", "x-mollie-signature": `sha256=${signature}` },
    };
  },
  accepted: (status) => status === 200,
};
