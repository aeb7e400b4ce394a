import type { TransStatus } from "../authentication.ts";

/**
 * The card schemes that run a directory, and the electronic commerce indicators (ECI) that each of them gives
 * for an outcome. Sources: the schemes' public 3-D Secure guides as their acquirers print them (Visa Secure,
 * Mastercard Identity Check, American Express SafeKey, Discover ProtectBuy, J/Secure, UnionPay 3-D Secure).
 */
export const SCHEMES = ["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"] as const;
export type Scheme = (typeof SCHEMES)[number];

/** Brands as the vault names them. Others (maestro abroad, elo, mir, hiper) have no directory of ours. */
const BY_BRAND: Readonly<Record<string, Scheme>> = {
  visa: "visa",
  mastercard: "mastercard",
  maestro: "mastercard",
  amex: "amex",
  discover: "discover",
  diners: "diners",
  jcb: "jcb",
  unionpay: "unionpay",
};

export function schemeOf(brand: string): Scheme | null {
  return Object.hasOwn(BY_BRAND, brand) ? (BY_BRAND[brand] as Scheme) : null;
}

/** An outcome of an authentication: no challenge or decoupled authentication is under way any more. */
export type Outcome = Exclude<TransStatus, "C" | "D">;

/** Why an outcome has an unusual ECI; `null` is the outcome as such. */
export type EciReason = "exempted" | "data_only" | "recurring" | null;

export type EciRule = {
  readonly eci: string;
  readonly reason: EciReason;
  /** Whether the scheme says that the issuer bears fraud. */
  readonly liabilityShift: boolean;
  /** Only with this reason of the scheme's own (`transStatusReason`); absent: with any, or none. */
  readonly withReason?: string;
};

type EciTable = Readonly<Record<Outcome, readonly EciRule[]>>;

const rule = (eci: string, liabilityShift: boolean, reason: EciReason = null): EciRule => ({
  eci,
  reason,
  liabilityShift,
});

const NONE = [rule("07", false)] as const;

/** The first rule of each outcome is what an absent ECI is taken for. */
const FIVE_SIX_SEVEN: EciTable = {
  Y: [rule("05", true)],
  A: [rule("06", true)],
  I: [rule("07", false, "exempted")],
  N: NONE,
  U: NONE,
  R: NONE,
};

const TABLES: Readonly<Record<Scheme, EciTable>> = {
  visa: FIVE_SIX_SEVEN,
  amex: FIVE_SIX_SEVEN,
  discover: FIVE_SIX_SEVEN,
  diners: FIVE_SIX_SEVEN,
  jcb: FIVE_SIX_SEVEN,
  // No public rule of UnionPay's says that an attempt alone moves the liability.
  unionpay: { ...FIVE_SIX_SEVEN, A: [rule("06", false)] },
  mastercard: {
    Y: [rule("02", true), rule("07", true, "recurring")],
    A: [rule("01", true)],
    I: [rule("06", false, "exempted"), rule("04", false, "data_only")],
    N: [rule("00", false), { ...rule("06", false, "exempted"), withReason: "81" }],
    U: [rule("00", false), { ...rule("04", false, "data_only"), withReason: "80" }],
    R: [rule("00", false)],
  },
};

export type EciClaim = {
  readonly outcome: Outcome;
  readonly eci: string | null;
  readonly transStatusReason: string | null;
  /** One of a series of payments. */
  readonly recurring: boolean;
};

/**
 * The scheme's rule for an outcome with this ECI. An absent ECI (null) is the outcome's usual one; null is
 * given where the ECI is none of the outcome's.
 */
export function eciRule(scheme: Scheme, claim: EciClaim): EciRule | null {
  const rules = TABLES[scheme][claim.outcome];
  if (claim.eci === null) return rules[0] ?? null;
  const fits = (known: EciRule): boolean =>
    (known.reason !== "recurring" || claim.recurring) &&
    (known.withReason === undefined || known.withReason === claim.transStatusReason);
  return rules.find((known) => known.eci === claim.eci && fits(known)) ?? null;
}

/** What an authorization without authentication carries. */
export const unauthenticatedEci = (scheme: Scheme): string => (scheme === "mastercard" ? "00" : "07");
