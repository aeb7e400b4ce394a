import type { Capabilities, Connector } from "../connector.ts";
import type { ProviderAccount } from "../transport.ts";
import { CURRENCIES, refusesAmount } from "./amounts.ts";
import { answer, createdCustomer, found } from "./answers.ts";
import * as requests from "./requests.ts";
import { webhooks } from "./webhooks.ts";

/**
 * Mollie (Payments API v2): the payer pays by card on Mollie's own page, which also carries out 3-D Secure.
 *
 * How each unknown outcome is resolved, and why that is right here:
 *
 * - A payment whose creation was not answered is sought by our reference among the newest payments, then created again under the
 *   same key, which Mollie knows for an hour. A payer pays only through the address in the answer, so a payment whose answer
 *   nobody heard is never paid and expires in half an hour. Only one without the payer (`recurring`) charges at once: for
 *   that, absence counts only if the list reaches back to before the claim, after every request of ours has landed or died.
 * - A capture or a refund is sought under its payment by our reference: the list is complete, so it tells whether there is
 *   one. Before that it is sent again under its key; a second refund without the key would be a second refund.
 * - A release is told by the payment's status. It cannot be released twice, so sending it again is safe even without a key.
 * - A cancel of an open payment (DELETE) has no key. It cannot do harm twice: what was canceled or paid meanwhile refuses it.
 *
 * A replayed answer is the first one, byte for byte, and may be old: `open` of a payment that is paid by now. It only ever leads to
 * a look-up. 409 is no proof either way: it also is said while the first request is being processed, and of a refund whose
 * amount was refunded lately.
 *
 * A card payment has one capture: a partial one lets the rest go, so there is nothing to void after it. Mollie cannot take the
 * card from us, raise an authorization, or tell the scheme's transaction id: it keeps stored cards under a customer and mandate of
 * its own (`StoredAtProvider`), which only the platform can ask for, hence `storesCards`.
 */
export type MollieOptions = {
  /** Mollie keeps keys for an hour (docs.mollie.com/reference/api-idempotency); ten minutes are left as margin. */
  readonly idempotencyWindowMs?: number;
  readonly maxRequestLifetimeMs?: number;
  /** The platform creates customers at Mollie (`Connector.customers`), so that cards can be stored there. No otherwise. */
  readonly storesCards?: boolean;
};

const CAPABILITIES: Capabilities = {
  brands: ["visa", "mastercard", "amex"],
  currencies: CURRENCIES,
  countries: null,
  directCards: false,
  manualCapture: true,
  partialCapture: true,
  multipleCaptures: false,
  increment: [],
  overCaptureBps: {},
  partialRefund: true,
  multipleRefunds: true,
  voidAfterPartialCapture: false,
  externalAuthentication: false,
  ownAuthentication: true,
  merchantInitiated: false,
};

export function createMollieConnector(options: MollieOptions = {}): Connector {
  const windowMs = options.idempotencyWindowMs ?? 50 * 60_000;
  return {
    name: "mollie",
    capabilities: { ...CAPABILITIES, merchantInitiated: options.storesCards === true },
    resolver: {
      idempotencyWindowMs: windowMs,
      maxRequestLifetimeMs: options.maxRequestLifetimeMs ?? 10 * 60_000,
      absenceIsDefinite: true,
      reverse: null,
    },
    refusesAmount,
    authorize: requests.authorize,
    increment() {
      throw new Error("invariant broken: Mollie raises no authorization");
    },
    capture: (payment, { amount, reference }) => requests.capture(payment, amount, reference),
    void: (payment) => requests.close(payment),
    refund: (payment, { amount, reference }) => requests.refund(payment, amount, reference),
    answer,
    lookup: requests.lookup,
    found: (operation, payment, response) => found(operation, payment, response, windowMs),
    cancelAction: (operation, payment) => requests.cancelOpen(operation, payment),
    webhooks,
    customers: { create: requests.createCustomer, created: createdCustomer },
  };
}

/** Where Mollie is, and who we are there. Keys count for POST only. */
export const mollieAccount = (settings: {
  readonly baseUrl: string;
  readonly apiKey: string;
}): ProviderAccount => ({
  baseUrl: settings.baseUrl,
  contentType: "application/json",
  headers: (request, reference) => ({
    authorization: `Bearer ${settings.apiKey}`,
    ...(request.method === "POST" ? { "idempotency-key": reference } : {}),
  }),
});
