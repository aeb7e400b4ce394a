import type { Connector } from "../connectors/connector.ts";
import { type CostTables, costOf } from "../domain/routing/costs.ts";
import type { RoutingFacts } from "../domain/routing/facts.ts";
import type { Standing } from "../domain/routing/score.ts";
import type { Observation, Providers } from "./router.ts";
import { type Seen, Window } from "./window.ts";

/** How far back scores look: the last `size` outcomes of a provider and card brand, none older than `ms`. */
export type WindowLimits = { readonly size: number; readonly ms: number };
export const WINDOW_LIMITS: WindowLimits = { size: 500, ms: 15 * 60_000 };

/**
 * What is assumed of a provider before anything is seen, worth as much as `weight` outcomes: with few observations a score
 * is mostly this, so one early failure does not condemn anybody.
 */
export const PRIOR = { success: 0.97, latencyMs: 800, weight: 20 } as const;

/** Latency is judged by what nine of ten do not exceed: payers wait for the slow ones. */
const PERCENTILE = 0.9;

/**
 * An issuer's decline is the card's doing: it says how fast the provider is, and nothing of its success. A definite failure
 * says nothing of how fast it would have been; an unknown outcome counts as one that did not come out well.
 */
const COUNTED: Record<Observation["outcome"], { readonly seen: Seen; readonly timed: boolean }> = {
  succeeded: { seen: "good", timed: true },
  declined: { seen: "neutral", timed: true },
  failed: { seen: "bad", timed: false },
  unknown: { seen: "bad", timed: false },
};

/** What this process has seen of each provider. */
export type Standings = {
  readonly observe: (provider: string, facts: RoutingFacts, seen: Observation) => void;
  readonly of: (provider: Connector, facts: RoutingFacts) => Standing;
};

/** @param now milliseconds of a clock that never goes back */
export function createStandings(
  providers: Providers,
  options: { readonly window: WindowLimits; readonly costs: CostTables; readonly now: () => number },
): Standings {
  const { window, costs, now } = options;
  // Made as they are needed, and never more than there are brands that a provider takes.
  const windows = new Map(providers.all.map(({ name }) => [name, new Map<string, Window>()]));
  return {
    observe(provider, { card }, { outcome, latencyMs }) {
      const own = windows.get(provider);
      if (own === undefined || !providers.get(provider).capabilities.brands.includes(card.brand)) return;
      let seen = own.get(card.brand);
      if (seen === undefined) own.set(card.brand, (seen = new Window(window.size, window.ms)));
      const counted = COUNTED[outcome];
      seen.add(now(), counted.seen, counted.timed ? latencyMs : null);
    },
    of({ name }, facts) {
      const seen = windows.get(name)?.get(facts.card.brand);
      const cost = costOf(costs[name] ?? costs.default, facts);
      return { ...(seen === undefined ? NOTHING_SEEN : learnt(seen, now())), cost };
    },
  };
}

const NOTHING_SEEN = { success: PRIOR.success, latencyMs: PRIOR.latencyMs };

function learnt(seen: Window, now: number): Omit<Standing, "cost"> {
  const { good, bad } = seen.counts(now);
  const latency = seen.percentile(now, PERCENTILE) ?? { ms: 0, of: 0 };
  return {
    success: (good + PRIOR.weight * PRIOR.success) / (good + bad + PRIOR.weight),
    latencyMs: (latency.of * latency.ms + PRIOR.weight * PRIOR.latencyMs) / (latency.of + PRIOR.weight),
  };
}
