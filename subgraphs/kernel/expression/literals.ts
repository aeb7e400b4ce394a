import { type Currency, exponentOf, isCurrency } from "../currency.ts";
import { MAX_LEDGER_MINOR } from "../money.ts";
import type { ErrorCode } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { type DurationUnit, type Literal, type Span, UNIT_MS } from "./syntax.ts";
import type { Token } from "./tokens.ts";

/** A number as written, with what follows it: 5, 0.25, 90d, 12.50 EUR. */
export type Written = { readonly digits: string; readonly suffix: string; readonly at: Span };
type Wrong = { readonly code: ErrorCode; readonly message: string };

const isUnit = (suffix: string): suffix is DurationUnit => Object.hasOwn(UNIT_MS, suffix);

/** Whether a token is a currency's code after a number, right or wrong. */
export const looksLikeCurrency = (token: Token): boolean =>
  token.kind === "name" && /^[A-Z]{3}$/.test(token.text);

/** The literal that a number stands for, or what is wrong with it. */
export function numberLiteral({ digits, suffix, at }: Written): Literal | Wrong {
  if (digits.replace(".", "").length > LIMITS.digits)
    return { code: "BAD_NUMBER", message: `a number has at most ${LIMITS.digits} digits` };
  const whole = !digits.includes(".");
  if (suffix === "") return whole ? { kind: "integer", value: BigInt(digits), at } : decimal(digits, at);
  if (isUnit(suffix)) {
    if (!whole) return { code: "BAD_NUMBER", message: "a duration is a whole number: 90m instead of 1.5h" };
    const count = Number(digits);
    if (!Number.isSafeInteger(count * UNIT_MS[suffix]))
      return { code: "BAD_NUMBER", message: "this duration is too long" };
    return { kind: "duration", count, unit: suffix, at };
  }
  if (!/^[A-Z]{3}$/.test(suffix)) {
    const message = `"${suffix}" is no unit of time (ms s m h d w) and no currency`;
    return { code: "BAD_NUMBER", message };
  }
  if (!isCurrency(suffix))
    return { code: "UNKNOWN_CURRENCY", message: `"${suffix}" is not the ISO 4217 code of a currency` };
  return money(digits, suffix, at);
}

function decimal(digits: string, at: Span): Literal {
  const [whole = "", fraction = ""] = digits.split(".");
  const trimmed = fraction.replace(/0+$/, "");
  return { kind: "decimal", digits: `${BigInt(whole)}.${trimmed === "" ? "0" : trimmed}`, at };
}

function money(digits: string, currency: Currency, at: Span): Literal | Wrong {
  const [whole = "", fraction = ""] = digits.split(".");
  const exponent = exponentOf(currency);
  if (fraction.length > exponent) {
    const decimals = exponent === 0 ? "no decimals" : `at most ${exponent} decimals`;
    return { code: "BAD_NUMBER", message: `an amount in ${currency} has ${decimals}` };
  }
  const minor = BigInt(whole + fraction.padEnd(exponent, "0"));
  if (minor > MAX_LEDGER_MINOR) return { code: "BAD_NUMBER", message: "no amount is as large as this" };
  return { kind: "money", minor, currency, at };
}

/** The literal with the other sign; null for what has none. */
export function opposite(literal: Literal, at: Span): Literal | null {
  switch (literal.kind) {
    case "integer":
      return { ...literal, value: -literal.value, at };
    case "decimal": {
      const { digits } = literal;
      return { ...literal, digits: digits.startsWith("-") ? digits.slice(1) : `-${digits}`, at };
    }
    case "money":
      return { ...literal, minor: -literal.minor, at };
    case "duration":
      // 0 - count, since -0 would be written differently from 0.
      return { ...literal, count: 0 - literal.count, at };
    default:
      return null;
  }
}
