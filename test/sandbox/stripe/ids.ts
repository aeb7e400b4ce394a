/**
 * Identifiers in Stripe's shape: a prefix that names the object, then letters and digits.
 */

import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_LENGTH = 24;

/** The prefixes that this sandbox gives out. */
export type IdPrefix = "pi" | "ch" | "re" | "pm" | "txn" | "req" | "fault";

/** A fresh id, for example `pi_4fJ…`. Payment objects begin with 3 after the prefix, as Stripe's do. */
export function newId(prefix: IdPrefix): string {
  const generation = prefix === "pm" ? "1" : prefix === "req" || prefix === "fault" ? "" : "3";
  return `${prefix}_${generation}${randomText(RANDOM_LENGTH)}`;
}

/** `length` random letters and digits; the small bias of the modulo is harmless in a test double. */
export function randomText(length: number): string {
  let text = "";
  for (const byte of randomBytes(length)) text += ALPHABET[byte % ALPHABET.length];
  return text;
}
