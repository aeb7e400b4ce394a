import { formatMoney, type Money } from "../../../kernel/money.ts";
import type { Capabilities, Connector } from "../connector.ts";
import { answer, found } from "./answers.ts";
import * as requests from "./requests.ts";
import { webhooks } from "./webhooks.ts";

/**
 * Our own acquirer: ISO 8583 in JSON (docs/acquirer-api.md).
 *
 * How unknown outcomes are resolved, and why that is right here: every message is named by our reference, which the
 * acquirer never forgets.
 * - An answer that was lost: a look-up by the reference finds it. "Not found" proves nothing while the request can still
 *   land; since what is signed more than 120 s ago is refused unread, after `maxRequestLifetimeMs` it proves that nothing did.
 * - Repeating the identical message is safe at any time: it is answered with the first answer, word for word.
 * - An authorization or sale whose payer has gone is reversed (0400): that undoes it if it happened, and burns its reference if
 *   it has not, so that it cannot happen later. It is repeated until it is answered.
 * - An answer that contradicts itself (another amount, another currency, 10, 68, 94, 96, a code of no table) is unknown too.
 */
export type AcquirerOptions = {
  readonly profile?: Partial<requests.AcquirerProfile>;
  readonly idempotencyWindowMs?: number;
  readonly maxRequestLifetimeMs?: number;
  /** Field 7 says when a message was made. */
  readonly now?: () => Date;
};

const DEFAULT_PROFILE: requests.AcquirerProfile = {
  merchant: "TESSERA",
  terminal: "WEB00001",
  merchantCategory: "5999",
  country: "NL",
};

/** Twelve digits are all that field 4 has. */
const MOST_MINOR = 999_999_999_999n;

export function createAcquirerConnector(options: AcquirerOptions = {}): Connector {
  const profile = { ...DEFAULT_PROFILE, ...options.profile };
  const context: requests.RequestContext = { profile, now: options.now ?? (() => new Date()) };
  return {
    name: "acquirer",
    capabilities: capabilitiesOf(profile.merchantCategory),
    resolver: {
      idempotencyWindowMs: options.idempotencyWindowMs ?? 30 * 24 * 3_600_000,
      maxRequestLifetimeMs: options.maxRequestLifetimeMs ?? 150_000,
      absenceIsDefinite: true,
      reverse: (operation) => requests.reverse(context, operation),
    },
    refusesAmount,
    authorize: (payment, authorization) => requests.authorize(context, payment, authorization),
    increment: (payment, { amount, reference }) =>
      requests.increment(context, payment, { amount, reference }),
    capture: (payment, capture) => requests.capture(context, payment, capture),
    void: (payment, { reference }) => requests.release(context, payment, reference),
    refund: (payment, refund) => requests.refund(context, payment, refund),
    answer,
    lookup: requests.lookup,
    found,
    // Nobody is ever asked to act here.
    cancelAction: () => null,
    webhooks,
  };
}

function refusesAmount(amount: Money): string | null {
  if (amount.minor <= MOST_MINOR) return null;
  return `The acquirer takes amounts of up to twelve digits: ${formatMoney(amount)} has more.`;
}

const RESTAURANTS = ["5812", "5813", "5814"];
const TRAVEL = ["7011", "7512", "4411"];

/** What the schemes tolerate over an authorization, in basis points, for a merchant's category (ISO 18245). */
function overCaptureBps(merchantCategory: string): Readonly<Record<string, number>> {
  if (RESTAURANTS.includes(merchantCategory)) return { visa: 2_000, mastercard: 2_000 };
  return TRAVEL.includes(merchantCategory) ? { visa: 1_500 } : {};
}

const capabilitiesOf = (merchantCategory: string): Capabilities => ({
  brands: ["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"],
  currencies: null,
  countries: null,
  directCards: true,
  manualCapture: true,
  partialCapture: true,
  multipleCaptures: true,
  increment: ["visa", "mastercard"],
  overCaptureBps: overCaptureBps(merchantCategory),
  partialRefund: true,
  multipleRefunds: true,
  voidAfterPartialCapture: true,
  externalAuthentication: true,
  ownAuthentication: false,
  merchantInitiated: true,
});
