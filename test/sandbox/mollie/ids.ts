/**
 * Identifiers in Mollie's shape: a prefix that names the object, then letters and digits.
 */

import { randomText } from "../kit/ids.ts";

export type IdPrefix = "tr" | "cpt" | "re" | "cst" | "mdt" | "event";

export const newId = (prefix: IdPrefix): string => `${prefix}_${randomText(22)}`;
