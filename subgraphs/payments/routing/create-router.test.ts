import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RoutingFacts } from "../domain/routing/facts.ts";
import { passes } from "../domain/routing/reason.ts";
import { readRoutingRules } from "../domain/routing/rules.ts";
import { BREAKER_LIMITS } from "./breaker.ts";
import { createRouter, ROUTER_DEFAULTS, type RouterOptions } from "./create-router.ts";
import { EXPLORATION_LIMITS } from "./exploration.ts";
import { createProviders, type Observation, tellsOfProvider } from "./router.ts";
import { sampleAnswer, sampleFacts, sampleProvider, sampleRequest } from "./samples.ts";

const NAMES = ["a", "b", "c"];
/** What all cost the same, so that nothing but what a test says makes a difference. */
const costs = {
  default: { acquires: [], interchange: [{ bps: 0 }], scheme: [{ bps: 0 }], markup: [{ bps: 100 }] },
};

function routing(
  text: string | null = null,
  over: Partial<RouterOptions> = {},
  names: readonly string[] = NAMES,
) {
  const clock = { now: 0, random: 1 };
  const read = readRoutingRules(text ?? "", names);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const rules = { ready: async () => {}, of: () => ({ version: 3, rules: read.value }), changed: () => {} };
  const router = createRouter(createProviders(names.map((name) => sampleProvider(name))), {
    costs,
    rules: text === null ? null : rules,
    now: () => clock.now,
    random: () => clock.random,
    ...over,
  });
  const saw = (provider: string, outcome: Observation["outcome"], times = 1, latencyMs = 500) => {
    for (let i = 0; i < times; i++)
      router.observe(provider, sampleFacts({ merchant: `m${i}` }), { outcome, latencyMs });
  };
  const chosen = (facts: RoutingFacts = sampleFacts(), tried: readonly string[] = []) => {
    const { provider, reason } = router.choose(facts, tried);
    return `${provider} ${reason.because}${reason.rule === null ? "" : ` ${reason.rule}`}`;
  };
  const excluded = (facts: RoutingFacts = sampleFacts(), tried: readonly string[] = []) =>
    Object.fromEntries(router.choose(facts, tried).reason.candidates.map((c) => [c.provider, c.excluded]));
  return { clock, router, saw, chosen, excluded };
}
const large = sampleFacts({ minor: 100_000n });
const byMerchant = sampleFacts({
  stored: { initiator: "merchant", reason: "recurring", first: false, networkTransactionId: "x" },
  payerPresent: false,
});

describe("a choice", () => {
  it("is the first as configured, while nothing is known", () =>
    expect(routing().chosen()).toBe("a best_score"));

  it("is who succeeds, who is fast, who is cheap", () => {
    const success = routing();
    success.saw("a", "failed", 4);
    expect(success.chosen()).toBe("b best_score");
    const latency = routing();
    latency.saw("a", "succeeded", 50, 900);
    latency.saw("b", "succeeded", 50, 300);
    expect(latency.chosen()).toBe("b best_score");
    const cheap = { ...costs.default, markup: [{ bps: 20 }] };
    expect(routing(null, { costs: { ...costs, c: cheap } }).chosen()).toBe("c best_score");
  });

  it("is not against whom issuers have declined", () => {
    const { chosen, saw } = routing();
    saw("a", "declined", 200, 500);
    saw("b", "failed", 4);
    expect(chosen()).toBe("a best_score");
  });

  it("goes by the card's brand", () => {
    const { chosen, saw } = routing();
    saw("a", "failed", 4);
    expect([chosen(), chosen(sampleFacts({ brand: "mastercard" }))]).toEqual([
      "b best_score",
      "a best_score",
    ]);
  });

  it("forgets what is long ago", () => {
    const { clock, chosen, saw } = routing();
    saw("a", "failed", 4);
    clock.now = ROUTER_DEFAULTS.window.ms;
    expect(chosen()).toBe("a best_score");
  });

  it("is a cascade's after others were tried, and nobody's after all were", () => {
    const { chosen, excluded } = routing();
    expect(chosen(sampleFacts(), ["a", "b"])).toBe("c cascade");
    expect(chosen(sampleFacts(), NAMES)).toBe("null cascade");
    expect(excluded(sampleFacts(), ["a"])).toEqual({ a: "tried", b: null, c: null });
  });
});

