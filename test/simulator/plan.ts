import type { FaultRule } from "../sandbox/kit/faults.ts";
import { plannedPayment } from "./plan-payment.ts";
import { faultRules, plannedWeather } from "./plan-weather.ts";

/**
 * What a run does, made from nothing but its seed: who pays what how, what merchants and payers do next, and everything that
 * goes wrong. It is plain JSON: saved, read by people, and run again. Amounts are minor units, times milliseconds.
 */
export type Plan = {
  readonly seed: number;
  readonly providers: readonly ProviderName[];
  readonly merchants: number;
  readonly payments: readonly PlannedPayment[];
  /** In the order of `at`. */
  readonly weather: readonly Weather[];
  /** What goes wrong with requests to each provider; chance is drawn from the seed and the request's own name. */
  readonly faults: Readonly<Record<string, readonly FaultRule[]>>;
};

export const PROVIDERS = ["stripe", "adyen", "mollie", "acquirer"] as const;
export type ProviderName = (typeof PROVIDERS)[number];

export type PlannedPayment = {
  readonly index: number;
  /** From 0 to `merchants` - 1. */
  readonly merchant: number;
  readonly card: string;
  readonly currency: "EUR" | "USD" | "GBP" | "JPY";
  readonly amount: number;
  readonly captureMethod: "automatic" | "manual";
  readonly payer: PlannedPayer;
  /** The first is the authorization. */
  readonly steps: readonly Step[];
};

/** What the payer does where a provider's page or a bank asks. */
export type PlannedPayer = {
  readonly does: "pays" | "fails" | "abandons";
  readonly afterMs: number;
  /** Comes back to the merchant's page, which asks at once; else the provider's news has to tell. */
  readonly comesBack: boolean;
};

export type Step = {
  readonly does: "authorize" | "increment" | "capture" | "void" | "refund";
  readonly key: string;
  /** Null: all that is left. */
  readonly amount: number | null;
  /** Of a capture. */
  readonly final: boolean;
  readonly twist: Twist;
  readonly pauseMs: number;
};

export type Twist =
  | "none"
  /** The same request again after its answer. */
  | "repeated"
  /** The same request twice at the same time. */
  | "at_once"
  /** The same wish under two keys at the same time. */
  | "rivals"
  /** Afterwards another amount under the same key. */
  | "other_arguments"
  /** The next step does not wait for this one. */
  | "beside_next";

/** Something larger that happens when payment `at` begins. */
export type Weather = {
  readonly at: number;
} /** It resets every connection, or takes every request and says nothing. */ & (
  | { readonly kind: "down" | "silent"; readonly provider: ProviderName; readonly forMs: number }
  /** The region kills itself at the nth passing of a named point. */
  | { readonly kind: "crash"; readonly point: string; readonly nth: number }
  /** The region is killed from outside, wherever it is. */
  | { readonly kind: "kill" }
  /** All writing waits. */
  | { readonly kind: "database_stalls"; readonly forMs: number }
  /** All connections to the database break. */
  | { readonly kind: "database_cut" }
);

export type PlanOptions = {
  readonly seed: number;
  readonly payments: number;
  readonly providers?: readonly ProviderName[];
  /** How long a provider is down, in ms. */
  readonly downMs?: number;
  /** How often the region is killed at each named point; below 1 at that share of them. */
  readonly crashes?: number;
  /** How often all connections to the database break. */
  readonly databaseCuts?: number;
};

export function makePlan({
  seed,
  payments,
  providers = PROVIDERS,
  downMs,
  crashes,
  databaseCuts,
}: PlanOptions): Plan {
  const merchants = Math.max(3, Math.min(40, Math.floor(payments / 100)));
  return {
    seed,
    providers,
    merchants,
    payments: Array.from({ length: payments }, (_, index) => plannedPayment(seed, index, merchants)),
    weather: plannedWeather({ seed, payments, providers, downMs: downMs ?? 60_000, crashes, databaseCuts }),
    faults: Object.fromEntries(providers.map((provider) => [provider, faultRules(provider)])),
  };
}
