import type { Authentication, Exemption } from "../authentication.ts";
import { type Decline, declineOf } from "../decline.ts";
import type { StoredCredential } from "../stored-credential.ts";
import type { Conclusion } from "./conclusion.ts";
import { liabilityShifts } from "./evidence.ts";
import { chooseExemption, inZone } from "./exemptions.ts";
import type { ChallengeWish } from "./request.ts";
import type { Scheme } from "./scheme.ts";

/**
 * Whether a payment is authenticated, which exemption it asks for and where, and what follows from each
 * ending. Pure: the answer says why, and is kept with the payment.
 */
export type Circumstances = {
  /** Null: none of the schemes whose directory we reach. */
  readonly scheme: Scheme | null;
  /**
   * ISO 3166-1 alpha-2; null where the card's country is not known, and taken for one in which the law
   * applies.
   */
  readonly issuerCountry: string | null;
  /** The acquirer's, which is the merchant's for acquiring at home. */
  readonly merchantCountry: string;
  readonly channel: "ecommerce" | "mail_or_telephone";
  readonly stored: StoredCredential | null;
  readonly sameAmount: boolean;
  /** The amount in euro cents; null where no rate is known. */
  readonly euroCents: bigint | null;
  /** What the merchant asks for with this payment. */
  readonly wish: Exemption | "challenge" | null;
  readonly risk: "allow" | "challenge";
  readonly merchant: MerchantSetting;
  /** Of the provider that will be asked. */
  readonly provider: { readonly externalAuthentication: boolean; readonly ownAuthentication: boolean };
};

export type MerchantSetting = {
  /** `required`: no payment without; `automatic`: where it is due; `never`: the merchant bears all. */
  readonly authentication: "required" | "automatic" | "never";
  /** Exemptions that we may ask for without being told with each payment. */
  readonly exemptions: readonly Exemption[];
  /** Whether an exemption is asked in the authorization, or of the issuer's ACS first. */
  readonly exemptionsIn: "authorization" | "authentication";
  readonly fraudBps: number | null;
};

/** Why, for the record: the first that holds. */
export type Because =
  | "mail_or_telephone"
  | "merchant_initiated"
  | "merchant_never"
  | "merchant_required"
  | "merchant_wish"
  | "risk"
  | "card_is_stored"
  | "soft_decline"
  | "outside_the_zone"
  | "exemption"
  | "due"
  | "not_supported";

export type Plan =
  /** No 3-D Secure. */
  | { readonly do: "authorize"; readonly exemption: Exemption | null; readonly because: Because }
  /** `by` us over the card's directory, or the provider within its authorization. */
  | {
      readonly do: "authenticate";
      readonly by: "us" | "provider";
      readonly challenge: ChallengeWish;
      readonly exemption: Exemption | null;
      readonly because: Because;
    }
  | { readonly do: "decline"; readonly decline: Decline; readonly because: Because };

/** What was decided of a payer's authentication, as it is kept with the attempt for a person to see. */
export type Decided = {
  readonly because: Because;
  /** Null: nobody. */
  readonly by: "us" | "provider" | null;
  readonly challenge: ChallengeWish | null;
  readonly exemption: Exemption | null;
};

export const decidedBy = (plan: Exclude<Plan, { do: "decline" }>): Decided => ({
  because: plan.because,
  by: plan.do === "authenticate" ? plan.by : null,
  challenge: plan.do === "authenticate" ? plan.challenge : null,
  exemption: plan.exemption,
});

/** Whether the law asks for it: a payer is there, and issuer and acquirer are both within the zone. */
export function isDue(circumstances: Circumstances): boolean {
  const { channel, stored, issuerCountry, merchantCountry } = circumstances;
  if (channel === "mail_or_telephone" || stored?.initiator === "merchant") return false;
  return inZone(merchantCountry) && (issuerCountry === null || inZone(issuerCountry));
}

/** What to do with a payment before its first attempt. */
export function plan(circumstances: Circumstances): Plan {
  const absent = whyAbsent(circumstances);
  if (absent !== null) {
    // Nobody is there to be asked: the merchant has to bring the payer.
    const asked = circumstances.risk === "challenge";
    return asked
      ? decline("authentication_required", "risk")
      : { do: "authorize", exemption: null, because: absent };
  }
  const { merchant } = circumstances;
  const insists = whyInsist(circumstances);
  if (merchant.authentication === "never") {
    // Risk's word weighs more than the setting; all other reasons are the merchant's own.
    if (circumstances.risk === "challenge") return decline("blocked_by_risk", "risk");
    return { do: "authorize", exemption: exemptionOf(circumstances), because: "merchant_never" };
  }
  if (insists !== null) return insist(circumstances, insists);
  if (!isDue(circumstances)) return { do: "authorize", exemption: null, because: "outside_the_zone" };
  const exemption = exemptionOf(circumstances);
  const by = authenticator(circumstances);
  if (by === null) {
    return { do: "authorize", exemption, because: exemption === null ? "not_supported" : "exemption" };
  }
  if (exemption === null) {
    return { do: "authenticate", by, challenge: "no_preference", exemption, because: "due" };
  }
  // Only the issuer knows whom the payer trusts, and says so to who asks the ACS.
  const inRequest = exemption === "trusted_beneficiary" || merchant.exemptionsIn === "authentication";
  if (!inRequest) return { do: "authorize", exemption, because: "exemption" };
  return { do: "authenticate", by, challenge: "avoid", exemption, because: "exemption" };
}

