/**
 * Reads a `/payments` request: raw card details of the type `scheme`, which only PCI-certified callers send.
 *
 * Source: the `PaymentRequest` schema of the Checkout API v72 and what it refers to.
 */

import { cardFingerprint, hasExpired, passesLuhn } from "../kit/cards.ts";
import type { Metadata } from "../kit/world.ts";
import { invalid, unreadable, wrongMerchantAccount } from "./errors.ts";
import { Fields } from "./fields.ts";
import { adyenScheme, testCard } from "./test-cards.ts";
import type { AdyenRequest, CardRecord } from "./world.ts";

const PLAYED = [
  "amount",
  "merchantAccount",
  "reference",
  "returnUrl",
  "paymentMethod",
  "additionalData",
  "authenticationData",
  "mpiData",
  "captureDelayHours",
  "shopperInteraction",
  "recurringProcessingModel",
  "shopperReference",
  "shopperIP",
  "shopperEmail",
  "shopperStatement",
  "countryCode",
  "billingAddress",
  "browserInfo",
  "channel",
  "origin",
  "metadata",
];
const CARD = [
  "type",
  "number",
  "expiryMonth",
  "expiryYear",
  "cvc",
  "holderName",
  "networkPaymentReference",
  "brand",
];
const MPI = [
  "authenticationResponse",
  "cavv",
  "cavvAlgorithm",
  "challengeCancel",
  "directoryResponse",
  "dsTransID",
  "eci",
  "riskScore",
  "threeDSVersion",
  "tokenAuthenticationVerificationValue",
  "transStatusReason",
  "xid",
];
const EXEMPTIONS = ["lowValue", "secureCorporate", "trustedBeneficiary", "transactionRiskAnalysis"];
const MOST_DELAY_HOURS = 672;

export type PaymentParams = {
  readonly merchantAccount: string;
  readonly reference: string;
  readonly returnUrl: string;
  readonly amount: number;
  readonly currency: string;
  readonly card: CardRecord;
  readonly expired: boolean;
  readonly cvcGiven: boolean;
  readonly addressGiven: boolean;
  readonly automaticCapture: boolean;
  readonly preAuthorised: boolean;
  /** The shopper takes part; else the merchant charges a card that was set up before. */
  readonly shopperPresent: boolean;
  readonly exempted: boolean;
  /** Whether Adyen may send the shopper to the bank. */
  readonly mayAuthenticate: boolean;
  readonly mpi: Mpi | null;
  /** A refusalReasonCode that the merchant orders for a test. */
  readonly ordered: string | null;
  readonly metadata: Metadata;
};

export type Mpi = { readonly outcome: "authenticated" | "attempted" | "failed"; readonly eci: string | null };

/** Throws a `Refusal` for what Adyen would not take. */
export function readPayment(request: AdyenRequest, now: Date): PaymentParams {
  const fields = new Fields(request.body, "PaymentRequest", PLAYED);
  const merchantAccount = fields.text("merchantAccount");
  if (merchantAccount === null) throw wrongMerchantAccount();
  const { value: amount, currency } = fields.amount();
  const reference = fields.text("reference", { most: 80 });
  if (reference === null || reference === "") throw invalid("130", "Reference Missing");
  const returnUrl = fields.text("returnUrl", { most: 1024 });
  if (returnUrl === null) throw invalid("14_030", "Return URL is missing.");
  const additional = fields.object("additionalData", "additionalData", null)?.texts() ?? {};
  const card = readCard(fields, now);
  const interaction = fields.choice("shopperInteraction", ["Ecommerce", "ContAuth", "Moto", "POS"]);
  const attempt = fields
    .object("authenticationData", "AuthenticationData", ["attemptAuthentication", "threeDSRequestData"])
    ?.choice("attemptAuthentication", ["always", "never"]);
  fields.text("shopperReference", { most: 256, least: 3 });
  return {
    merchantAccount,
    reference,
    returnUrl,
    amount,
    currency,
    ...card,
    addressGiven: fields.has("billingAddress"),
    automaticCapture: readAutomaticCapture(fields, additional),
    preAuthorised: additional["authorisationType"] === "PreAuth",
    shopperPresent: interaction !== "ContAuth" || !referencesFirst(fields, additional),
    exempted: EXEMPTIONS.includes(additional["scaExemption"] ?? ""),
    mayAuthenticate: attempt !== "never",
    mpi: readMpi(fields),
    ordered: additional["RequestedTestAcquirerResponseCode"] ?? null,
    metadata: readMetadata(fields),
  };
}

