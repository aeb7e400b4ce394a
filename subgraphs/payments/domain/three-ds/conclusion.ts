import type { Authentication } from "../authentication.ts";
import { type Decline, type DeclineCode, declineOf } from "../decline.ts";
import { type AnswerDetails, NO_DETAILS } from "../operation.ts";
import type { Doubt, Evidence } from "./evidence.ts";

/** How an authentication has ended, in our words. What follows from it is `policy.ts`'s to say. */
export type Conclusion =
  /** Something to send with the authorization; `exempted`: not the payer, but the exemption was accepted. */
  | {
      readonly kind: "authenticated";
      readonly authentication: Authentication;
      readonly exempted: boolean;
      readonly doubts: readonly Doubt[];
    }
  /** The issuer says no, or the payer did not prove who they are: nothing may be authorized. */
  | {
      readonly kind: "rejected";
      readonly authentication: Authentication | null;
      readonly decline: Decline;
      readonly doubts: readonly Doubt[];
    }
  /** Nobody could tell: neither a yes nor a no. */
  | {
      readonly kind: "unavailable";
      readonly authentication: Authentication | null;
      readonly because: string;
      readonly doubts: readonly Doubt[];
    };

/** `transStatusReason` where it says more than that the authentication failed. */
const BY_REASON: Readonly<Record<string, DeclineCode>> = {
  "05": "expired_card",
  "06": "incorrect_number",
  "08": "card_not_supported",
  "10": "stolen_card",
  "11": "suspected_fraud",
  "12": "card_not_supported",
  "14": "payer_absent",
  "26": "payer_absent",
};

/** `challengeCancel` where nobody pressed anything: 03 decoupled, 04 and 05 at the ACS, 08 in an app. */
const TIMED_OUT = ["03", "04", "05", "08"];

/** What an outcome that was weighed comes to; `challengeCancel` is the RReq's, if there was one. */
export function conclude(evidence: Evidence, challengeCancel: string | null = null): Conclusion {
  const { authentication, exempted, doubts, said } = evidence;
  const { transStatus, transStatusReason } = authentication;
  if (transStatus === "Y" || transStatus === "A" || transStatus === "I" || exempted) {
    return { kind: "authenticated", authentication, exempted, doubts };
  }
  if (transStatus === "N" || transStatus === "R") {
    const timedOut = challengeCancel !== null && TIMED_OUT.includes(challengeCancel);
    const code = timedOut ? "payer_absent" : (BY_REASON[transStatusReason ?? ""] ?? "authentication_failed");
    const word = transStatusReason === null ? transStatus : `${transStatus}:${transStatusReason}`;
    return { kind: "rejected", authentication, decline: declineOf(code, word), doubts };
  }
  const because =
    doubts.length === 0
      ? `the issuer could not authenticate (${transStatusReason ?? "no reason"})`
      : `the issuer's ${said} is not believed: ${doubts.join(", ")}`;
  return { kind: "unavailable", authentication, because, doubts };
}

/** What is kept with the operation of what the issuer told, or of why nobody did. */
export function detailsOf(conclusion: Conclusion): AnswerDetails {
  const { authentication } = conclusion;
  return {
    ...NO_DETAILS,
    rawCode: conclusion.kind === "unavailable" ? inWords(conclusion.because) : wordOf(conclusion),
    eci: authentication?.eci ?? null,
    liabilityShift: authentication?.liabilityShift ?? null,
  };
}

function wordOf(conclusion: Exclude<Conclusion, { kind: "unavailable" }>): string {
  if (conclusion.kind === "rejected") return conclusion.decline.providerCode ?? conclusion.decline.code;
  const { transStatus, transStatusReason } = conclusion.authentication;
  return transStatusReason === null ? transStatus : `${transStatus}:${transStatusReason}`;
}

/** An Erro's detail is a stranger's text: whatever looks like a card's number does not get in. */
const inWords = (because: string): string => because.replaceAll(/\d(?:[ -]?\d){8,}/g, "…").slice(0, 200);