describe("rules", () => {
  it.each([
    ['"r": prefer c, b', "c rule r", {}],
    ['"r": prefer b', "b rule r", {}],
    ['"r": only b', "b rule r", { a: "rule_only", c: "rule_only" }],
    ['"r": only b, c', "b best_score", { a: "rule_only" }],
    ['"r": never a', "b best_score", { a: "rule_never" }],
    ['"r": avoid a', "b best_score", { a: "rule_avoids" }],
    ['"r": avoid a, b, c', "a best_score", {}],
    ['"r": never a\n"q": never b', "c rule r", { a: "rule_never", b: "rule_never" }],
    ['"r": never a, b, c', "null rule r", { a: "rule_never", b: "rule_never", c: "rule_never" }],
    ['"r": prefer a\n"q": never a', "b best_score", { a: "rule_never" }],
    ["only b", "b rule only b", { a: "rule_only", c: "rule_only" }],
  ])("%s", (text, choice, barred) => {
    const { chosen, excluded, router } = routing(text);
    expect(chosen()).toBe(choice);
    expect(excluded()).toEqual({ a: null, b: null, c: null, ...barred });
    expect(router.choose(sampleFacts(), []).reason.rulesVersion).toBe(3);
  });

  it("avoid whom they avoid until nobody else is well", () => {
    const { chosen, saw } = routing('"r": avoid a');
    for (const name of ["b", "c"]) saw(name, "unknown", BREAKER_LIMITS.inARow);
    expect(chosen()).toBe("a only_one");
  });

  it("that are not at hand are not taken for none", () => {
    const { router } = routing(null, {
      rules: { ready: async () => {}, of: () => undefined, changed: () => {} },
    });
    const choice = router.choose(sampleFacts(), []);
    expect(choice).toMatchObject({
      provider: null,
      reason: { candidates: [{ excluded: "rules_unknown" }, {}, {}] },
    });
    expect(passes(choice.reason)).toBe(true);
  });
});

describe("health", () => {
  const broken = (text: string | null = null) => {
    const world = routing(text);
    world.saw("a", "unknown", BREAKER_LIMITS.inARow);
    return world;
  };

  it("keeps payments from whose breaker is open, and says so", async () => {
    const { excluded, router } = broken();
    expect(excluded()).toEqual({ a: "breaker_open", b: null, c: null });
    const answer = await router.guarded("a", async () => sampleAnswer)(sampleRequest, "ref");
    expect(answer).toMatchObject({ kind: "not_sent", code: "BREAKER_OPEN" });
    expect(tellsOfProvider(answer)).toBe(false);
    expect(tellsOfProvider({ kind: "not_sent", code: "UNREACHABLE", because: "" })).toBe(true);
    expect(tellsOfProvider({ kind: "lost", because: "" })).toBe(true);
  });

  it("chooses nobody where all are broken: that passes", () => {
    const { chosen, router, saw } = broken();
    for (const name of ["b", "c"]) saw(name, "failed", BREAKER_LIMITS.inARow);
    expect(chosen()).toBe("null default");
    expect(passes(router.choose(sampleFacts(), []).reason)).toBe(true);
  });

  it("probes with a small payment whose payer is there, once at a time", async () => {
    const { clock, chosen, excluded, router } = broken();
    clock.now = BREAKER_LIMITS.openMs;
    expect([chosen(), chosen(large), chosen(byMerchant)]).toEqual([
      "a exploration",
      "b best_score",
      "b best_score",
    ]);
    expect(excluded(large)).toMatchObject({ a: "breaker_open" });
    const waiting = Promise.withResolvers<typeof sampleAnswer>();
    const probe = router.guarded("a", () => waiting.promise)(sampleRequest, "ref");
    expect(chosen()).toBe("b best_score");
    waiting.resolve(sampleAnswer);
    await probe;
    expect(chosen()).toBe("a exploration");
  });

  it("probes with any payment where there is nobody else", () => {
    const { clock, chosen, saw } = broken('"r": only a, b');
    clock.now = BREAKER_LIMITS.openMs;
    saw("b", "unknown", BREAKER_LIMITS.inARow);
    expect([chosen(byMerchant), chosen(large)]).toEqual(["a rule r", "a rule r"]);
  });

  it("does not probe against a rule", () => {
    const probing = (text: string) => {
      const { clock, chosen } = broken(text);
      clock.now = BREAKER_LIMITS.openMs;
      return chosen();
    };
    expect(["prefer b", "prefer a, b", "never a", "avoid a"].map(probing)).toEqual([
      "b rule prefer b",
      "a exploration",
      "b best_score",
      "b best_score",
    ]);
  });

  it("keeps payments from whose room is full", () => {
    const { excluded, router } = routing(null, { gate: { ...ROUTER_DEFAULTS.gate, maxInFlight: 1 } });
    void router.guarded("a", () => new Promise(() => {}))(sampleRequest, "ref");
    expect(excluded()).toEqual({ a: "bulkhead_full", b: null, c: null });
  });
});

