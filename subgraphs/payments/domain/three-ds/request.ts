import { exponentOf } from "../../../kernel/currency.ts";
import type { Money } from "../../../kernel/money.ts";
import { invariant } from "../../../kernel/result.ts";
import type { Exemption } from "../authentication.ts";
import type { StoredCredential } from "../stored-credential.ts";
import { type Browser, browserFields } from "./browser.ts";
import { countryNumber, currencyNumber } from "./iso-numeric.ts";

/**
 * The authentication request (AReq) of a payment: EMV 3-D Secure Protocol and Core Functions Specification,
 * table B.1. Amounts, currencies and countries are written as digits; the card's number and expiry are the
 * vault's placeholders.
 */
export type Version = "2.2.0" | "2.3.1";

/** Whether the payer should be asked. `mandated`: the law or an issuer's soft decline leaves no choice. */
export type ChallengeWish = "no_preference" | "avoid" | "requested" | "mandated";

/** Who asks: our 3DS server as the schemes registered it, and where an RReq finds us. */
export type Server = { readonly referenceNumber: string; readonly operatorId: string; readonly url: string };

/** For whom we ask: as the acquirer enrolled the merchant with the schemes. */
export type Requestor = {
  readonly acquirerBin: string;
  readonly acquirerMerchantId: string;
  /** ISO 18245, four digits. */
  readonly categoryCode: string;
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly id: string;
  readonly url: string;
};

/** An earlier authentication of the same card for the same agreement. */
export type Prior = { readonly acsTransaction: string; readonly challenged: boolean; readonly at: Date };

export type Device =
  | {
      readonly channel: "browser";
      readonly browser: Browser;
      /** Where the issuer's page sends the browser back to, with the CRes. */
      readonly notificationUrl: string;
      /** The 3DS Method page: done, not done within its 10 s, or the card has none. */
      readonly method: "done" | "not_done" | "unavailable";
    }
  /** Without the payer (3RI). */
  | { readonly channel: "requestor"; readonly prior: Prior | null };

export type AuthenticationRequest = {
  readonly version: Version;
  readonly serverTransaction: string;
  readonly server: Server;
  readonly requestor: Requestor;
  readonly amount: Money;
  readonly at: Date;
  readonly device: Device;
  readonly challenge: ChallengeWish;
  readonly exemption: Exemption | null;
  /** Minutes for which the issuer may ask the payer in its own app; null: not wanted. */
  readonly decoupledMinutes: number | null;
  readonly stored: StoredCredential | null;
  readonly email: string | null;
};

/**
 * The AReq as JSON values. Throws where we have not been set up right: a requestor without a country, for
 * instance.
 */
export function areq(request: AuthenticationRequest): Readonly<Record<string, unknown>> {
  const { server, requestor, amount, decoupledMinutes } = request;
  const country = countryNumber(requestor.country);
  invariant(country !== null, "a requestor's country is one of ISO 3166-1");
  invariant(/^\d{4}$/.test(requestor.categoryCode), "a merchant category code has four digits");
  return {
    messageType: "AReq",
    messageVersion: request.version,
    messageCategory: "01",
    threeDSServerTransID: request.serverTransaction,
    threeDSServerRefNumber: server.referenceNumber,
    threeDSServerOperatorID: server.operatorId,
    threeDSServerURL: server.url,
    threeDSRequestorID: requestor.id,
    threeDSRequestorName: requestor.name.slice(0, 40),
    threeDSRequestorURL: requestor.url,
    threeDSRequestorChallengeInd: challengeIndicator(request),
    threeDSRequestorDecReqInd: decoupledMinutes === null ? "N" : "Y",
    ...(decoupledMinutes === null ? {} : { threeDSRequestorDecMaxTime: decoupledTime(decoupledMinutes) }),
    acctNumber: "{{card.number}}",
    cardExpiryDate: "{{card.exp_yymm}}",
    acquirerBIN: requestor.acquirerBin,
    acquirerMerchantID: requestor.acquirerMerchantId,
    mcc: requestor.categoryCode,
    merchantName: requestor.name.slice(0, 40),
    merchantCountryCode: country,
    purchaseAmount: amount.minor.toString(),
    purchaseCurrency: currencyNumber(amount.currency),
    purchaseExponent: String(exponentOf(amount.currency)),
    purchaseDate: digitsOf(request.at).slice(0, 14),
    transType: "01",
    ...(request.email === null ? {} : { email: request.email }),
    ...agreementFields(request.stored),
    ...deviceFields(request),
  };
}

