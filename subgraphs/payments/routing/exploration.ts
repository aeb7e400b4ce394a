import { type Currency, exponentOf } from "../../kernel/currency.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";

/**
 * How often a payment goes to a provider that is not the best as far as is known: what is never asked is never known. Such a
 * payment is real, so only small ones are taken, with a payer who can try again.
 */
export type ExplorationLimits = {
  /** 0 to 1. */
  readonly share: number;
  /** Largest amount, in minor units; in currencies that are not named 100 of their major unit. */
  readonly upTo: Readonly<Partial<Record<Currency, bigint>>>;
};

export const EXPLORATION_LIMITS: ExplorationLimits = {
  share: 0.02,
  upTo: { EUR: 10_000n, USD: 11_000n, GBP: 9_000n, JPY: 15_000n, KWD: 30_000n, BHD: 40_000n, OMR: 40_000n },
};

const MAJOR_UNITS = 100n;

/** Whether a payment may be used to learn; a cascade's later attempts may not: it has failed once already. */
export function mayExplore(
  { upTo }: ExplorationLimits,
  { amount, stored, payerPresent }: RoutingFacts,
  tried: readonly string[],
): boolean {
  if (tried.length > 0 || !payerPresent || stored?.initiator === "merchant") return false;
  const most = upTo[amount.currency] ?? MAJOR_UNITS * 10n ** BigInt(exponentOf(amount.currency));
  return amount.minor <= most;
}
