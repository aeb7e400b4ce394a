import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Currency, currencies, exponentOf } from "../../kernel/currency.ts";
import { divideHalfEven, moneyOf } from "../../kernel/money.ts";
import { rateTable } from "./rate-table.ts";
import { parseReferenceRates, type ReferenceRate } from "./reference-rate.ts";

const AT = new Date("2026-11-20T15:00:00Z");
const BEFORE = new Date("2026-11-19T15:00:00Z");
const rate = (pair: string, text: string, asOf = AT): ReferenceRate => {
  const [base, quote] = pair.split("/") as [ReferenceRate["base"], ReferenceRate["quote"]];
  return { base, quote, rate: text, source: "test", asOf };
};
const table = rateTable([
  rate("EUR/USD", "1.25"),
  rate("EUR/JPY", "160.5", BEFORE),
  rate("EUR/KWD", "0.333"),
  rate("USD/CLP", "950.5"),
  rate("USD/PEN", "3.75", BEFORE),
]);

describe("an amount in another currency", () => {
  it.each([
    ["by the pair's rate", 1_000n, "EUR", "USD", 1_250n],
    ["by the inverse of its reverse", 1_000n, "USD", "EUR", 800n],
    ["over EUR", 1_000n, "USD", "JPY", 1_284n],
    ["over USD, where EUR does not lead there", 100n, "PEN", "CLP", 253n],
    ["into its own", 7n, "JPY", "JPY", 7n],
    ["into one without decimals, half to even", 100n, "EUR", "JPY", 160n],
    ["into one without decimals, half to even, up", 300n, "EUR", "JPY", 482n],
    ["into one with three", 1_000n, "EUR", "KWD", 3_330n],
    ["from one with three", 3_330n, "KWD", "EUR", 1_000n],
    ["which is negative", -300n, "EUR", "JPY", -482n],
    ["of nothing", 0n, "EUR", "USD", 0n],
  ] as const)("%s", (_, minor, from, to, expected) => {
    expect(table.convert(moneyOf(minor, from), to)?.money).toEqual(moneyOf(expected, to));
  });

  it("is as old as the oldest rate that made it", () => {
    expect(table.convert(moneyOf(1n, "USD"), "JPY")?.asOf).toEqual(BEFORE);
    expect(table.convert(moneyOf(1n, "USD"), "EUR")?.asOf).toEqual(AT);
    expect(table.convert(moneyOf(1n, "USD"), "USD")?.asOf).toBeNull();
  });

  it("is not known where no rate leads", () => {
    expect(table.convert(moneyOf(1n, "EUR"), "CHF")).toBeNull();
    expect(table.convert(moneyOf(1n, "CLP"), "JPY")).toBeNull();
    expect(rateTable([]).convert(moneyOf(1n, "EUR"), "USD")).toBeNull();
  });

  it("is not known beyond what a ledger holds", () => {
    const huge = rateTable([rate("EUR/KWD", "999999999999.999999999999")]);
    expect(huge.convert(moneyOf(2n ** 62n, "EUR"), "KWD")).toBeNull();
  });

  it("is made by the published rate, not by the inverse of its reverse, in whatever order they are given", () => {
    const both = [rate("EUR/USD", "1.25"), rate("USD/EUR", "0.79")];
    for (const rates of [both, both.toReversed()])
      expect(rateTable(rates).convert(moneyOf(100n, "USD"), "EUR")?.money.minor).toBe(79n);
  });
});

