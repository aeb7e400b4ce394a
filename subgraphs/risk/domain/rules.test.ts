import { describe, expect, it } from "vitest";
import { moneyOf } from "../../kernel/money.ts";
import { type Facts, judge, type ListHit } from "./rules.ts";

const facts = (overrides: Partial<Facts> = {}): Facts => ({
  amount: moneyOf(10_000n, "EUR"),
  binCountry: "DE",
  payerCountry: "DE",
  limit: { reviewAbove: null, blockAbove: null },
  listed: [],
  ...overrides,
});
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

  it("speak in words that a person can read", () => {
    const { reasons } = judge(
      facts({
        payerCountry: "BR",
        limit: { reviewAbove: 5_000n, blockAbove: null },
        listed: [hit("block", "email")],
      }),
    );
    expect(reasons.map(({ message }) => message)).toEqual([
      "The payer's e-mail address is on your block list.",
      "100.00 EUR is above 50.00 EUR, from where you review payments.",
      "The card was issued in DE, the payer is in BR.",
    ]);
  });
});
