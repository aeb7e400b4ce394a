/**
 * Reads the members of a JSON object as Adyen's validation does: a member that a structure does not have is refused by
 * name. So is one that Adyen has and this sandbox does not play, so that nothing is ignored silently.
 */

import { decimalsOf } from "./currencies.ts";
import { invalid, unreadable } from "./errors.ts";

export class Fields {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #structure: string;

  /** `structure` is the schema's name in the API's description. Throws a `Refusal` for what is not such an object. */
  constructor(value: unknown, structure: string, known: readonly string[] | null) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw unreadable(`Unexpected input for ${structure}: expected an object.`);
    }
    this.#members = value as Record<string, unknown>;
    this.#structure = structure;
    const unknown = known === null ? [] : Object.keys(value).filter((name) => !known.includes(name));
    if (unknown.length === 0) return;
    throw unreadable(
      `Structure of ${structure} contains the following unknown fields: [${unknown.join(", ")}]`,
    );
  }

  has(name: string): boolean {
    return this.#members[name] !== undefined;
  }

  text(name: string, { most = 10_000, least = 0 }: { most?: number; least?: number } = {}): string | null {
    const value = this.#members[name];
    if (value === undefined) return null;
    if (typeof value !== "string") throw this.#wrong(name, "a string");
    if (value.length > most || value.length < least) {
      throw invalid("702", `Field '${name}' is not of an acceptable length.`);
    }
    return value;
  }

  choice<const C extends string>(name: string, choices: readonly C[]): C | null {
    const value = this.text(name);
    if (value === null) return null;
    const found = choices.find((known) => known === value);
    if (found === undefined) throw this.#wrong(name, `one of ${choices.join(", ")}`);
    return found;
  }

  integer(name: string): number | null {
    const value = this.#members[name];
    if (value === undefined) return null;
    if (!Number.isSafeInteger(value)) throw this.#wrong(name, "an integer");
    return value as number;
  }

  object(name: string, structure: string, known: readonly string[] | null): Fields | null {
    return this.has(name) ? new Fields(this.#members[name], structure, known) : null;
  }

  /** All members, which must be strings: metadata and additional data. */
  texts(): Readonly<Record<string, string>> {
    for (const name of Object.keys(this.#members)) this.text(name);
    return this.#members as Record<string, string>;
  }

  /** The member `amount`, required. */
  amount(): { readonly value: number; readonly currency: string } {
    const amount = this.object("amount", "Amount", ["value", "currency"]);
    if (amount === null) throw invalid("100", "Required object 'amount' is not provided.");
    const currency = amount.text("currency");
    const value = amount.integer("value");
    if (currency === null || decimalsOf(currency) === undefined) {
      throw invalid("138", "Unsupported currency specified");
    }
    if (value === null || value < 0) throw invalid("137", "Invalid amount specified");
    return { value, currency };
  }

  #wrong(name: string, expected: string): Error {
    return unreadable(`Unexpected input for ${this.#structure}.${name}: expected ${expected}.`);
  }
}
