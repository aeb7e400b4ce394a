import { type CostFacts, type CostTables, costOf } from "./costs.ts";
import type { RoutingFacts } from "./facts.ts";
import type { RoutingReason } from "./reason.ts";
import { type RoutingRuleSet, wordOf } from "./rules.ts";
import { weighted } from "./score.ts";

/** A first attempt as it was, with what was known of it then, and later. */
export type PastAttempt = {
  readonly facts: RoutingFacts;
  readonly provider: string;
  readonly reason: RoutingReason;
  /** Only then did it cost something. */
  readonly succeeded: boolean;
  /** What its cost is computed from: what the provider told of the card, where it did. */
  readonly costFacts: CostFacts;
};

/** `provider`: who would have been asked; null: nobody could have taken it. `cost`: more, or less, in minor units. */
export type Retraced = { readonly provider: string | null; readonly cost: bigint };

/**
 * Whom other rules would have asked. What providers could do, how well they were and their scores are as recorded then, so
 * the rules alone make the difference. Where a rule kept a provider out then, it has no score: it is taken to be as fast and
 * as sure as the best, and its cost is arithmetic. A payment that was used to learn stays where it was, if the rules
 * neither forbid nor prefer otherwise.
 */
export function retrace(past: PastAttempt, rules: RoutingRuleSet, costs: CostTables): Retraced {
  const provider = whoInstead(past, rules, costs);
  const moved = provider !== past.provider && provider !== null && past.succeeded;
  return { provider, cost: moved ? costAt(provider, past, costs) - costAt(past.provider, past, costs) : 0n };
}

const costAt = (provider: string, { costFacts }: PastAttempt, costs: CostTables): bigint =>
  costOf(costs[provider] ?? costs.default, costFacts);

function whoInstead(past: PastAttempt, rules: RoutingRuleSet, costs: CostTables): string | null {
  const word = wordOf(rules, past.facts);
  const possible = past.reason.candidates.filter(
    ({ provider, excluded }) =>
      (excluded === null || excluded.startsWith("rule_")) && !bars(word.against(provider)?.exclusion),
  );
  const unavoided = possible.filter(({ provider }) => word.against(provider) === null);
  const left = unavoided.length > 0 ? unavoided : possible;
  const preferred = word.prefer?.targets.find((name) => left.some(({ provider }) => provider === name));
  if (preferred !== undefined) return preferred;
  const names = left.map(({ provider }) => provider);
  if (past.reason.because === "exploration" && names.includes(past.provider)) return past.provider;
  const prices = names.map((name) => costAt(name, past, costs));
  const cheapest = prices.reduce((least, price) => (price < least ? price : least), prices[0] ?? 0n);
  const totals = left.map(({ score }, index) => {
    const price = prices[index] ?? 0n;
    const cost = price === cheapest ? 1 : Number(cheapest) / Number(price);
    return score?.total ?? weighted({ success: 1, latency: 1, cost });
  });
  return names[totals.indexOf(Math.max(...totals))] ?? null;
}

const bars = (exclusion: string | undefined): boolean =>
  exclusion === "rule_never" || exclusion === "rule_only";
