import { setImmediate as nextTurn } from "node:timers/promises";
import type { MerchantId, PaymentId } from "../../kernel/ids.ts";
import { type Money, moneyOf } from "../../kernel/money.ts";
import type { CostTables } from "../domain/routing/costs.ts";
import { retrace } from "../domain/routing/retrace.ts";
import type { RoutingRuleSet } from "../domain/routing/rules.ts";
import type { Period, ReadHistory, Remembered } from "./history.ts";

/** What a merchant's payments of some time would have become under other rules. */
export type Simulation = {
  /** Payments that were replayed. */
  readonly replayed: number;
  /** Whether these are all of the period; else `until` says up to where it was looked. */
  readonly complete: boolean;
  /** The latest payment that was replayed; null if there was none. */
  readonly lastPayment: PaymentId | null;
  /** Payments that would have gone to another provider, by that provider, most first. */
  readonly moved: readonly { readonly provider: string; readonly payments: number }[];
  /** Payments that nobody could have taken. */
  readonly unroutable: number;
  /** How much more (less, if negative) those that moved and had succeeded would have cost, by currency. */
  readonly costDifferences: readonly Money[];
  /** The first of those that would have gone otherwise. */
  readonly examples: readonly Example[];
};

export type Example = {
  readonly payment: PaymentId;
  readonly from: string;
  /** Null: nobody could have taken it. */
  readonly to: string | null;
  readonly costDifference: Money;
};

export type Simulate = (merchant: MerchantId, rules: RoutingRuleSet, period: Period) => Promise<Simulation>;

/** Payments that one simulation replays at most. */
export const MOST_REPLAYED = 10_000;
const MOST_EXAMPLES = 100;
/** Steps of evaluating rules that one simulation may take at most: about a second. */
const MOST_STEPS = 20_000_000;
/** Others get their turn after as many steps. */
const STEPS_AT_ONCE = 200_000;

export const createSimulation =
  (history: ReadHistory, costs: CostTables): Simulate =>
  async (merchant, rules, period) => {
    const affordable = Math.max(1, Math.floor(MOST_STEPS / (1 + rules.cost)));
    const limit = Math.min(period.limit, MOST_REPLAYED, affordable);
    // One more than is replayed tells whether there are more.
    const found = await history(merchant, { ...period, limit: limit + 1 });
    const replayed = found.slice(0, limit);
    const tally = new Tally();
    let steps = 0;
    for (const past of replayed) {
      tally.add(past, retrace(past, rules, costs));
      steps += 1 + rules.cost;
      if (steps < STEPS_AT_ONCE) continue;
      steps = 0;
      await nextTurn();
    }
    return {
      replayed: replayed.length,
      complete: found.length <= limit,
      lastPayment: replayed.at(-1)?.payment ?? null,
      ...tally.result(),
    };
  };

class Tally {
  readonly #moved = new Map<string, number>();
  readonly #costs = new Map<Money["currency"], bigint>();
  readonly #examples: Example[] = [];
  #unroutable = 0;

  add(
    { payment, provider: from, facts }: Remembered,
    { provider: to, cost }: ReturnType<typeof retrace>,
  ): void {
    if (to === from) return;
    const { currency } = facts.amount;
    if (to === null) this.#unroutable++;
    else {
      this.#moved.set(to, (this.#moved.get(to) ?? 0) + 1);
      this.#costs.set(currency, (this.#costs.get(currency) ?? 0n) + cost);
    }
    if (this.#examples.length < MOST_EXAMPLES)
      this.#examples.push({ payment, from, to, costDifference: moneyOf(cost, currency) });
  }

  result(): Pick<Simulation, "moved" | "unroutable" | "costDifferences" | "examples"> {
    const moved = [...this.#moved].map(([provider, payments]) => ({ provider, payments }));
    return {
      moved: moved.sort((a, b) => b.payments - a.payments),
      unroutable: this.#unroutable,
      costDifferences: [...this.#costs].map(([currency, minor]) => moneyOf(minor, currency)),
      examples: this.#examples,
    };
  }
}
