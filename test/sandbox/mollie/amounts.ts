/**
 * Mollie's amounts: a currency and a decimal string with exactly the currency's decimals. Inside, minor units.
 */

/** Currencies that cards are charged in (docs.mollie.com/docs/multicurrency), with their decimals. */
const TWO_DECIMALS =
  "AED AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS MXN MYR NOK NZD PHP PLN RON SEK SGD THB TWD USD ZAR";
const DECIMALS = new Map<string, number>([
  ...TWO_DECIMALS.split(" ").map((currency) => [currency, 2] as const),
  ["ISK", 0],
  ["JPY", 0],
]);

export type WireAmount = { readonly currency: string; readonly value: string };

export type ReadAmount =
  | { readonly ok: true; readonly minor: number; readonly currency: string }
  /** Which member is wrong: `currency`, or null for the amount as a whole. */
  | { readonly ok: false; readonly member: "currency" | null; readonly because: string };

/** Reads `{"currency":"EUR","value":"10.00"}`. Minor units, which may be zero. */
export function readAmount(sent: unknown): ReadAmount {
  const { currency, value } = (typeof sent === "object" && sent !== null ? sent : {}) as Partial<WireAmount>;
  if (typeof currency !== "string" || typeof value !== "string") {
    return { ok: false, member: null, because: "The amount needs a currency and a value, both strings" };
  }
  const decimals = DECIMALS.get(currency);
  if (decimals === undefined) {
    return { ok: false, member: "currency", because: "The amount contains an invalid currency" };
  }
  const form = decimals === 0 ? /^\d{1,12}$/ : /^\d{1,12}\.\d{2}$/;
  if (!form.test(value)) {
    return { ok: false, member: null, because: `The amount of ${currency} needs ${decimals} decimals` };
  }
  return { ok: true, minor: Number(value.replace(".", "")), currency };
}

export function wireAmount(minor: number, currency: string): WireAmount {
  const decimals = DECIMALS.get(currency) ?? 2;
  const digits = String(minor).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  return { currency, value: decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}` };
}
