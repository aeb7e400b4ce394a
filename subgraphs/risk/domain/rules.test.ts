import { describe, expect, it } from "vitest";
import { moneyOf } from "../../kernel/money.ts";
import { type Facts, judge, type ListHit } from "./rules.ts";

const facts = (overrides: Partial<Facts> = {}): Facts => ({
  amount: moneyOf(10_000n, "EUR"),
  binCountry: "DE",
  payerCountry: "DE",
  limit: { reviewAbove: null, blockAbove: null },
  listed: [],
  duplicates: { count: 0, windowMs: 600_000, refuse: true },
  ...overrides,
});
const same = (count: number, refuse: boolean) => ({ duplicates: { count, windowMs: 600_000, refuse } });
const hit = (list: ListHit["list"], kind: ListHit["kind"] = "card"): ListHit => ({ list, kind });

describe("the rules", () => {
  it.each<[string, Partial<Facts>, string, number, string[]]>([
    ["nothing unusual", {}, "allow", 0, []],
    ["an amount at the limit", { limit: { reviewAbove: 10_000n, blockAbove: null } }, "allow", 0, []],
    [
      "an amount above it",
      { limit: { reviewAbove: 9_999n, blockAbove: null } },
      "review",
      40,
      ["amount_review"],
    ],
    [
      "an amount that is blocked",
      { limit: { reviewAbove: 1n, blockAbove: 9_999n } },
      "block",
      100,
      ["amount_blocked", "amount_review"],
    ],
    ["another country", { payerCountry: "BR" }, "review", 35, ["country_mismatch"]],
    ["an unknown payer", { payerCountry: null }, "allow", 0, []],
    ["an unknown issuer", { binCountry: null, payerCountry: "BR" }, "allow", 0, []],
    ["a listed card", { listed: [hit("block")] }, "block", 100, ["block_list"]],
    [
      "an allowed card from abroad",
      { payerCountry: "BR", listed: [hit("allow")] },
      "allow",
      0,
      ["country_mismatch", "allow_list"],
    ],
    [
      "a card allowed and an address blocked",
      { listed: [hit("allow"), hit("block", "ip")] },
      "block",
      100,
      ["block_list"],
    ],
    ["the same again", same(1, false), "allow", 10, ["duplicate"]],
    ["the same again, which the merchant does not want", same(1, true), "block", 100, ["duplicate"]],
    [
      "the same again of a card that is allowed, which the merchant does not want",
      { ...same(1, true), listed: [hit("allow")] },
      "block",
      100,
      ["duplicate"],
    ],
    [
      "two things at once",
      { payerCountry: "BR", limit: { reviewAbove: 1n, blockAbove: null } },
      "review",
      75,
      ["amount_review", "country_mismatch"],
    ],
  ])("%s", (_, overrides, decision, score, rules) => {
    const judgement = judge(facts(overrides));
    expect([judgement.decision, judgement.score, judgement.reasons.map(({ rule }) => rule)]).toEqual([
      decision,
      score,
      rules,
    ]);
  });

  it.each<[string, Partial<Facts>, string | null]>([
    ["nothing", {}, null],
    ["a review", { payerCountry: "BR" }, null],
    ["the same again that is only said", same(2, false), null],
    ["the same again", same(2, true), "duplicate_payment"],
    ["a listed card", { listed: [hit("block")] }, "blocked_by_risk"],
    ["a listed card, the same again", { ...same(1, true), listed: [hit("block")] }, "blocked_by_risk"],
  ])("%s is declined as what it is", (_, overrides, decline) => {
    expect(judge(facts(overrides)).decline).toBe(decline);
  });

  it("speak in words that a person can read", () => {
    const { reasons } = judge(
      facts({
        payerCountry: "BR",
        limit: { reviewAbove: 5_000n, blockAbove: null },
        listed: [hit("block", "email")],
        ...same(3, false),
      }),
    );
    expect(reasons.map(({ message }) => message)).toEqual([
      "The payer's e-mail address is on your block list.",
      "100.00 EUR is above 50.00 EUR, from where you review payments.",
      "The card was issued in DE, the payer is in BR.",
      "The same card has paid the same amount 3 times in the last 10 minutes.",
    ]);
  });
});
