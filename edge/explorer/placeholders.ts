import { Obstacle } from "./api.ts";

/**
 * What a variable may say in place of a value, such as `"idempotencyKey": "{{newKey}}"`. They are filled in each
 * time the operation is run, so the examples can be run again and again, and no token is kept in a tab's text.
 */
export const PLACEHOLDERS = {
  newKey: "A fresh UUID for every run, so that a run is never a repetition of the one before.",
  cardToken: "The card token in the page's header.",
  payment: "Your newest payment; made first if you have none.",
  authorizedPayment:
    "The newest payment that was authorized on this page and waits; made first if there is none.",
  capturedPayment:
    "The newest payment that was made on this page and is captured; made first if there is none.",
} as const;

export type Placeholder = keyof typeof PLACEHOLDERS;

/** What a placeholder became in a run. */
export type FilledIn = { readonly name: Placeholder; readonly value: string };

/** Only a whole string is a placeholder: nothing is spliced into text. */
const WHOLE = /^\{\{\s*(\w+)\s*\}\}$/;

const isPlaceholder = (name: string): name is Placeholder => Object.hasOwn(PLACEHOLDERS, name);

/**
 * Fills in the placeholders among `variables`; one that stands in two places gets the same value in both.
 * @returns the variables to send, and what was filled in
 * @throws Obstacle if there is no such placeholder
 */
export async function fillIn(
  variables: unknown,
  valueOf: (name: Placeholder) => Promise<string>,
): Promise<{ readonly variables: unknown; readonly filledIn: readonly FilledIn[] }> {
  const values = new Map<Placeholder, string>();
  const fill = async (value: unknown): Promise<unknown> => {
    if (typeof value === "string") {
      const name = WHOLE.exec(value)?.[1];
      if (name === undefined) return value;
      if (!isPlaceholder(name)) {
        const known = Object.keys(PLACEHOLDERS).map((one) => `{{${one}}}`);
        throw new Obstacle(`There is no placeholder ${value}. There are ${known.join(", ")}.`);
      }
      const filled = values.get(name) ?? (await valueOf(name));
      values.set(name, filled);
      return filled;
    }
    if (Array.isArray(value)) return inOrder(value, fill);
    if (typeof value !== "object" || value === null) return value;
    const entries = await inOrder(
      Object.entries(value),
      async ([name, one]) => [name, await fill(one)] as const,
    );
    return Object.fromEntries(entries);
  };
  const filled = await fill(variables);
  return { variables: filled, filledIn: [...values].map(([name, value]) => ({ name, value })) };
}

/** One after the other: two placeholders may each have to make a payment first. */
async function inOrder<T, U>(values: readonly T[], work: (value: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  for (const value of values) results.push(await work(value));
  return results;
}