describe("the arithmetic", () => {
  const text = fc
    .tuple(fc.bigInt(0n, 10n ** 12n - 1n), fc.bigInt(0n, 10n ** 12n - 1n))
    .filter(([whole, fraction]) => whole + fraction > 0n)
    .map(([whole, fraction]) => `${whole}.${fraction.toString().padStart(12, "0")}`);
  const scaled = (rateText: string) => BigInt(rateText.replace(".", ""));
  const SCALE = 10n ** 12n;
  const minors = fc.bigInt(-(2n ** 62n), 2n ** 62n);
  const abroad = fc.constantFrom(...currencies.filter((code) => code !== "EUR" && code !== "USD"));

  /** numerator / denominator of the conversion, in whole numbers, rounded as money is. */
  const expected = (minor: bigint, shift: number, numerator: bigint, denominator: bigint) =>
    divideHalfEven(
      minor * numerator * (shift > 0 ? 10n ** BigInt(shift) : 1n),
      denominator * (shift < 0 ? 10n ** BigInt(-shift) : 1n),
    );
  const within = (minor: bigint) => (minor > 2n ** 62n || minor < -(2n ** 62n) ? undefined : minor);

  it("agrees with whole numbers: a rate, its inverse, and over a pivot", () => {
    fc.assert(
      fc.property(minors, text, text, abroad, abroad, (minor, a, b, from, to) => {
        fc.pre(from !== to);
        const rates = rateTable([rate(`EUR/${from}`, a), rate(`EUR/${to}`, b)]);
        const shift = (x: Currency, y: Currency) => exponentOf(y) - exponentOf(x);
        const [ra, rb] = [scaled(a), scaled(b)];
        const got = (x: Currency, y: Currency) => rates.convert(moneyOf(minor, x), y)?.money.minor;
        expect(got("EUR", from)).toBe(within(expected(minor, shift("EUR", from), ra, SCALE)));
        expect(got(from, "EUR")).toBe(within(expected(minor, shift(from, "EUR"), SCALE, ra)));
        expect(got(from, to)).toBe(within(expected(minor, shift(from, to), rb, ra)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("sees what is past a tie by 1 in 10^43, which is the least that it can be", () => {
    // Of a = EUR/GBP and b = EUR/SEK such that 2^61 b / a = n / 2 + 1 / 2a, n odd, n / 2 rounded down even.
    const modulus = 2n ** 62n;
    let tried = 0;
    for (let a = 999_999_999_999_000_000_000_001n; tried < 20; a -= 2n) {
      const n = modulus - inverseOf(a, modulus);
      if (n % 4n !== 1n || a % 10n === 0n) continue;
      tried++;
      const written = (units: bigint) => `${units / SCALE}.${(units % SCALE).toString().padStart(12, "0")}`;
      const b = (a * n + 1n) / modulus;
      const rates = rateTable([rate("EUR/GBP", written(a)), rate("EUR/SEK", written(b))]);
      expect(rates.convert(moneyOf(2n ** 61n, "GBP"), "SEK")?.money.minor).toBe(n / 2n + 1n);
    }
  });

  it("rounds ties to the even neighbour, and what is nearly a tie to where it is nearer", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 9n), (units) => {
        const half = rateTable([rate("EUR/JPY", "0.5")]);
        const odd = moneyOf((2n * units + 1n) * 100n, "EUR");
        expect(half.convert(odd, "JPY")?.money.minor).toBe(units % 2n === 0n ? units : units + 1n);
        const above = rateTable([rate("EUR/JPY", "0.500000000001")]);
        expect(above.convert(odd, "JPY")?.money.minor).toBe(
          divideHalfEven((2n * units + 1n) * 500_000_000_001n, SCALE),
        );
      }),
    );
  });
});

/** Of an odd number, modulo a power of two (Newton's iteration). */
function inverseOf(odd: bigint, modulus: bigint): bigint {
  let inverse = 1n;
  for (let i = 0; i < 7; i++) inverse = (inverse * (2n - odd * inverse)) % modulus;
  return ((inverse % modulus) + modulus) % modulus;
}

describe("rates from configuration", () => {
  const one = { base: "EUR", quote: "USD", rate: "1.0832", source: "ECB", asOf: "2026-11-20T15:00:00Z" };
  const parse = (...rates: object[]) => parseReferenceRates(JSON.stringify(rates));

  it("are read", () => {
    expect(parse(one)).toEqual([{ ...one, asOf: AT }]);
    expect(parse()).toEqual([]);
  });

  it.each([
    ["no currency", { base: "EURO" }],
    ["a pair of one", { base: "USD" }],
    ["a number", { rate: 1.0832 }],
    ["nothing", { rate: "0.000" }],
    ["less than nothing", { rate: "-1" }],
    ["an exponent", { rate: "1e3" }],
    ["too many digits", { rate: "1.0000000000001" }],
    ["a comma", { rate: "1,08" }],
    ["no source", { source: "" }],
    ["no time", { asOf: "yesterday" }],
    ["something else", { spread: "1" }],
  ])("are refused with %s", (_, wrong) => {
    expect(() => parse({ ...one, ...wrong })).toThrow("the reference rates are not right");
  });

  it("are refused twice for one pair, and where they are no JSON", () => {
    expect(() => parse(one, { ...one, rate: "1.1" })).toThrow("each pair once");
    expect(() => parseReferenceRates("EUR/USD 1.08")).toThrow("not JSON");
  });
});
