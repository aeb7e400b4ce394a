import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currencies, exponentOf, isCurrency } from "./currency.ts";
import {
  add,
  basisPoints,
  divideHalfEven,
  formatMoney,
  MAX_API_MINOR,
  moneyOf,
  parseAmount,
  subtract,
} from "./money.ts";

describe("money", () => {
  it.each([
    [1000n, "EUR", "10.00 EUR"],
    [5n, "EUR", "0.05 EUR"],
    [-5n, "EUR", "-0.05 EUR"],
    [500n, "JPY", "500 JPY"],
    [1234n, "KWD", "1.234 KWD"],
  ] as const)("formats %s %s as %s", (minor, currency, text) => {
    expect(formatMoney(moneyOf(minor, currency))).toBe(text);
  });

  it.each([
    [0n, "EUR", "AMOUNT_NOT_POSITIVE"],
    [-1n, "EUR", "AMOUNT_NOT_POSITIVE"],
    [MAX_API_MINOR + 1n, "EUR", "AMOUNT_TOO_LARGE"],
    [100n, "eur", "UNKNOWN_CURRENCY"],
    [100n, "XXX", "UNKNOWN_CURRENCY"],
    [100n, "constructor", "UNKNOWN_CURRENCY"],
  ])("refuses %s %s with %s", (minor, currency, code) => {
    expect(parseAmount(minor, currency)).toEqual({ ok: false, error: { code } });
  });

  it("takes the largest amount", () => {
    expect(parseAmount(MAX_API_MINOR, "EUR").ok).toBe(true);
  });

  it("never mixes currencies, also where types were cast away", () => {
    const eur = moneyOf(1n, "EUR");
    const usd = moneyOf(1n, "USD") as never;
    expect(() => add(eur, usd)).toThrow(/one currency/);
    expect(() => subtract(eur, usd)).toThrow(/one currency/);
  });

  it("rounds half to even, for every sign", () => {
    expect([5n, 15n, 25n, -5n, -15n, 14n, 16n, -14n, -16n].map((n) => divideHalfEven(n, 10n))).toEqual([
      0n,
      2n,
      2n,
      0n,
      -2n,
      1n,
      2n,
      -1n,
      -2n,
    ]);
  });

  it("rounds to a nearest integer, and on a tie to the even one", () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.bigInt(1n, 10n ** 9n), (numerator, divisor) => {
        const rounded = divideHalfEven(numerator, divisor);
        const distance = 2n * (rounded * divisor - numerator);
        const absolute = distance < 0n ? -distance : distance;
        expect(absolute <= divisor).toBe(true);
        if (absolute === divisor) expect(rounded % 2n).toBe(0n);
      }),
    );
  });

  it("takes basis points without floats", () => {
    expect(basisPoints(MAX_API_MINOR, 290)).toBe(261_208_778_387_489n);
    expect(basisPoints(10_000n, 0)).toBe(0n);
    expect(() => basisPoints(1n, 0.5)).toThrow(/whole number/);
  });
});

const table = new URL("../../../shared/data/iso4217/codes-all.csv", import.meta.url);
const hasTable = existsSync(table);
if (!hasTable)
  console.warn(
    "skipped: ../shared/data/iso4217 is absent, currencies are not compared with the standard's list",
  );

describe.skipIf(!hasTable)("the currency table against ISO 4217", () => {
  /** Changes after the list was made (mid-2024), and codes that nobody is paid in. */
  const ADDED = ["XCG", "ZWG"];
  const WITHDRAWN = ["ANG", "BGN", "CUC", "HRK", "SLL", "ZWL"];
  const NO_MONEY = ["BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"];

  const listed = new Map<string, number>();
  if (hasTable) {
    for (const line of readFileSync(table, "utf8").split("\n").slice(1)) {
      const fields = line
        .trim()
        .match(/("([^"]*)"|[^,]*)(,|$)/g)
        ?.map((field) => field.replace(/,$/, "").replaceAll('"', ""));
      const [, , code, , minor, withdrawn] = fields ?? [];
      if (code && !withdrawn && /^\d$/.test(minor ?? "") && !code.startsWith("X"))
        listed.set(code, Number(minor));
      if (code && !withdrawn && ["XAF", "XOF", "XPF", "XCD"].includes(code)) listed.set(code, Number(minor));
    }
  }

  it("has every active currency with its exponent", () => {
    for (const [code, exponent] of listed) {
      if (WITHDRAWN.includes(code) || NO_MONEY.includes(code)) continue;
      expect(isCurrency(code) ? exponentOf(code) : "missing", code).toBe(exponent);
    }
  });

  it("has no currency that is not in use", () => {
    const unknown = currencies.filter((code) => !listed.has(code) && !ADDED.includes(code));
    expect(unknown).toEqual([]);
    for (const code of WITHDRAWN) expect(isCurrency(code), code).toBe(false);
  });
});