/** "20261122120000": UTC, to the second. */
const digitsOf = (at: Date): string => at.toISOString().replaceAll(/\D/g, "");

/** One minute to seven days, five digits. */
const decoupledTime = (minutes: number): string =>
  String(Math.min(Math.max(Math.round(minutes), 1), 10_080)).padStart(5, "0");

/** What stands in for an exemption's own indicator where the version has none: "no challenge requested". */
const EXEMPTION_INDICATORS: Readonly<Record<Version, Readonly<Record<Exemption, string>>>> = {
  "2.2.0": {
    transaction_risk_analysis: "05",
    trusted_beneficiary: "08",
    low_value: "02",
    corporate: "02",
    recurring: "02",
  },
  "2.3.1": {
    transaction_risk_analysis: "05",
    trusted_beneficiary: "08",
    low_value: "10",
    corporate: "11",
    recurring: "02",
  },
};

const WISH_INDICATORS: Readonly<Record<ChallengeWish, string>> = {
  no_preference: "01",
  avoid: "02",
  requested: "03",
  mandated: "04",
};

/**
 * `threeDSRequestorChallengeInd`. A challenge that is wanted outweighs an exemption: both at once make no
 * sense.
 */
export function challengeIndicator(
  request: Pick<AuthenticationRequest, "version" | "challenge" | "exemption">,
): string {
  const { version, challenge, exemption } = request;
  const wanted = challenge === "requested" || challenge === "mandated";
  if (exemption === null || wanted) return WISH_INDICATORS[challenge];
  return EXEMPTION_INDICATORS[version][exemption];
}

/** For a series of payments. An agreement without an end is written as the last day that the field can hold. */
function agreementFields(stored: StoredCredential | null): Readonly<Record<string, string>> {
  if (stored?.reason !== "recurring" && stored?.reason !== "installment") {
    return { threeDSRequestorAuthenticationInd: "01" };
  }
  return {
    threeDSRequestorAuthenticationInd: stored.reason === "recurring" ? "02" : "03",
    recurringExpiry: "99991231",
    recurringFrequency: "1",
    // Required with instalments, and at least 2.
    ...(stored.reason === "installment" ? { purchaseInstalData: "2" } : {}),
  };
}

/** `threeRIInd`: why the payer is not there. */
const INITIATED_FOR: Readonly<Record<StoredCredential["reason"], string>> = {
  recurring: "01",
  installment: "02",
  unscheduled: "11",
  on_demand: "11",
};

function deviceFields({ device, stored, version }: AuthenticationRequest): Readonly<Record<string, unknown>> {
  if (device.channel === "browser") {
    const completion = { done: "Y", not_done: "N", unavailable: "U" }[device.method];
    return {
      deviceChannel: "02",
      threeDSCompInd: completion,
      notificationURL: device.notificationUrl,
      ...browserFields(device.browser, version),
    };
  }
  const { prior } = device;
  const info = prior && {
    threeDSReqPriorRef: prior.acsTransaction,
    threeDSReqPriorAuthMethod: prior.challenged ? "02" : "01",
    threeDSReqPriorAuthTimestamp: digitsOf(prior.at).slice(0, 12),
  };
  const priors = version === "2.2.0" ? info : [info];
  return {
    deviceChannel: "03",
    threeRIInd: INITIATED_FOR[stored?.reason ?? "unscheduled"],
    ...(info === null ? {} : { threeDSRequestorPriorAuthenticationInfo: priors }),
  };
}
