import { z } from "zod";
import { type Currency, isCurrency } from "../../kernel/currency.ts";

/** What one unit of `base` is in units of `quote` (major units: one euro, not one cent), as somebody has published it. */
export type ReferenceRate = {
  readonly base: Currency;
  readonly quote: Currency;
  /** A decimal above 0, at most 12 digits before the point and 12 after it: "1.0832". */
  readonly rate: string;
  /** Who says so: "ECB", "configuration". */
  readonly source: string;
  readonly asOf: Date;
};

const RATE = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?$/;
/** More than all pairs with one currency. */
const MAX_RATES = 500;

const currency = z.custom<Currency>((code) => typeof code === "string" && isCurrency(code), {
  message: "is an ISO 4217 currency",
});
export const referenceRate = z
  .strictObject({
    base: currency,
    quote: currency,
    rate: z
      .string()
      .regex(RATE, "is a decimal with at most 12 digits on either side of its point")
      .refine((rate) => /[1-9]/.test(rate), "is above 0"),
    source: z.string().min(1).max(100),
    asOf: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  })
  .refine(({ base, quote }) => base !== quote, "is between two currencies");
const referenceRates = z
  .array(referenceRate)
  .max(MAX_RATES)
  .refine((rates) => new Set(rates.map(({ base, quote }) => `${base}${quote}`)).size === rates.length, {
    message: "gives each pair once",
  });

/**
 * Reads rates from configuration: JSON, `[{"base":"EUR","quote":"USD","rate":"1.0832","source":"ECB",
 * "asOf":"2026-11-20T15:00:00Z"}]`, at most 500. Throws one error that names what is wrong.
 */
export function parseReferenceRates(text: string): readonly ReferenceRate[] {
  const parsed = referenceRates.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
  throw new Error(`the reference rates are not right:\n${lines.join("\n")}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("the reference rates are not right: they are not JSON");
  }
}
