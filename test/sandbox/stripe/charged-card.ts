/**
 * `payment_method_details.card` of a charge: what the networks said of the card and of the payment.
 */

import type { WireObject } from "./objects.ts";
import type { ChargeRecord, PaymentMethodRecord } from "./records.ts";

export function renderChargedCard(charge: ChargeRecord, method: PaymentMethodRecord): WireObject {
  const failed = charge.status === "failed";
  const { address } = method.billing;
  const { line1Check = "pass", postalCodeCheck = "pass" } = method.behaviour;
  const usages = {
    ...(charge.setupCredentialUsage === null ? {} : { setup_credential_usage: charge.setupCredentialUsage }),
    ...(charge.storedCredentialUsage === null
      ? {}
      : { stored_credential_usage: charge.storedCredentialUsage }),
  };
  return {
    amount_authorized: failed ? null : charge.amount,
    authorization_code: failed ? null : charge.id.slice(-6).toUpperCase(),
    brand: method.brand,
    ...(charge.captureBefore === null || failed ? {} : { capture_before: charge.captureBefore }),
    checks: {
      address_line1_check: address["line1"] === undefined ? null : line1Check,
      address_postal_code_check: address["postal_code"] === undefined ? null : postalCodeCheck,
      cvc_check: charge.cvcCheck,
    },
    country: method.country,
    electronic_commerce_indicator: failed ? null : networkEci(charge, method.brand),
    exp_month: method.expMonth,
    exp_year: method.expYear,
    extended_authorization: { status: "disabled" },
    fingerprint: method.fingerprint,
    funding: method.funding,
    incremental_authorization: availability(charge.incrementable),
    installments: null,
    last4: method.last4,
    mandate: null,
    multicapture: availability(charge.multicapture),
    network: method.brand,
    network_token: { used: false },
    network_transaction_id: charge.networkTransactionId,
    overcapture: {
      maximum_amount_capturable: charge.maximumCapturable,
      ...availability(charge.maximumCapturable > charge.amount),
    },
    regulated_status: "unregulated",
    ...usages,
    three_d_secure: renderAuthentication(charge, method.brand),
    transaction_link_id: null,
    wallet: null,
  };
}

const availability = (is: boolean): { status: string } => ({ status: is ? "available" : "unavailable" });

/** Visa's and Mastercard's codes for: authenticated, and not. */
const ECI: Readonly<Record<string, readonly [authenticated: string, not: string]>> = {
  visa: ["05", "07"],
  mastercard: ["02", "00"],
};

/** Told for Visa and Mastercard only. */
function networkEci(charge: ChargeRecord, brand: string): string | null {
  const codes = ECI[brand];
  if (codes === undefined) return null;
  const imported = charge.importedAuthentication;
  if (imported !== null) return imported.eci ?? codes[0];
  return charge.authenticated ? codes[0] : codes[1];
}

function renderAuthentication(charge: ChargeRecord, brand: string): WireObject | null {
  const imported = charge.importedAuthentication;
  if (imported !== null) {
    const wasExempted = imported.exemptionIndicator === "low_risk";
    const wasAttempted = imported.eci === "06" || imported.eci === "01";
    return {
      authentication_flow: imported.aresTransStatus === "C" ? "challenge" : "frictionless",
      electronic_commerce_indicator: imported.eci,
      exemption_indicator: imported.exemptionIndicator,
      ...(wasExempted ? { exemption_indicator_applied: true } : {}),
      result: wasExempted ? "exempted" : wasAttempted ? "attempt_acknowledged" : "authenticated",
      result_reason: null,
      transaction_id: imported.transactionId,
      version: imported.version,
    };
  }
  if (!charge.authenticated) return null;
  return {
    authentication_flow: "challenge",
    electronic_commerce_indicator: ECI[brand]?.[0] ?? "05",
    exemption_indicator: null,
    result: "authenticated",
    result_reason: null,
    transaction_id: null,
    version: "2.2.0",
  };
}
