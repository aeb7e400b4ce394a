/**
 * Ids as Stripe makes them: a prefix that names the object, then letters and digits.
 */

import { randomText } from "../kit/ids.ts";

const RANDOM_LENGTH = 24;

/** The prefixes that this sandbox gives out. */
export type IdPrefix = "pi" | "ch" | "re" | "pm" | "cus" | "txn" | "evt" | "req";

/** A fresh id, for example `pi_4fJ…`. Payment objects begin with 3 after the prefix, as Stripe's do. */
export function newId(prefix: IdPrefix): string {
  const generation =
    prefix === "pm" || prefix === "evt" ? "1" : prefix === "req" || prefix === "cus" ? "" : "3";
  return `${prefix}_${generation}${randomText(RANDOM_LENGTH)}`;
}
