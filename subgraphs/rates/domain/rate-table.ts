import { Decimal } from "decimal.js";
import { type Currency, exponentOf } from "../../kernel/currency.ts";
import { MAX_LEDGER_MINOR, type Money, moneyOf } from "../../kernel/money.ts";
import type { ReferenceRate } from "./reference-rate.ts";

/**
 * Rates of one moment, and amounts by them. For comparing: what a payment costs through a provider, whether it is below
 * a limit that is given in another currency. What is booked is converted at the rate that was agreed for it.
 */
export interface RateTable {
  readonly rates: readonly ReferenceRate[];
  /**
   * The amount in another currency's minor units, rounded half-even once, at the end. By the pair's rate, the inverse of
   * its reverse, or over EUR, else USD. Null if these rates do not lead there, or beyond what a ledger holds.
   */
  convert<C extends Currency>(amount: Money, to: C): Converted<C> | null;
}

export type Converted<C extends Currency = Currency> = {
  readonly money: Money<C>;
  /** Of the oldest rate that was used; null if none was needed. */
  readonly asOf: Date | null;
};

/** Currencies over which two others meet, in this order. */
const PIVOTS: readonly Currency[] = ["EUR", "USD"];

/**
 * Enough for the result to be exact: an amount has at most 19 digits and a rate 24, so products are exact, and a quotient
 * that is no tie differs from one by more than 1 in 10^45, which these digits show.
 */
const Exact = Decimal.clone({
  precision: 160,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpPos: 100,
  toExpNeg: -100,
});

/** `numerator / denominator` units of the one currency for one of the other. */
type Ratio = { readonly numerator: Decimal; readonly denominator: Decimal; readonly asOf: Date | null };

const ONE = new Exact(1);
const SAME: Ratio = { numerator: ONE, denominator: ONE, asOf: null };

/** @param rates each pair at most once */
export function rateTable(rates: readonly ReferenceRate[]): RateTable {
  const direct = new Map<string, Ratio>();
  for (const { base, quote, rate, asOf } of rates) {
    const parsed = new Exact(rate);
    direct.set(`${base} ${quote}`, { numerator: parsed, denominator: ONE, asOf });
    // A published pair counts before the inverse of its reverse, whichever comes first.
    if (!rates.some((other) => other.base === quote && other.quote === base))
      direct.set(`${quote} ${base}`, { numerator: ONE, denominator: parsed, asOf });
  }
  const found = new Map<string, Ratio | null>();
  const ratio = (from: Currency, to: Currency): Ratio | null => {
    const pair = `${from} ${to}`;
    let known = found.get(pair);
    if (known === undefined) {
      known = from === to ? SAME : (direct.get(pair) ?? overPivot(direct, from, to));
      found.set(pair, known);
    }
    return known;
  };
  return {
    rates,
    convert(amount, to) {
      const by = ratio(amount.currency, to);
      if (by === null) return null;
      const minor = convertMinor(amount, to, by);
      return minor === null ? null : { money: moneyOf(minor, to), asOf: by.asOf };
    },
  };
}

function overPivot(direct: ReadonlyMap<string, Ratio>, from: Currency, to: Currency): Ratio | null {
  for (const pivot of PIVOTS) {
    const [first, second] = [direct.get(`${from} ${pivot}`), direct.get(`${pivot} ${to}`)];
    if (first !== undefined && second !== undefined)
      return {
        numerator: first.numerator.times(second.numerator),
        denominator: first.denominator.times(second.denominator),
        asOf: older(first.asOf, second.asOf),
      };
  }
  return null;
}

const older = (a: Date | null, b: Date | null): Date | null => {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
};

function convertMinor({ minor, currency }: Money, to: Currency, by: Ratio): bigint | null {
  if (currency === to) return minor;
  const shift = new Exact(10).pow(exponentOf(to) - exponentOf(currency));
  const exact = new Exact(minor.toString()).times(by.numerator).times(shift).div(by.denominator);
  const rounded = BigInt(exact.toDecimalPlaces(0).toFixed());
  return rounded > MAX_LEDGER_MINOR || rounded < -MAX_LEDGER_MINOR ? null : rounded;
}
