import type { Capabilities, Connector } from "../connector.ts";
import type { ProviderAccount } from "../transport.ts";
import { refusesAmount } from "./amounts.ts";
import { answer, found } from "./answers.ts";
import * as requests from "./requests.ts";
import { stripeWebhooks } from "./webhooks.ts";

/**
 * Stripe: payment intents with the card in the request, and refunds.
 *
 * How an unknown outcome is resolved, and why that is right here:
 * - Stripe answers a repeated idempotency key with the first result, so inside its window a replay of the identical request
 *   either does it, once, or tells what it did. A 409 says that the first is still under way, a 500 may be the kept result of
 *   work that was done: both prove nothing, and the look-up tells.
 * - Look-ups see what is there: an intent by its id and a list of refunds at once, a search for the reference in the metadata
 *   after a lag of seconds (docs.stripe.com/search: up to a minute). Captures and increments set a mark in the intent's
 *   metadata, in one step with the work, so several may be in flight; a final capture is alone, and told by the total. Not
 *   there is `absent`, and only definite once no request can be on its way any more.
 * - Nothing that waits for the payer is left standing: it is canceled first, and what became of it is looked up.
 * - A refund may be pending for days and fail after it had succeeded: webhooks tell, and a look-up by its id.
 */

/** The API version that requests and answers are written for (docs.stripe.com/upgrades). */
export const STRIPE_VERSION = "2026-10-28.endive";

export type StripeOptions = {
  /** Stripe keeps keys "at least 24 hours"; an hour is left as margin. */
  readonly idempotencyWindowMs?: number;
  readonly maxRequestLifetimeMs?: number;
  /** What Stripe lets this account capture beyond the authorization, by brand: it depends on what is sold and where. */
  readonly overCaptureBps?: Capabilities["overCaptureBps"];
  /** Brands whose authorization this account may raise; some only for hotels, car rentals and the like. */
  readonly increment?: readonly string[];
  /** Whether the account may send the scheme's transaction id with payments that the merchant begins; true by default. */
  readonly mitExemption?: boolean;
};

/** What Stripe does for every merchant category (docs.stripe.com/payments/{incremental-authorization,overcapture}). */
const FOR_ALL = { increment: ["visa", "mastercard"], overCaptureBps: { visa: 1_500 } } as const;

function capabilitiesOf({ increment, overCaptureBps }: StripeOptions): Capabilities {
  return {
    brands: ["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"],
    currencies: null,
    countries: null,
    directCards: true,
    manualCapture: true,
    partialCapture: true,
    multipleCaptures: true,
    increment: increment ?? FOR_ALL.increment,
    overCaptureBps: overCaptureBps ?? FOR_ALL.overCaptureBps,
    partialRefund: true,
    multipleRefunds: true,
    voidAfterPartialCapture: true,
    externalAuthentication: true,
    ownAuthentication: true,
    merchantInitiated: true,
  };
}

export function createStripeConnector(options: StripeOptions = {}): Connector {
  const mitExemption = options.mitExemption ?? true;
  return {
    name: "stripe",
    capabilities: capabilitiesOf(options),
    resolver: {
      idempotencyWindowMs: options.idempotencyWindowMs ?? 23 * 3_600_000,
      maxRequestLifetimeMs: options.maxRequestLifetimeMs ?? 10 * 60_000,
      absenceIsDefinite: true,
      reverse: null,
    },
    refusesAmount,
    authorize: (payment, asked) => requests.authorize(payment, asked, { mitExemption }),
    increment: requests.increment,
    capture: requests.capture,
    void: requests.cancel,
    refund: (payment, { amount, reference }) => requests.refund(payment, amount, reference),
    answer,
    lookup: requests.lookup,
    found,
    cancelAction: (_, payment) => (payment.providerPayment === null ? null : requests.cancel(payment)),
    webhooks: stripeWebhooks,
  };
}

/** Where Stripe is, and who we are there. */
export const stripeAccount = (settings: {
  readonly baseUrl: string;
  readonly secretKey: string;
}): ProviderAccount => ({
  baseUrl: settings.baseUrl,
  contentType: "application/x-www-form-urlencoded",
  headers: (request, reference) => ({
    authorization: `Bearer ${settings.secretKey}`,
    "stripe-version": STRIPE_VERSION,
    ...(request.method === "POST" ? { "idempotency-key": reference } : {}),
  }),
});
