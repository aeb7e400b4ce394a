import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currencies } from "../../../kernel/currency.ts";
import { moneyOf } from "../../../kernel/money.ts";
import { sampleFacts } from "../../routing/samples.ts";
import { DEFAULT_COSTS, EEA } from "./cost-tables.ts";
import { type CostTable, type CostTables, checkedCosts, costOf } from "./costs.ts";

const table: CostTable = {
  acquires: ["DE"],
  interchange: [
    { brands: ["visa"], funding: ["debit", "prepaid"], region: "intra", bps: 20 },
    { brands: ["visa"], region: "intra", bps: 30 },
    { bps: 150 },
  ],
  scheme: [{ region: "intra", bps: 6 }, { bps: 55 }],
  markup: [{ bps: 40, fixed: { EUR: 11 } }],
};

describe("what a payment costs", () => {
  it.each([
    ["a credit card of here", {}, 10_000n, 76n + 11n],
    ["a debit card of here", { cardFunding: "debit" as const }, 10_000n, 66n + 11n],
    ["of unknown funding, as credit", { cardFunding: null }, 10_000n, 76n + 11n],
    ["a card of elsewhere", { cardCountry: "US" }, 10_000n, 245n + 11n],
    ["of an unknown country, as of elsewhere", { cardCountry: null }, 10_000n, 245n + 11n],
    ["another brand", { brand: "amex" }, 10_000n, 196n + 11n],
    ["a currency without a fixed fee", { currency: "CHF" as const }, 10_000n, 76n],
  ])("%s", (_, changes, minor, cost) => {
    expect(costOf(table, sampleFacts({ ...changes, minor }))).toBe(cost);
  });

  it("is rounded once, half-even", () => {
    const half: CostTable = {
      acquires: [],
      interchange: [{ bps: 20 }],
      scheme: [{ bps: 20 }],
      markup: [{ bps: 10 }],
    };
    // 50 basis points of 100 are 0.5, of 300 are 1.5; the parts rounded each for itself would all be 0.
    expect([100n, 300n, 500n].map((minor) => costOf(half, sampleFacts({ minor })))).toEqual([0n, 2n, 2n]);
  });

  it("never falls as the amount grows", () => {
    const minor = fc.bigInt(1n, 10n ** 12n);
    fc.assert(
      fc.property(
        minor,
        minor,
        fc.constantFrom(...currencies),
        fc.constantFrom(...EEA, "US", null),
        (a, b, currency, cardCountry) => {
          const facts = sampleFacts({ cardCountry });
          for (const each of Object.values(DEFAULT_COSTS)) {
            const [low, high] = [a < b ? a : b, a < b ? b : a].map((amount) =>
              costOf(each, { ...facts, amount: moneyOf(amount, currency) }),
            ) as [bigint, bigint];
            expect(low).toBeLessThanOrEqual(high);
          }
        },
      ),
    );
  });

  it("makes an acquirer with a small share the cheapest of large payments only", () => {
    const cheapest = (minor: bigint) =>
      ["stripe", "adyen", "mollie", "acquirer"].toSorted((a, b) =>
        Number(
          costOf(DEFAULT_COSTS[a] as CostTable, sampleFacts({ minor })) -
            costOf(DEFAULT_COSTS[b] as CostTable, sampleFacts({ minor })),
        ),
      )[0];
    expect([500n, 100_000n].map(cheapest)).toEqual(["mollie", "acquirer"]);
  });
});

describe("a table that is configured", () => {
  const withMarkup = (markup: CostTable["markup"]): CostTables => ({ default: { ...table, markup } });
  it.each([
    ["fractions of basis points", withMarkup([{ bps: 0.5 }])],
    ["negative fees", withMarkup([{ bps: -1 }])],
    ["unbelievable fees", withMarkup([{ bps: 4_000 }])],
    ["fractions of minor units", withMarkup([{ bps: 1, fixed: { EUR: 0.5 } }])],
    ["a part without a fee for everyone", withMarkup([{ brands: ["visa"], bps: 1 }])],
    ["an empty part", withMarkup([])],
    ["a fixed fee where another table has none", { ...withMarkup([{ bps: 1 }]), other: table }],
  ])("has no %s", (_, tables) => {
    expect(() => checkedCosts(tables)).toThrow(/invariant/);
  });
  it("is given back if it is right", () =>
    expect(checkedCosts({ default: table })).toEqual({ default: table }));
});
