import { type Currency, exponentOf, isCurrency } from "./currency.ts";
import { err, invariant, ok, type Result } from "./result.ts";

declare const brand: unique symbol;

/** An amount in minor units (cents, yen, fils) of one currency. Only `moneyOf` and the arithmetic here make one. */
export type Money<C extends Currency = Currency> = {
  readonly minor: bigint;
  readonly currency: C;
  readonly [brand]: true;
};

/** The largest amount that the API takes, 2^53-1 minor units: what every JSON number carries exactly. */
export const MAX_API_MINOR = 9_007_199_254_740_991n;
/** The largest amount that the ledger keeps in one account or transfer, 2^62 minor units. */
export const MAX_LEDGER_MINOR = 2n ** 62n;

export type MoneyError = { readonly code: "UNKNOWN_CURRENCY" | "AMOUNT_TOO_LARGE" | "AMOUNT_NOT_POSITIVE" };

const make = <C extends Currency>(minor: bigint, currency: C): Money<C> => {
  invariant(minor <= MAX_LEDGER_MINOR && minor >= -MAX_LEDGER_MINOR, "an amount is within 2^62 minor units");
  return { minor, currency } as Money<C>;
};

/** Builds money from trusted parts (our own rows); throws if the ledger's limit is passed. */
export function moneyOf<C extends Currency>(minor: bigint, currency: C): Money<C> {
  return make(minor, currency);
}

/** Builds a payable amount from what a stranger sent: 1 to 2^53-1 minor units of a known currency. */
export function parseAmount(minor: bigint, currency: string): Result<Money, MoneyError> {
  if (!isCurrency(currency)) return err({ code: "UNKNOWN_CURRENCY" });
  if (minor <= 0n) return err({ code: "AMOUNT_NOT_POSITIVE" });
  if (minor > MAX_API_MINOR) return err({ code: "AMOUNT_TOO_LARGE" });
  return ok(make(minor, currency));
}

export function add<C extends Currency>(a: Money<C>, b: Money<NoInfer<C>>): Money<C> {
  invariant(a.currency === b.currency, "added amounts have one currency");
  return make(a.minor + b.minor, a.currency);
}

export function subtract<C extends Currency>(a: Money<C>, b: Money<NoInfer<C>>): Money<C> {
  invariant(a.currency === b.currency, "subtracted amounts have one currency");
  return make(a.minor - b.minor, a.currency);
}

export const zero = <C extends Currency>(currency: C): Money<C> => make(0n, currency);

/** `numerator / denominator` rounded to the nearest integer, ties to the even one (IEEE 754 roundTiesToEven). */
export function divideHalfEven(numerator: bigint, denominator: bigint): bigint {
  invariant(denominator > 0n, "a divisor is positive");
  const floor = numerator >= 0n ? numerator / denominator : -((-numerator + denominator - 1n) / denominator);
  const twice = (numerator - floor * denominator) * 2n;
  if (twice < denominator) return floor;
  if (twice > denominator) return floor + 1n;
  return floor % 2n === 0n ? floor : floor + 1n;
}

/** `bps` ten-thousandths of `minor`, half-even. */
export function basisPoints(minor: bigint, bps: number): bigint {
  invariant(Number.isInteger(bps) && bps >= 0, "basis points are a whole number, 0 or more");
  return divideHalfEven(minor * BigInt(bps), 10_000n);
}

/** For people: "10.00 EUR", "500 JPY", "1.234 KWD". */
export function formatMoney(money: Money): string {
  const exponent = exponentOf(money.currency);
  const sign = money.minor < 0n ? "-" : "";
  const digits = (money.minor < 0n ? -money.minor : money.minor).toString().padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  return `${sign}${whole}${exponent === 0 ? "" : `.${digits.slice(-exponent)}`} ${money.currency}`;
}
