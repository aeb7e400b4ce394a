/**
 * What a test can turn in this sandbox: the settings of every sandbox, and Stripe's own.
 */

import { choice, count, flag, sharedSettings, type ValuesOf } from "../kit/settings.ts";

export const stripeSettings = {
  ...sharedSettings,
  /** How long a change takes to show in search, in milliseconds. */
  searchLagMs: count(1_000),
  /** Whether the account may capture a payment more than once. */
  multicapture: flag(true),
  /** Whether the account may raise authorizations, of the brands for which every merchant category may. */
  incrementalAuthorization: flag(true),
  /** Whether the account may capture more than was authorized. */
  overcapture: flag(true),
  /** How long an authorization holds; what is left of it is then given back. */
  holdMs: count(7 * 24 * 60 * 60 * 1_000),
  /** How long the refund test cards take to change a refund's status. */
  refundDelayMs: count(1_000),
  /** How long a balance transaction stays hidden after an asynchronous capture. */
  asyncCaptureLagMs: count(500),
  /** Whether the fraud check blocks payments of the highest risk (the provider's default). */
  blockHighestRisk: flag(true),
  /** What becomes of numbers that are not test cards: accepted, or declined as a live card in test mode. */
  unknownCards: choice("accept", ["accept", "decline"]),
};

export type Settings = ValuesOf<typeof stripeSettings>;
