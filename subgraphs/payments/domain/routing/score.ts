import type { Score } from "./reason.ts";

/** What is known of a provider, for one payment. */
export type Standing = {
  /** Share of attempts that came out well, 0 to 1. */
  readonly success: number;
  readonly latencyMs: number;
  /** What it would take for this payment, in minor units of the payment's currency. */
  readonly cost: bigint;
};

export const WEIGHTS = { success: 0.5, latency: 0.3, cost: 0.2 } as const;

export const weighted = ({ success, latency, cost }: Omit<Score, "total">): number =>
  WEIGHTS.success * success + WEIGHTS.latency * latency + WEIGHTS.cost * cost;

/**
 * The candidates' scores, in their order. Each part is the proportion to the best of them, so that 1 is the best and
 * differences keep their size: 99.0 % against 99.1 % of success is nearly nothing, and twice the cost is half the part.
 * (Stretched from the worst to the best instead, the smallest difference would decide.) Not rounded.
 */
export function scores(standings: readonly Standing[]): readonly Score[] {
  const success = Math.max(...standings.map((standing) => standing.success));
  const latency = Math.min(...standings.map(({ latencyMs }) => latencyMs));
  const cost = Math.min(...standings.map((standing) => Number(standing.cost)));
  return standings.map((standing) => {
    const parts = {
      success: proportion(standing.success, success),
      latency: proportion(latency, standing.latencyMs),
      cost: proportion(cost, Number(standing.cost)),
    };
    return { ...parts, total: weighted(parts) };
  });
}

/** `smaller / larger`; two that are equal are 1, also where they are 0. */
const proportion = (smaller: number, larger: number): number =>
  larger <= smaller ? 1 : Math.max(0, smaller / larger);

const rounded = (part: number): number => Math.round(part * 1_000) / 1_000;

/** To three decimals, as it is shown and stored. */
export function shown({ success, latency, cost, total }: Score): Score {
  return { success: rounded(success), latency: rounded(latency), cost: rounded(cost), total: rounded(total) };
}
