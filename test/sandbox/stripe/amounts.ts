/**
 * Stripe's rules for amounts, which are integers in the currency's minor unit.
 *
 * Source: docs.stripe.com/currencies (zero- and three-decimal currencies, the special cases of ISK and UGX,
 * minimum and maximum charge amounts). The minimum is that of the currency itself: this sandbox settles every
 * charge in its own currency, so that no conversion moves the limit. Currencies for which no minimum is
 * published may be charged from one minor unit.
 */

import { invalidRequest, type Refusal } from "./errors.ts";

/** The three-letter lowercase codes that may be charged. */
const CURRENCIES = new Set(
  (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf " +
    "chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf " +
    "idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop " +
    "mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd " +
    "scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg " +
    "xof xpf yer zar zmw"
  ).split(" "),
);

/** The least amount that may be charged, in minor units. */
// biome-ignore format: a table reads better in rows
const MINIMUM: Readonly<Record<string, number>> = {
  usd: 50, aed: 200, ars: 50, aud: 50, brl: 50, cad: 50, chf: 50, cop: 50, czk: 1500, dkk: 250, eur: 50, gbp: 30,
  hkd: 400, huf: 17500, idr: 50, ils: 50, inr: 50, jpy: 50, krw: 50, mxn: 1000, myr: 200, nok: 300, nzd: 50,
  php: 50, pln: 200, ron: 200, rub: 50, sek: 300, sgd: 50, thb: 1000, zar: 50,
};

/** The last digit of these must be zero: card networks carry two of their three decimals. */
const THREE_DECIMAL = new Set(["bhd", "jod", "kwd", "omr", "tnd"]);

/** These lost their decimals but are still sent with two, which must be `00`. */
const WHOLE_UNITS_ONLY = new Set(["isk", "ugx"]);

/** Twelve digits for most cards, nine for American Express, in minor units. */
const MAXIMUM = 999_999_999_999;
const MAXIMUM_AMEX = 999_999_999;

const FEE_PER_THOUSAND = 29;
const FEE_FIXED = 30;

/** Refuses what is not a lowercase code of a supported currency. */
export function checkCurrency(currency: string): void {
  if (CURRENCIES.has(currency)) return;
  throw invalidRequest(
    `Invalid currency: ${currency.slice(0, 10)}. Use the lowercase code of a supported currency.`,
    { param: "currency" },
  );
}

/**
 * Refuses an amount to charge that Stripe would refuse.
 * Throws `parameter_invalid_integer` below one, `amount_too_small`, `amount_too_large`, or a 400 without a
 * code where the amount has decimals that the currency cannot have.
 */
export function checkAmount(amount: number, currency: string, param = "amount"): void {
  if (amount < 1) {
    throw invalidRequest("The amount must be at least the minimum charge amount.", {
      code: "parameter_invalid_integer",
      param,
    });
  }
  const minimum = MINIMUM[currency] ?? 1;
  if (amount < minimum) {
    throw invalidRequest(`The amount must be at least ${minimum} minor units of ${currency}.`, {
      code: "amount_too_small",
      param,
    });
  }
  if (amount > MAXIMUM) throw tooLarge(MAXIMUM, param);
  checkDecimals(amount, currency, param);
}

/** Refuses decimals that the currency cannot have; for captures and refunds, which have no minimum. */
export function checkDecimals(amount: number, currency: string, param: string): void {
  const step = THREE_DECIMAL.has(currency) ? 10 : WHOLE_UNITS_ONLY.has(currency) ? 100 : 1;
  if (amount % step === 0) return;
  throw invalidRequest(`An amount in ${currency} must be a multiple of ${step} minor units.`, { param });
}

/** Refuses what is more than a card of this brand can carry. */
export function checkBrandMaximum(amount: number, brand: string): void {
  if (brand === "amex" && amount > MAXIMUM_AMEX) throw tooLarge(MAXIMUM_AMEX, "amount");
}

function tooLarge(maximum: number, param: string): Refusal {
  return invalidRequest(`The amount must be no more than ${maximum} minor units.`, {
    code: "amount_too_large",
    param,
  });
}

/** What the provider keeps of a captured amount: 2.9 % and 30 minor units, never more than the amount. */
export function processingFee(captured: number): number {
  return Math.min(captured, Math.round((captured * FEE_PER_THOUSAND) / 1000) + FEE_FIXED);
}
