import type { Exemption } from "../authentication.ts";

/**
 * Strong customer authentication by law: where it is due and what may be spared it. Sources: Directive (EU)
 * 2015/2366 (PSD2), article 97; Delegated Regulation (EU) 2018/389, articles 13 to 18 and annex; for the
 * United Kingdom the same rules in the Payment Services Regulations 2017 and the FCA's technical standards.
 */

/**
 * The European Economic Area with the parts of its states that have codes of their own, and the United
 * Kingdom.
 */
const ZONE: ReadonlySet<string> = new Set(
  (
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO " +
    "AX GF GP MF MQ RE YT GB GI"
  ).split(" "),
);

export const inZone = (country: string): boolean => ZONE.has(country);

/** Article 16: no more than 30 euro, in cents. How often and how much in all, only the issuer counts. */
export const LOW_VALUE_LIMIT = 3_000n;

/** Annex, remote card payments: up to this many euro cents while fraud stays within these basis points. */
export const TRA_BANDS = [
  { limit: 10_000n, fraudBps: 13 },
  { limit: 25_000n, fraudBps: 6 },
  { limit: 50_000n, fraudBps: 1 },
] as const;

export type ExemptionFacts = {
  /**
   * In euro cents at the day's rate; null where no rate is known, and nothing that has a limit can be asked.
   */
  readonly euroCents: bigint | null;
  /**
   * Fraud over all remote card payments of whoever asks (acquirer, or merchant as its acquirer agreed); null:
   * not known.
   */
  readonly fraudBps: number | null;
  /** One of a series that the payer agreed to, after the first. */
  readonly laterInSeries: boolean;
  /** The series' payments have one amount and one payee. */
  readonly sameAmount: boolean;
};

/** Whether an exemption may be asked for. Corporate and trusted are known to merchant and issuer only. */
export function mayAsk(exemption: Exemption, facts: ExemptionFacts): boolean {
  const { euroCents, fraudBps } = facts;
  switch (exemption) {
    case "low_value":
      return euroCents !== null && euroCents <= LOW_VALUE_LIMIT;
    case "transaction_risk_analysis":
      return (
        euroCents !== null &&
        fraudBps !== null &&
        TRA_BANDS.some((band) => euroCents <= band.limit && fraudBps <= band.fraudBps)
      );
    case "recurring":
      return facts.laterInSeries && facts.sameAmount;
    case "trusted_beneficiary":
    case "corporate":
      return true;
  }
}

/**
 * Which to try by ourselves, if the merchant allows it: the most certain first. Others only at the merchant's
 * word.
 */
const BY_OURSELVES = ["recurring", "low_value", "transaction_risk_analysis"] as const;

/**
 * The exemption to ask for: the merchant's wish where it may be asked, else one of those that it allows; or
 * none.
 */
export function chooseExemption(
  wish: Exemption | null,
  allowed: readonly Exemption[],
  facts: ExemptionFacts,
): Exemption | null {
  if (wish !== null && mayAsk(wish, facts)) return wish;
  return BY_OURSELVES.find((exemption) => allowed.includes(exemption) && mayAsk(exemption, facts)) ?? null;
}
