import type { Connector, ProviderResponse } from "../connector.ts";
import type { ProviderAccount } from "../transport.ts";
import { ADYEN_CURRENCIES, refusesAmount } from "./amounts.ts";
import { answer } from "./answers.ts";
import * as requests from "./requests.ts";
import { adyenWebhooks } from "./webhooks.ts";

/**
 * Adyen: Checkout API v72 with raw cards, and standard webhooks.
 *
 * How unknown outcomes are resolved, and why that is right here:
 * - Adyen cannot be asked: there is no look-up of a payment or modification, so nothing is ever "not found".
 * - An answer that was lost, came late or proved nothing: the identical request is sent again under its Idempotency-Key,
 *   which Adyen keeps for at least seven days and answers with the first result, without acting twice. While the first is
 *   under way the answer is 704, which is unknown. All requests act at most once by this, also when they land late.
 * - A request that Adyen has executed and answered with 5xx answers the same again: then the webhook tells. Every request
 *   carries our reference, and AUTHORISATION comes for every payment, successful or not.
 * - Modifications are only `received`; their outcome is told by webhooks alone, and they are not sent again after that.
 * - After seven days without news a person looks: a key that has been forgotten would make a second payment. There is no
 *   automatic reversal: a cancel by reference ("technical cancel") is decided later, and does not stop a request that is
 *   still on its way.
 * - News that comes twice has one id; a capture or refund that comes back after it succeeded is `reversed`.
 */
export type AdyenOptions = {
  readonly merchantAccount: string;
  /** Where the payer would be sent back to, for payments that have no such address. */
  readonly returnUrl: string;
  /**
   * Whether "multiple partial captures" is switched on for the account, which it is not by itself. Without it a partial capture
   * releases the rest; with it the rest of a last capture stays reserved until it expires, since Adyen cannot be told.
   */
  readonly multipleCaptures?: boolean;
  readonly idempotencyWindowMs?: number;
  readonly maxRequestLifetimeMs?: number;
};

const HOUR_MS = 3_600_000;
/** Seven days at least; an hour is left as margin. */
const IDEMPOTENCY_WINDOW_MS = (7 * 24 - 1) * HOUR_MS;

export function createAdyenConnector(options: AdyenOptions): Connector {
  const multipleCaptures = options.multipleCaptures ?? false;
  return {
    name: "adyen",
    capabilities: {
      brands: ["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"],
      currencies: ADYEN_CURRENCIES,
      countries: null,
      directCards: true,
      manualCapture: true,
      partialCapture: true,
      multipleCaptures,
      increment: requests.ADJUSTABLE_BRANDS,
      overCaptureBps: {},
      partialRefund: true,
      multipleRefunds: true,
      // "After a payment has been captured, you can no longer cancel it."
      voidAfterPartialCapture: false,
      externalAuthentication: true,
      // Adyen could ask the payer too, but needs to be told of the return by a request of its own.
      ownAuthentication: false,
      merchantInitiated: true,
    },
    resolver: {
      idempotencyWindowMs: options.idempotencyWindowMs ?? IDEMPOTENCY_WINDOW_MS,
      maxRequestLifetimeMs: options.maxRequestLifetimeMs ?? 10 * 60_000,
      absenceIsDefinite: false,
      reverse: null,
    },
    refusesAmount,
    authorize: (payment, authorizeOptions) => requests.authorize(payment, authorizeOptions, options),
    increment: (payment, change) => requests.increment(payment, change, options),
    capture: (payment, change) => requests.capture(payment, change, options),
    void: (payment, change) => requests.cancel(payment, change, options),
    refund: (payment, change) => requests.refund(payment, change, options),
    answer,
    lookup: () => null,
    found: (_operation, _payment, response: ProviderResponse) => ({
      kind: "unknown",
      because: response.kind === "http" ? "Adyen cannot be asked" : response.because,
    }),
    cancelAction: (operation, _payment, change) => requests.cancelByReference(operation, change, options),
    webhooks: adyenWebhooks(options.merchantAccount),
  };
}

/**
 * Where Adyen is, and who we are there (docs.adyen.com/development-resources/api-authentication). `baseUrl` with the version:
 * "https://checkout-test.adyen.com/v72"; a live one has the account's own prefix.
 */
export function adyenAccount({
  baseUrl,
  apiKey,
  maxConnections,
}: {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly maxConnections?: number;
}): ProviderAccount {
  return {
    baseUrl,
    contentType: "application/json",
    ...(maxConnections === undefined ? {} : { maxConnections }),
    headers: ({ method }, reference) => ({
      "x-api-key": apiKey,
      // At most 64 characters; references have 49.
      ...(method === "POST" ? { "idempotency-key": reference } : {}),
    }),
  };
}
