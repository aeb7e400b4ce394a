/**
 * Events: what Stripe tells by webhook, with the object as it was at that moment.
 * Source: docs.stripe.com/api/events/types and docs.stripe.com/webhooks#verify-manually.
 */

import { createHmac } from "node:crypto";
import type { WebhookFormat } from "../kit/webhooks.ts";
import type { WebhookEvent } from "../kit/world.ts";
import { renderRefund } from "./balance-objects.ts";
import { newId } from "./ids.ts";
import { renderCharge, renderPaymentIntent, type WireObject } from "./objects.ts";
import type { ChargeRecord, PaymentIntentRecord, RefundRecord } from "./records.ts";
import type { StripeWorld, Work } from "./store.ts";

/** The types that this sandbox sends, all in `Stripe.Event.type`. */
export type EventType =
  | `payment_intent.${"succeeded" | "payment_failed" | "canceled" | "amount_capturable_updated" | "requires_action" | "processing"}`
  | `charge.${"captured" | "updated" | "refunded" | "refund.updated" | "expired"}`
  | `refund.${"created" | "updated" | "failed"}`;

export type StripeEvent = WebhookEvent & {
  readonly type: EventType;
  /** Seconds since 1970. */
  readonly created: number;
  readonly object: WireObject;
  /** The request that caused it; nulls where nobody asked. */
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
};

/** The version that events are rendered for: it is the endpoint's, not the request's. */
export const EVENT_API_VERSION = "2026-10-28.endive";

export function announceIntent(
  work: Work,
  type: Extract<EventType, `payment_intent.${string}`>,
  intent: PaymentIntentRecord,
): void {
  announce(work, type, intent.id, () => renderPaymentIntent(work, intent));
}

export function announceCharge(
  work: Work,
  type: Extract<EventType, `charge.${string}`>,
  charge: ChargeRecord,
): void {
  announce(work, type, charge.paymentIntent, () => renderCharge(work, charge));
}

export function announceRefund(
  work: Work,
  type: Extract<EventType, `refund.${string}` | "charge.refund.updated">,
  refund: RefundRecord,
): void {
  announce(work, type, refund.paymentIntent, () => renderRefund(refund));
}

function announce(work: Work, type: EventType, payment: string, render: () => WireObject): void {
  // Rendering is not cheap, and most runs have nobody who listens.
  if (work.settings.webhooks.url === null) return;
  const { idempotencyKey: key, request } = work;
  work.announce({
    id: newId("evt"),
    identity: `${type} ${key ?? payment}`,
    type,
    payment,
    created: work.nowSeconds,
    object: render(),
    // What a bank or the time decides is nobody's request, whatever began it.
    request:
      request === null ? { id: null, idempotency_key: null } : { id: newId("req"), idempotency_key: key },
  });
}

/** `t=…,v1=…`: the HMAC-SHA256 of the time, a dot and the body, in lower-case hex. */
export function signature(body: string, secret: string, atSeconds: number): string {
  const digest = createHmac("sha256", secret).update(`${atSeconds}.${body}`).digest("hex");
  return `t=${atSeconds},v1=${digest}`;
}

export const webhooks: WebhookFormat<StripeWorld> = {
  request: ({ id, type, created, object, request }, { atMs, settings }) => {
    const body = JSON.stringify({
      id,
      object: "event",
      api_version: EVENT_API_VERSION,
      created,
      data: { object },
      livemode: false,
      pending_webhooks: 1,
      request,
      type,
    });
    return {
      body,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": signature(body, settings.webhooks.secret, Math.floor(atMs / 1_000)),
        "user-agent": "Stripe/1.0 (sandbox)",
      },
    };
  },
};
