import type { Currency } from "../currency.ts";
import type { Kind, Type, Value, ValueOf } from "./values.ts";

/** Gives a field's value from the facts; null and undefined are "missing". */
export type Read<F, K extends Kind> = (facts: F) => ValueOf<K> | null | undefined;

export type Field<F> = {
  readonly type: Type;
  /** Whether it can be missing; only then can a rule ask `is missing`. */
  readonly optional: boolean;
  /** For people who write rules. */
  readonly about: string;
  readonly read: (facts: F) => unknown;
};

type About = { readonly about?: string; readonly optional?: boolean };
type TextAbout = About & { readonly values?: readonly string[] };
type MoneyAbout = About & { readonly currency?: Currency };

const fieldOf =
  <K extends Kind>(kind: K) =>
  <F>(read: Read<F, K>, about: TextAbout & MoneyAbout = {}): Field<F> => ({
    type: { kind, values: about.values, currency: about.currency },
    optional: about.optional ?? false,
    about: about.about ?? "",
    read,
  });

/** Makes the declaration of a field of each kind from the function that reads it. */
export const field: {
  readonly [K in Kind]: <F>(
    read: Read<F, K>,
    about?: K extends "text" | "texts" ? TextAbout : K extends "money" ? MoneyAbout : About,
  ) => Field<F>;
} = {
  text: fieldOf("text"),
  integer: fieldOf("integer"),
  decimal: fieldOf("decimal"),
  boolean: fieldOf("boolean"),
  money: fieldOf("money"),
  instant: fieldOf("instant"),
  duration: fieldOf("duration"),
  texts: fieldOf("texts"),
};

/** A function's parameter. `literal`: given as it is, so that what a rule will ask for is known beforehand. */
export type Parameter = Type & { readonly name: string; readonly literal?: boolean };

export type FunctionDeclaration<F> = {
  readonly parameters: readonly Parameter[];
  readonly gives: Type;
  /** Steps that a call takes at most, where a comparison takes one. */
  readonly cost: number;
  readonly about: string;
  readonly call: (facts: F, ...values: readonly Value[]) => unknown;
};

type ValuesOf<P extends readonly Parameter[]> = { readonly [I in keyof P]: ValueOf<P[I]["kind"]> };

/**
 * Declares a function. `call` gets the facts and the values, all of them present: a call with a missing value is
 * unknown and not made. It is synchronous, does no I/O, and gives null or undefined if there is no answer.
 */
export function func<F, const P extends readonly Parameter[], K extends Kind>(
  shape: {
    readonly parameters: P;
    readonly gives: Type & { readonly kind: K };
    readonly cost: number;
    readonly about?: string;
  },
  call: (facts: F, ...values: ValuesOf<P>) => ValueOf<NoInfer<K>> | null | undefined,
): FunctionDeclaration<F> {
  // The check has seen to it that a call's values are of the kinds that its parameters have.
  const checked = call as (facts: F, ...values: readonly Value[]) => unknown;
  return { ...shape, about: shape.about ?? "", call: checked };
}

/** A list that rules name with @: blocked BINs, trusted countries. `has` is undefined where the list is not at hand. */
export type ListDeclaration<F> = {
  readonly about?: string;
  /** Steps of a look at most; 4 unless said otherwise. */
  readonly cost?: number;
  readonly has: (facts: F, text: string) => boolean | undefined;
};
