import { describe, expect, it } from "vitest";
import { explain } from "./explain.ts";
import { passes, type RoutingReason } from "./reason.ts";
import { reasonFrom, storedReason } from "./stored-reason.ts";

const score = (success: number, latency: number, cost: number) => ({
  success,
  latency,
  cost,
  total: Math.round((0.5 * success + 0.3 * latency + 0.2 * cost) * 1_000) / 1_000,
});
const reason: RoutingReason = {
  because: "best_score",
  rule: "dutch cards to the acquirer",
  rulesVersion: 12,
  cardCountry: "NL",
  payerCountry: "DE",
  candidates: [
    { provider: "stripe", excluded: null, score: score(0.998, 0.873, 1) },
    { provider: "acquirer", excluded: null, score: score(1, 1, 0.124) },
    { provider: "adyen", excluded: "breaker_open", score: null },
    { provider: "mollie", excluded: "merchant_initiated", score: null },
  ],
};

describe("a stored reason", () => {
  it("is short, and reads back as it was", () => {
    const text = JSON.stringify(storedReason(reason));
    expect(text.length).toBeLessThan(300);
    expect(reasonFrom(JSON.parse(text))).toEqual(reason);
    const scored = reason.candidates.map((c) => ({
      ...c,
      excluded: null,
      score: score(0.998, 0.873, 0.555),
    }));
    expect(JSON.stringify(storedReason({ ...reason, candidates: scored })).length).toBeLessThan(300);
  });

  it("leaves out what there is nothing of", () => {
    const plain: RoutingReason = {
      because: "only_one",
      rule: null,
      rulesVersion: 0,
      cardCountry: null,
      payerCountry: null,
      candidates: [{ provider: "stripe", excluded: null, score: null }],
    };
    expect(storedReason(plain)).toEqual({ because: "only_one", among: [["stripe"]] });
    expect(reasonFrom(storedReason(plain))).toEqual(plain);
  });

  it("keeps what was decided of the payer's authentication", () => {
    const challenged = { because: "soft_decline", by: "us", challenge: "mandated", exemption: null } as const;
    const exempted = { because: "exemption", by: null, challenge: null, exemption: "low_value" } as const;
    for (const authentication of [challenged, exempted]) {
      const kept = storedReason({ ...reason, authentication });
      expect(JSON.stringify(kept)).not.toContain("null");
      expect(reasonFrom(JSON.parse(JSON.stringify(kept)))).toEqual({ ...reason, authentication });
    }
  });

  it("keeps the beginning of a long rule without a name", () => {
    expect(storedReason({ ...reason, rule: "x".repeat(5_000) }).rule).toHaveLength(80);
  });

  it.each([null, undefined, 5, "x", {}, { because: "because" }, { because: "rule" }])(
    "is not %j",
    (stored) => {
      expect(reasonFrom(stored)).toBeNull();
    },
  );
});

it("a reason in words says who, why, and why not the others", () => {
  expect(explain(reason, "stripe")).toEqual([
    'stripe was asked. It had the best score. (rule "dutch cards to the acquirer", version 12)',
    "stripe: 0.961 = 0.5 × 0.998 success + 0.3 × 0.873 speed + 0.2 × 1 cost.",
    "acquirer: 0.825 = 0.5 × 1 success + 0.3 × 1 speed + 0.2 × 0.124 cost.",
    "adyen: has failed too often lately and is left alone for a while.",
    "mollie: takes no payments without the payer.",
  ]);
  expect(explain({ ...reason, candidates: [] }, null)).toEqual(["Nobody could take it."]);
});

it("passes where somebody could take it but for their health", () => {
  const only = (excluded: "breaker_open" | "currency" | null) =>
    passes({
      candidates: [
        { provider: "a", excluded: "brand", score: null },
        { provider: "b", excluded, score: null },
      ],
    });
  expect([only("breaker_open"), only("currency"), only(null)]).toEqual([true, false, false]);
});
