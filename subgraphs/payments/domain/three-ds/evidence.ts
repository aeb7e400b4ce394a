import type { Authentication, Exemption, TransStatus } from "../authentication.ts";
import { eciRule, type Outcome, type Scheme, unauthenticatedEci } from "./scheme.ts";

/**
 * What an issuer's word is worth. Outcome, ECI and CAVV come in one message and have to agree by the scheme's
 * table; where they contradict each other the stronger claim is not believed, because an authorization that
 * carries it would be sent back, or would leave the merchant with a liability that nobody told of.
 */
export type IssuerWord = {
  readonly transStatus: TransStatus;
  readonly transStatusReason: string | null;
  readonly eci: string | null;
  /** `authenticationValue`: CAVV, AAV or AEVV, as the scheme calls it. */
  readonly cavv: string | null;
};

export type Doubt =
  /** The ECI is none that the scheme gives for this outcome. */
  | "eci_contradicts"
  /** Authenticated or attempted, but without the proof. */
  | "cavv_missing"
  /** Not 20 bytes in base64. */
  | "cavv_malformed"
  /** A proof of something that did not happen. */
  | "cavv_unexpected";

export type Evidence = {
  /** As it is kept and sent on: what was not believed is "U" here. */
  readonly authentication: Authentication;
  /** What the issuer said. */
  readonly said: TransStatus;
  readonly doubts: readonly Doubt[];
  /** The issuer takes the exemption that was asked for, and the payer is not authenticated. */
  readonly exempted: boolean;
};

export type Transaction = {
  readonly version: string;
  readonly scheme: Scheme;
  readonly serverTransaction: string;
  readonly dsTransaction: string | null;
  readonly acsTransaction: string | null;
  readonly challenged: boolean;
  /** One of a series of payments that the payer agreed to. */
  readonly recurring: boolean;
};

/** 20 bytes in base64: 27 characters and one of padding. */
const CAVV = /^[A-Za-z0-9+/]{27}=$/;
const PROVEN: readonly Outcome[] = ["Y", "A"];
/** These may carry a proof that says "exempted", with some schemes. */
const MAY_PROVE: readonly Outcome[] = ["Y", "A", "I"];

/**
 * Judges an outcome. The liability shifts only where the outcome is Y or A, its ECI is the scheme's for that
 * outcome, and a well-formed CAVV proves it.
 */
export function weigh(
  word: IssuerWord & { readonly transStatus: Outcome },
  transaction: Transaction,
): Evidence {
  const { transStatus: said, transStatusReason, eci, cavv } = word;
  const { scheme } = transaction;
  const rule = eciRule(scheme, { outcome: said, eci, transStatusReason, recurring: transaction.recurring });
  const doubts: Doubt[] = [];
  if (rule === null) doubts.push("eci_contradicts");
  if (cavv === null && PROVEN.includes(said)) doubts.push("cavv_missing");
  if (cavv !== null && !CAVV.test(cavv)) doubts.push("cavv_malformed");
  if (cavv !== null && !MAY_PROVE.includes(said)) doubts.push("cavv_unexpected");
  const believed = doubts.length === 0 && rule !== null;
  // A refusal stays one, whatever else is wrong with it; a claim in the payer's favour falls to "unable".
  const outcome: Outcome = believed || said === "N" || said === "R" ? said : "U";
  return {
    said,
    doubts,
    exempted: believed && rule.reason === "exempted",
    authentication: {
      version: transaction.version,
      transStatus: outcome,
      transStatusReason,
      eci: believed ? rule.eci : unauthenticatedEci(scheme),
      cavv: believed ? cavv : null,
      dsTransaction: transaction.dsTransaction,
      acsTransaction: transaction.acsTransaction,
      serverTransaction: transaction.serverTransaction,
      liabilityShift: believed && rule.liabilityShift,
      challenged: transaction.challenged,
    },
  };
}

/**
 * Whether the issuer bears fraud for an authorization: never where it asks for an exemption, since whoever
 * asks for one takes the risk, even after an authentication that succeeded.
 */
export function liabilityShifts(authentication: Authentication | null, exemption: Exemption | null): boolean {
  return authentication !== null && authentication.liabilityShift && exemption === null;
}
