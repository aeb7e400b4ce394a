/**
 * Reads members of a request's body. What is wrong is refused with a 422 that names the field.
 */

import { type ReadAmount, readAmount } from "./amounts.ts";
import { unprocessable } from "./errors.ts";

export type Body = Readonly<Record<string, unknown>>;

const MAX_DESCRIPTION = 255;
const MAX_METADATA_BYTES = 1024;

/** Text; null where it is absent or null. */
export function optionalText(body: Body, field: string): string | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") unprocessable(`The '${field}' field must be a string`, field);
  return value as string;
}

/** Mollie cuts descriptions that are too long, and refuses none for it. */
export function description(body: Body): string {
  const text = optionalText(body, "description");
  if (text === null || text === "") unprocessable("The 'description' field is missing", "description");
  return (text as string).slice(0, MAX_DESCRIPTION);
}

export function optionalDescription(body: Body): string | null {
  return optionalText(body, "description")?.slice(0, MAX_DESCRIPTION) ?? null;
}

/** More than nothing, in a currency that cards are charged in. */
export function amount(body: Body): { readonly minor: number; readonly currency: string } {
  const sent = body["amount"];
  if (sent === undefined || sent === null) unprocessable("The 'amount' field is missing", "amount");
  const read: ReadAmount = readAmount(sent);
  if (!read.ok) {
    return unprocessable(read.because, read.member === null ? "amount" : `amount.${read.member}`);
  }
  if (read.minor === 0) unprocessable("The amount is lower than the minimum", "amount");
  return read;
}

export function choice<const C extends string>(
  body: Body,
  field: string,
  choices: readonly C[],
  initial: C,
): C {
  const text = optionalText(body, field);
  if (text === null) return initial;
  const known = choices.find((one) => one === text);
  return known ?? unprocessable(`The '${field}' field is invalid`, field);
}

/** An http address; null where it is absent. */
export function address(body: Body, field: string): string | null {
  const text = optionalText(body, field);
  if (text === null) return null;
  const valid = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return valid ? text : unprocessable(`The ${field} is invalid`, field);
}

export function metadata(body: Body): unknown {
  const value = body["metadata"] ?? null;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MAX_METADATA_BYTES) unprocessable("The metadata is larger than 1 kB", "metadata");
  return value;
}

/** Refuses what Mollie has and this sandbox does not play, so that nothing is ignored silently. */
export function refuseOthers(body: Body, played: readonly string[]): void {
  const other = Object.keys(body).find((name) => !played.includes(name));
  if (other !== undefined) unprocessable(`This sandbox does not play '${other}'`, other);
}