function whyAbsent({ channel, stored }: Circumstances): Because | null {
  if (channel === "mail_or_telephone") return "mail_or_telephone";
  return stored?.initiator === "merchant" ? "merchant_initiated" : null;
}

/** A reason that no exemption outweighs. */
function whyInsist(circumstances: Circumstances): Because | null {
  const { risk, merchant, wish, stored } = circumstances;
  if (risk === "challenge") return "risk";
  if (merchant.authentication === "required") return "merchant_required";
  if (wish === "challenge") return "merchant_wish";
  // What is agreed now will be charged without the payer: article 14 wants the payer's proof of the agreement.
  if (stored?.first && stored.reason !== "on_demand" && isDue(circumstances)) return "card_is_stored";
  return null;
}

function insist(circumstances: Circumstances, because: Because): Plan {
  const by = authenticator(circumstances);
  const challenge: ChallengeWish = because === "card_is_stored" ? "mandated" : "requested";
  if (by !== null) {
    // "Required" is satisfied by the issuer's word alone; the others want the payer asked.
    const wish = because === "merchant_required" ? "no_preference" : challenge;
    return { do: "authenticate", by, challenge: wish, exemption: null, because };
  }
  if (because === "risk") return decline("blocked_by_risk", because);
  if (because === "merchant_required") return decline("card_not_supported", because);
  return { do: "authorize", exemption: null, because: "not_supported" };
}

/** Ours first: its proof goes to whichever provider takes the payment. */
function authenticator({ scheme, provider }: Circumstances): "us" | "provider" | null {
  if (scheme !== null && provider.externalAuthentication) return "us";
  return provider.ownAuthentication ? "provider" : null;
}

function exemptionOf(circumstances: Circumstances): Exemption | null {
  const { wish, merchant, stored, sameAmount, euroCents } = circumstances;
  if (!isDue(circumstances) || wish === "challenge") return null;
  const laterInSeries = stored !== null && stored.reason === "recurring" && !stored.first;
  const facts = { euroCents, fraudBps: merchant.fraudBps, laterInSeries, sameAmount };
  return chooseExemption(wish, merchant.exemptions, facts);
}

const decline = (
  code: "authentication_required" | "blocked_by_risk" | "card_not_supported",
  because: Because,
): Plan => ({
  do: "decline",
  decline: declineOf(code),
  because,
});

export type Verdict =
  | {
      readonly do: "authorize";
      readonly authentication: Authentication | null;
      readonly exemption: Exemption | null;
      readonly liabilityShift: boolean;
    }
  | { readonly do: "decline"; readonly decline: Decline };

/** What follows from an authentication that has ended; `plan` is the one that led to it. */
export function afterAuthentication(
  conclusion: Conclusion,
  circumstances: Circumstances,
  { exemption }: { readonly exemption: Exemption | null },
): Verdict {
  if (conclusion.kind === "rejected") return { do: "decline", decline: conclusion.decline };
  const { authentication } = conclusion;
  const proven = authentication?.transStatus === "Y" || authentication?.transStatus === "A";
  if (!proven && needsProof(circumstances)) {
    const code = authentication === null ? "unavailable" : authentication.transStatus;
    return { do: "decline", decline: declineOf("authentication_failed", code) };
  }
  // Who is authenticated needs no exemption, and one asked for all the same would give the liability away.
  const asked = conclusion.kind === "authenticated" && !proven ? exemption : null;
  return {
    do: "authorize",
    authentication,
    exemption: asked,
    liabilityShift: liabilityShifts(authentication, asked),
  };
}

/** Risk and a merchant that requires it want the issuer's word, not an attempt to get it. */
const needsProof = ({ risk, merchant }: Circumstances): boolean =>
  risk === "challenge" || merchant.authentication === "required";

/**
 * What follows from an authorization that was declined: a soft decline (`authentication_required`; the
 * connectors map Visa's 1A and Mastercard's 65 to it) is stepped up once, with the payer asked. Null: the
 * decline stands.
 */
export function afterDecline(
  declined: Decline,
  circumstances: Circumstances,
  before: { readonly steppedUp: boolean; readonly authentication: Authentication | null },
): Plan | null {
  if (declined.code !== "authentication_required" || before.steppedUp) return null;
  // The payer has answered already: asking again would not convince the issuer.
  if (before.authentication?.challenged) return null;
  if (whyAbsent(circumstances) !== null || circumstances.merchant.authentication === "never") return null;
  const by = authenticator(circumstances);
  if (by === null) return null;
  return { do: "authenticate", by, challenge: "mandated", exemption: null, because: "soft_decline" };
}
