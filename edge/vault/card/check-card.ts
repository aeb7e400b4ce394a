import * as v from "valibot";
import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import { type Brand, checkNumber } from "./brand.ts";

/** A card that passed every check which needs no issuer. Lives in memory only, for one request. */
export type Card = {
  readonly number: string;
  readonly brand: Brand;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvc: string | null;
};

export type CardRefusal = {
  readonly code:
    | "INVALID_NUMBER"
    | "UNSUPPORTED_BRAND"
    | "INVALID_EXPIRY"
    | "EXPIRED_CARD"
    | "INVALID_CVC"
    | "DECRYPTION_FAILED";
  readonly field?: "number" | "expiry" | "cvc";
};

const MAX_YEARS_AHEAD = 20;
const HOUR_MS = 3_600_000;

/** The decrypted message's shape. valibot's issues quote what they received: they are dropped, never shown. */
const shape = v.object({
  number: v.pipe(v.string(), v.maxLength(40)),
  expMonth: v.number(),
  expYear: v.number(),
  cvc: v.optional(v.string()),
});

function checkExpiry(month: number, year: number, at: Date): "INVALID_EXPIRY" | "EXPIRED_CARD" | null {
  if (!Number.isInteger(month) || month < 1 || month > 12) return "INVALID_EXPIRY";
  if (!Number.isInteger(year) || year < 2000 || year > at.getUTCFullYear() + MAX_YEARS_AHEAD)
    return "INVALID_EXPIRY";
  // A card is good through the last day of its month, wherever the payer is: the month ends last at UTC-12.
  const end = Date.UTC(year, month, 1) + 12 * HOUR_MS;
  return at.getTime() < end ? null : "EXPIRED_CARD";
}

/** Reads a decrypted message as a card that could be charged at `at`. Refusals carry no card data. */
export function checkCard(message: unknown, at: Date): Result<Card, CardRefusal> {
  const parsed = v.safeParse(shape, message);
  if (!parsed.success) return err({ code: "DECRYPTION_FAILED" });
  const { expMonth, expYear, cvc } = parsed.output;
  const number = parsed.output.number.replace(/[\s-]/g, "");
  // An unknown scheme's length is unknown: the bounds are ISO/IEC 7812-1's, the scheme's own follow.
  if (!/^\d{12,19}$/.test(number)) return err({ code: "INVALID_NUMBER", field: "number" });
  const scheme = checkNumber(number);
  if (!scheme.ok) return err({ code: scheme.code, field: "number" });
  const expiry = checkExpiry(expMonth, expYear, at);
  if (expiry !== null) return err({ code: expiry, field: "expiry" });
  if (cvc !== undefined && (!/^\d+$/.test(cvc) || cvc.length !== scheme.cvcLength))
    return err({ code: "INVALID_CVC", field: "cvc" });
  return ok({ number, brand: scheme.brand, expMonth, expYear, cvc: cvc ?? null });
}

/** The issuer's part: 8 digits of a number of 16 or more, else 6, all that PCI DSS 3.4.1 lets be shown. */
export function binOf(number: string): string {
  return number.slice(0, number.length >= 16 ? 8 : 6);
}

export function last4Of(number: string): string {
  return number.slice(-4);
}