type CardParams = Pick<PaymentParams, "card" | "expired" | "cvcGiven">;

function readCard(fields: Fields, now: Date): CardParams {
  const card = fields.object("paymentMethod", "CardDetails", CARD);
  if (card === null) throw invalid("14_004", "Missing payment method details");
  if (card.choice("type", ["scheme"]) === null) throw invalid("14_006", "Missing payment method type");
  const number = card.text("number") ?? "";
  if (!/^\d{12,19}$/.test(number) || !passesLuhn(number)) throw invalid("101", "Invalid card number");
  const scheme = adyenScheme(number);
  if (scheme === null) throw invalid("102", "Unable to determine variant");
  const { month, year } = readExpiry(card);
  const cvc = card.text("cvc");
  if (cvc !== null && !/^\d*$/.test(cvc)) throw invalid("153", "Invalid CVC");
  if (cvc !== null && cvc.length !== (scheme === "amex" ? 4 : 3)) {
    throw invalid("103", "CVC is not the right length");
  }
  const { behaviour, country, funding } = testCard(number);
  return {
    cvcGiven: cvc !== null,
    expired: hasExpired(month, year, now),
    card: {
      scheme,
      bin: number.slice(0, 8),
      last4: number.slice(-4),
      fingerprint: cardFingerprint(number),
      expiry: `${month}/${year}`,
      funding,
      country,
      behaviour,
    },
  };
}

function readExpiry(card: Fields): { readonly month: number; readonly year: number } {
  const [monthText, yearText] = [card.text("expiryMonth") ?? "", card.text("expiryYear") ?? ""];
  const month = Number(monthText);
  if (!/^\d{1,2}$/.test(monthText) || month < 1 || month > 12) {
    throw invalid("140", "Expiry month should be between 1 and 12 inclusive");
  }
  if (!/^20\d\d$/.test(yearText))
    throw invalid("141", "Expiry year should be a 4 digit number greater than 2000");
  return { month, year: Number(yearText) };
}

function readAutomaticCapture(fields: Fields, additional: Readonly<Record<string, string>>): boolean {
  const delay = fields.integer("captureDelayHours");
  if (delay !== null && (delay < 0 || delay > MOST_DELAY_HOURS)) {
    throw invalid("14_014", "captureDelayHours is out of range");
  }
  // A delay beyond zero would be captured by Adyen later, which no test here waits for.
  if (delay !== null && delay > 0) throw unreadable("captureDelayHours other than 0 is not played here.");
  return additional["manualCapture"] !== "true";
}

/** Whether a payment without the shopper refers to the first one of its chain, as the schemes demand. */
function referencesFirst(fields: Fields, additional: Readonly<Record<string, string>>): boolean {
  const model = fields.choice("recurringProcessingModel", [
    "CardOnFile",
    "Subscription",
    "UnscheduledCardOnFile",
  ]);
  if (model === null) return false;
  const card = fields.object("paymentMethod", "CardDetails", CARD);
  return (card?.text("networkPaymentReference") ?? additional["networkTxReference"] ?? "") !== "";
}

function readMpi(fields: Fields): Mpi | null {
  const mpi = fields.object("mpiData", "ThreeDSecureData", MPI);
  if (mpi === null) return null;
  const directory = mpi.choice("directoryResponse", ["A", "C", "D", "I", "N", "R", "U", "Y"]);
  const challenge = mpi.choice("authenticationResponse", ["Y", "N", "U", "A"]);
  const status = challenge ?? directory;
  const cavv = mpi.text("cavv");
  if (cavv !== null && Buffer.from(cavv, "base64").length !== 20)
    throw unreadable("cavv must be 20 bytes in base64.");
  const proven = cavv !== null && mpi.has("dsTransID") && mpi.has("threeDSVersion");
  const outcome =
    status === "Y" && proven ? "authenticated" : status === "A" && proven ? "attempted" : ("failed" as const);
  return { outcome, eci: mpi.text("eci") };
}

function readMetadata(fields: Fields): Metadata {
  const metadata = fields.object("metadata", "metadata", null)?.texts() ?? {};
  const entries = Object.entries(metadata);
  const fits = entries.every(([key, value]) => key.length <= 20 && value.length <= 80);
  if (entries.length > 20 || !fits) throw invalid("177", "Metadata size exceeds limit");
  return metadata;
}
