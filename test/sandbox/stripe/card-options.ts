/**
 * `payment_method_options[card]`: what a merchant asks of a card payment beyond the amount.
 *
 * `mit_exemption` is not in Stripe's public types; processors that keep cards themselves send it to accounts for which
 * it is enabled. All else is in the types of the `stripe` package.
 */

import { invalidRequest } from "./errors.ts";
import type { IntentChange } from "./intent-params.ts";
import type { Params } from "./params.ts";
import type { ImportedAuthentication } from "./records.ts";

export type CardOptions = Pick<
  IntentChange,
  | "captureMethod"
  | "requestMulticapture"
  | "requestIncrementalAuthorization"
  | "requestOvercapture"
  | "requestThreeDSecure"
  | "setupFutureUsage"
  | "setupCredentialUsage"
  | "storedCredentialUsage"
  | "mitNetworkTransactionId"
  | "importedAuthentication"
>;

// biome-ignore format: names
const PLAYED = [
  "capture_method", "mit_exemption", "request_incremental_authorization", "request_multicapture",
  "request_overcapture", "request_three_d_secure", "setup_credential_usage", "setup_future_usage",
  "stored_credential_usage", "three_d_secure",
];
// biome-ignore format: names
const NOT_PLAYED = [
  "cvc_token", "installments", "mandate_options", "moto", "network", "request_extended_authorization",
  "require_cvc_recollection",
];
const USAGES = ["installment", "recurring", "unscheduled"] as const;

/** Reads `payment_method_options`. Throws a 400 `Refusal`. */
export function readCardOptions(options: Params | undefined): CardOptions {
  options?.expectOnly(["card"], options.names());
  const card = options?.child("card");
  if (card === undefined) return {};
  card.expectOnly(PLAYED, NOT_PLAYED);
  const setupFutureUsage = card.oneOf("setup_future_usage", ["none", "off_session", "on_session"]);
  const asked = (name: string): boolean | undefined => {
    const answer = card.oneOf(name, ["if_available", "never"]);
    return answer === undefined ? undefined : answer === "if_available";
  };
  return {
    captureMethod: card.oneOf("capture_method", ["manual"]),
    requestMulticapture: asked("request_multicapture"),
    requestIncrementalAuthorization: asked("request_incremental_authorization"),
    requestOvercapture: asked("request_overcapture"),
    requestThreeDSecure: card.oneOf("request_three_d_secure", ["automatic", "any", "challenge"]),
    setupFutureUsage: setupFutureUsage === "none" ? undefined : setupFutureUsage,
    setupCredentialUsage: card.oneOf("setup_credential_usage", USAGES),
    storedCredentialUsage: card.oneOf("stored_credential_usage", USAGES),
    mitNetworkTransactionId: readExemption(card.child("mit_exemption")),
    importedAuthentication: readAuthentication(card.child("three_d_secure")),
  };
}

/** Visa's have 15 digits, Mastercard's 9 to 15 letters and digits, others up to 36. */
function readExemption(exemption: Params | undefined): string | undefined {
  exemption?.expectOnly(["network_transaction_id"], ["claim_without_transaction_id", "ds_transaction_id"]);
  const id = exemption?.requiredString("network_transaction_id");
  if (id === undefined || exemption === undefined || /^[A-Za-z0-9]{9,36}$/.test(id)) return id;
  throw malformed(exemption, "network_transaction_id", "9 to 36 letters and digits");
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** 3D Secure that somebody else carried out: docs.stripe.com/payments/payment-intents/three-d-secure-import. */
function readAuthentication(secure: Params | undefined): ImportedAuthentication | undefined {
  if (secure === undefined) return undefined;
  secure.expectOnly(
    [
      "ares_trans_status",
      "cryptogram",
      "electronic_commerce_indicator",
      "exemption_indicator",
      "requestor_challenge_indicator",
      "transaction_id",
      "version",
    ],
    ["network_options"],
  );
  const cryptogram = secure.requiredString("cryptogram");
  const isCavv = /^[A-Za-z0-9+/]{27}=$/.test(cryptogram) && Buffer.from(cryptogram, "base64").length === 20;
  if (!isCavv) throw malformed(secure, "cryptogram", "20 bytes in base64");
  const transactionId = secure.requiredString("transaction_id");
  const version = secure.oneOf("version", ["1.0.2", "2.1.0", "2.2.0", "2.3.0", "2.3.1"]);
  if (version === undefined) throw secure.missing("version");
  if (version !== "1.0.2" && !UUID.test(transactionId)) throw malformed(secure, "transaction_id", "a UUID");
  const challenge = secure.string("requestor_challenge_indicator");
  if (challenge !== undefined && !/^(?!00)\d{2}$/.test(challenge))
    throw malformed(secure, "requestor_challenge_indicator", "two digits");
  return {
    cryptogram,
    transactionId,
    version,
    eci: secure.oneOf("electronic_commerce_indicator", ["01", "02", "05", "06", "07"]) ?? null,
    exemptionIndicator:
      secure.oneOf<"low_risk" | "none">("exemption_indicator", ["low_risk", "none"]) ?? null,
    aresTransStatus: secure.oneOf("ares_trans_status", ["A", "C", "I", "N", "R", "U", "Y"]) ?? null,
    requestorChallengeIndicator: challenge ?? null,
  };
}

function malformed(params: Params, name: string, expected: string): Error {
  return invalidRequest(`Invalid ${params.name(name)}: it must be ${expected}.`, {
    param: params.name(name),
  });
}
