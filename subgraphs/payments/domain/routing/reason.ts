import type { Decided } from "../three-ds/policy.ts";

/** Why a provider was chosen for an attempt, stored with it and shown as `Payment.attempts[].routing`. */
export type RoutingReason = {
  /** Of the rule that decided, if one did: its name, or its text. */
  readonly rule: string | null;
  readonly because: Because;
  /** Everyone who was considered, best first; those who could not are last. */
  readonly candidates: readonly RoutingCandidate[];
  /** What the choice was made from and is stored nowhere else: ISO 3166-1 alpha-2, null if not known. */
  readonly cardCountry: string | null;
  readonly payerCountry: string | null;
  /** Version of the merchant's rules; 0: there were none. */
  readonly rulesVersion: number;
  /** Whether the payer is authenticated before it, and why; absent where nobody carries 3-D Secure out. */
  readonly authentication?: Decided;
};

export const BECAUSE = [
  "only_one",
  "rule",
  "best_score",
  /** Asked to learn how it does now: it was not the best as far as is known. */
  "exploration",
  "cascade",
  "default",
] as const;
export type Because = (typeof BECAUSE)[number];

export type RoutingCandidate = {
  readonly provider: string;
  /** Why not, if not. Null: eligible. */
  readonly excluded: Exclusion | null;
  /** Null if not scored: nobody to compare with. */
  readonly score: Score | null;
};

/** Each 0 to 1, to three decimals; 1 is the best of the candidates. */
export type Score = {
  readonly success: number;
  readonly latency: number;
  readonly cost: number;
  /** 0.5 success + 0.3 latency + 0.2 cost. */
  readonly total: number;
};

/** Why a provider could not be chosen, and in words. */
export const EXCLUSIONS = {
  tried: "has failed this payment already",
  method: "does not take this method",
  brand: "does not take this card brand",
  currency: "does not take this currency",
  country: "does not take cards of this country",
  amount: "does not take this amount",
  manual_capture: "cannot authorize now and capture later",
  merchant_initiated: "takes no payments without the payer",
  needs_payer: "has to send the payer to its page, which is not possible",
  asks_again: "would ask the payer for the card again, and others need not",
  rule_never: "your rules forbid it",
  rule_only: "your rules ask for another",
  rule_avoids: "your rules avoid it while there is another",
  rules_unknown: "your rules cannot be read at the moment",
  breaker_open: "has failed too often lately and is left alone for a while",
  bulkhead_full: "has as many requests under way as it may",
} as const;
export type Exclusion = keyof typeof EXCLUSIONS;

const PASSING: ReadonlySet<Exclusion> = new Set(["rules_unknown", "breaker_open", "bulkhead_full"]);

/**
 * Whether somebody could take the payment but for their health at this moment, so that the same request may well succeed
 * soon: it is then unavailable, not invalid.
 */
export const passes = ({ candidates }: Pick<RoutingReason, "candidates">): boolean =>
  candidates.some(({ excluded }) => excluded !== null && PASSING.has(excluded));
