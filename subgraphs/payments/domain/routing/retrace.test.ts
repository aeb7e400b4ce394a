import { describe, expect, it } from "vitest";
import { sampleFacts } from "../../routing/samples.ts";
import type { CostTable, CostTables } from "./costs.ts";
import type { RoutingCandidate } from "./reason.ts";
import { type PastAttempt, retrace } from "./retrace.ts";
import { readRoutingRules } from "./rules.ts";

const costing = (bps: number): CostTable => ({
  acquires: [],
  interchange: [{ bps: 0 }],
  scheme: [{ bps: 0 }],
  markup: [{ bps }],
});
const costs: CostTables = { default: costing(300), a: costing(100), b: costing(50), c: costing(200) };
const score = (total: number) => ({ success: 1, latency: 1, cost: 1, total });
const candidate = (provider: string, over: Partial<RoutingCandidate> = {}): RoutingCandidate => ({
  provider,
  excluded: null,
  score: null,
  ...over,
});

function replay(text: string, over: Partial<PastAttempt> = {}, candidates?: readonly RoutingCandidate[]) {
  const read = readRoutingRules(text, ["a", "b", "c", "d"]);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const facts = sampleFacts({ minor: 10_000n });
  const past: PastAttempt = {
    facts,
    costFacts: facts,
    provider: "a",
    succeeded: true,
    reason: {
      because: "best_score",
      rule: null,
      rulesVersion: 0,
      cardCountry: "DE",
      payerCountry: null,
      candidates: candidates ?? [
        candidate("a", { score: score(0.9) }),
        candidate("b", { score: score(0.8) }),
        candidate("c", { excluded: "rule_never" }),
        candidate("d", { excluded: "currency" }),
      ],
    },
    ...over,
  };
  return retrace(past, read.value, costs);
}

describe("a payment under other rules", () => {
  it.each([
    ["stays where nothing speaks against it", "avoid b", { provider: "a", cost: 0n }],
    ["goes to whom they prefer, at another cost", "prefer b", { provider: "b", cost: -50n }],
    ["goes to the next where they forbid", "never a\nnever c", { provider: "b", cost: -50n }],
    ["goes to whom old rules kept out", "only c", { provider: "c", cost: 100n }],
    ["leaves whom they avoid", "avoid a\nnever c", { provider: "b", cost: -50n }],
    ["goes to the avoided where nobody is left", "avoid a\nonly a", { provider: "a", cost: 0n }],
    ["never goes to whom who could not", "prefer d\nnever c", { provider: "a", cost: 0n }],
    ["goes nowhere where nobody is left", "only d", { provider: null, cost: 0n }],
  ])("%s", (_, text, expected) => expect(replay(text)).toEqual(expected));

  it("goes to the cheapest where nothing was scored", () => {
    const unscored = [candidate("a"), candidate("b"), candidate("c")];
    expect(replay("", {}, unscored).provider).toBe("b");
    expect(replay("never b", {}, unscored).provider).toBe("a");
  });

  it("that did not succeed costs nothing, there or here", () => {
    expect(replay("prefer b", { succeeded: false })).toEqual({ provider: "b", cost: 0n });
  });

  it("that was used to learn stays, if it may", () => {
    const explored = {
      provider: "b",
      reason: {
        because: "exploration",
        rule: null,
        rulesVersion: 0,
        cardCountry: null,
        payerCountry: null,
        candidates: [candidate("a", { score: score(0.9) }), candidate("b", { score: score(0.8) })],
      },
    } as const;
    expect(replay("", explored).provider).toBe("b");
    expect(replay("never b", explored).provider).toBe("a");
    expect(replay("prefer a", explored).provider).toBe("a");
  });
});