describe("exploration", () => {
  it("sends a small share elsewhere, evenly", () => {
    const { clock, chosen } = routing();
    const { share } = EXPLORATION_LIMITS;
    const at = (random: number) => {
      clock.random = random;
      return chosen();
    };
    expect([0, share * 0.49, share * 0.51, share * 0.99].map(at)).toEqual([
      "b exploration",
      "b exploration",
      "c exploration",
      "c exploration",
    ]);
    expect(at(share)).toBe("a best_score");
  });

  it.each([
    ["without the payer", byMerchant, []],
    ["with a large amount", large, []],
    ["after a failure", sampleFacts(), ["c"]],
    ["with as much of another currency", sampleFacts({ minor: 10_001n, currency: "CHF" }), []],
  ] as const)("never %s", (_, facts, tried) => {
    const { clock, chosen } = routing();
    clock.random = 0;
    expect(chosen(facts, tried)).toMatch(/^a (best_score|cascade)$/);
  });

  it("never against what a rule prefers", () => {
    const { clock, chosen } = routing('"r": prefer c');
    clock.random = 0;
    expect(chosen()).toBe("c rule r");
  });
});

const RULES = [
  "",
  "never a",
  "only a, b",
  "avoid b\nnever c",
  "prefer c, a",
  "only d",
  "prefer b if amount > 60.00 EUR\navoid b",
];
const seen = fc.record({
  provider: fc.constantFrom(...NAMES),
  outcome: fc.constantFrom<Observation["outcome"]>("succeeded", "declined", "failed", "unknown"),
  latencyMs: fc.integer({ min: 1, max: 30_000 }),
  after: fc.integer({ min: 0, max: 20_000 }),
});

describe("whatever was seen", () => {
  it("nobody who is excluded is chosen, and the same state and random choose the same", () => {
    fc.assert(
      fc.property(
        fc.array(seen, { maxLength: 60 }),
        fc.constantFrom(...RULES),
        fc.subarray(NAMES),
        fc.bigInt(1n, 20_000n),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (history, text, tried, minor, random) => {
          const run = () => {
            const { clock, router } = routing(text, {}, [...NAMES, "d"]);
            clock.random = random;
            for (const { provider, outcome, latencyMs, after } of history) {
              clock.now += after;
              router.observe(provider, sampleFacts({ merchant: `m${clock.now}` }), { outcome, latencyMs });
            }
            return [
              router.choose(sampleFacts({ minor }), tried),
              router.choose(sampleFacts({ minor }), tried),
            ] as const;
          };
          const [choice, again] = run();
          expect(again).toEqual(choice);
          expect(run()[0]).toEqual(choice);
          const { provider, reason } = choice;
          expect(reason.candidates.map((c) => c.provider).toSorted()).toEqual([...NAMES, "d"]);
          const eligible = reason.candidates.filter((c) => c.excluded === null).map((c) => c.provider);
          expect(eligible.some((name) => tried.includes(name))).toBe(false);
          if (provider === null) expect(eligible).toEqual([]);
          else expect(eligible).toContain(provider);
          if (text === "never a") expect(provider).not.toBe("a");
          if (text === "only d") expect([null, "d"]).toContain(provider);
        },
      ),
    );
  });
});
