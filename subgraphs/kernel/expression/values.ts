import type { Currency } from "../currency.ts";
import { LIMITS } from "./limits.ts";

/** What a field, a function's parameter or its result is. */
export type Kind = "text" | "integer" | "decimal" | "boolean" | "money" | "instant" | "duration" | "texts";

/** An amount in minor units of a currency; `Money` is one. Arithmetic inside an expression makes others. */
export type Amount = { readonly minor: bigint; readonly currency: string };

/**
 * What a value of each kind is among the facts and in functions: an integer is a safe number or a bigint, an instant a
 * Date or its milliseconds since 1970, a duration milliseconds.
 */
export type ValueOf<K extends Kind> = {
  readonly text: string;
  readonly integer: number | bigint;
  readonly decimal: number;
  readonly boolean: boolean;
  readonly money: Amount;
  readonly instant: Date | number;
  readonly duration: number;
  readonly texts: readonly string[] | ReadonlySet<string>;
}[K];

/**
 * What evaluation works with, one form for each value: an integer is a number where that is exact and a bigint
 * elsewhere, so that `===` compares integers; an instant is milliseconds.
 */
export type Value = string | number | bigint | boolean | Amount | readonly string[] | ReadonlySet<string>;

export type Type = {
  readonly kind: Kind;
  /** All that a text can be, where that is known: what is compared with something else is a slip. */
  readonly values?: readonly string[] | undefined;
  /** The currency of an amount, where it is always the same. */
  readonly currency?: Currency | undefined;
};

/** The one form of an integer. */
export function integer(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

const finite = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** The farthest moment that a Date can hold, in milliseconds on either side of 1970. */
export const FARTHEST_INSTANT_MS = 8.64e15;

/**
 * For each kind, the value that something found among the facts stands for; undefined (missing) for null, for nothing,
 * and for what is not of the kind: facts are not believed, and never make an evaluation throw.
 */
export const accept: Readonly<Record<Kind, (found: unknown) => Value | undefined>> = {
  text: (found) => (typeof found === "string" ? found : undefined),
  integer: (found) => {
    if (typeof found === "bigint") return integer(found);
    return Number.isSafeInteger(found) ? (found as number) : undefined;
  },
  decimal: finite,
  boolean: (found) => (typeof found === "boolean" ? found : undefined),
  money: (found) => {
    if (typeof found !== "object" || found === null) return undefined;
    const { minor, currency } = found as Partial<Amount>;
    return typeof minor === "bigint" && typeof currency === "string" ? (found as Amount) : undefined;
  },
  instant: (found) => {
    const ms = finite(found instanceof Date ? found.getTime() : found);
    return ms === undefined || Math.abs(ms) > FARTHEST_INSTANT_MS ? undefined : ms;
  },
  duration: finite,
  texts: (found) => {
    if (Array.isArray(found)) return found.length <= LIMITS.factItems ? (found as string[]) : undefined;
    return found instanceof Set ? (found as ReadonlySet<string>) : undefined;
  },
};

const NAMES: Readonly<Record<Kind, string>> = {
  text: "a text",
  integer: "a whole number",
  decimal: "a decimal number",
  boolean: "a condition",
  money: "an amount",
  instant: "a moment",
  duration: "a duration",
  texts: "a list of texts",
};

/** For messages: "an amount in EUR". */
export function nameOf({ kind, currency }: Type): string {
  return currency === undefined ? NAMES[kind] : `${NAMES[kind]} in ${currency}`;
}
