import type { Connector } from "../connectors/connector.ts";
import { DEFAULT_COSTS } from "../domain/routing/cost-tables.ts";
import { type CostTables, checkedCosts } from "../domain/routing/costs.ts";
import { BREAKER_LIMITS } from "./breaker.ts";
import { createChooser } from "./choose.ts";
import { EXPLORATION_LIMITS, type ExplorationLimits } from "./exploration.ts";
import { Gate, type GateLimits } from "./gate.ts";
import type { Providers, Router } from "./router.ts";
import type { RulesAtHand } from "./rules-cache.ts";
import { createStandings, WINDOW_LIMITS, type WindowLimits } from "./standings.ts";

export type RouterOptions = {
  /** Merchants' rules; none of them has any if absent. */
  readonly rules: RulesAtHand | null;
  readonly costs: CostTables;
  readonly window: WindowLimits;
  readonly gate: GateLimits;
  readonly exploration: ExplorationLimits;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** A number from 0 up to 1; drawn at most once for each choice. */
  readonly random: () => number;
};

export const ROUTER_DEFAULTS: RouterOptions = {
  rules: null,
  costs: DEFAULT_COSTS,
  window: WINDOW_LIMITS,
  // As many as the transport takes at once: on its connections, and waiting for one.
  gate: { breaker: BREAKER_LIMITS, maxInFlight: 256, deadlineMs: null },
  exploration: EXPLORATION_LIMITS,
  now: () => performance.now(),
  random: Math.random,
};

/** The router of one process: what it knows of providers' health and scores is what it has seen itself. */
export function createRouter(providers: Providers, options: Partial<RouterOptions> = {}): Router {
  const { rules, costs, window, gate, exploration, now, random } = { ...ROUTER_DEFAULTS, ...options };
  const gates = new Map(providers.all.map(({ name }) => [name, new Gate(gate, now)]));
  const gateOf = (name: string): Gate => {
    const found = gates.get(name);
    if (found === undefined) throw new Error(`the provider ${name} is not configured`);
    return found;
  };
  const standings = createStandings(providers, { window, costs: checkedCosts(costs), now });
  const choose = createChooser({
    providers: providers.all,
    rulesOf: (merchant) => (rules === null ? null : rules.of(merchant)),
    health: ({ name }: Connector) => gateOf(name).health(),
    standing: standings.of,
    exploration,
    random,
  });
  return {
    ready: async (merchant) => rules?.ready(merchant),
    choose,
    guarded: (provider, send) => gateOf(provider).guard(send),
    observe(provider, facts, seen) {
      standings.observe(provider, facts, seen);
      gateOf(provider).breaker.saw(seen.outcome, facts.merchant, now());
    },
  };
}
