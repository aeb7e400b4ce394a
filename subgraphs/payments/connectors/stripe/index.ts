import type { Connector } from "../connector.ts";
import { refusesAmount } from "./amounts.ts";
import { answer, found } from "./answers.ts";
import * as requests from "./requests.ts";

/** The API version that requests and answers are written for (docs.stripe.com/upgrades). */
export const STRIPE_VERSION = "2026-10-28.endive";

export type StripeOptions = {
  /** Stripe keeps keys "at least 24 hours"; an hour is left as margin. */
  readonly idempotencyWindowMs?: number;
  readonly maxRequestLifetimeMs?: number;
};

export function createStripeConnector(options: StripeOptions = {}): Connector {
  return {
    name: "stripe",
    idempotencyWindowMs: options.idempotencyWindowMs ?? 23 * 3_600_000,
    maxRequestLifetimeMs: options.maxRequestLifetimeMs ?? 10 * 60_000,
    refusesAmount,
    authorize: (payment, { reference, cvcAvailable }) => requests.authorize(payment, reference, cvcAvailable),
    capture: (payment, { amount, final }) => requests.capture(payment, amount, final),
    void: (payment) => requests.cancel(payment),
    refund: (payment, { amount, reference }) => requests.refund(payment, amount, reference),
    answer,
    lookup: requests.lookup,
    found,
  };
}
