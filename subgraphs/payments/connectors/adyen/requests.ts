import { type Money, moneyOf } from "../../../kernel/money.ts";
import { invariant } from "../../../kernel/result.ts";
import type { Authentication, Exemption } from "../../domain/authentication.ts";
import type { Operation, ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { StoredCredential } from "../../domain/stored-credential.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { toAdyen } from "./amounts.ts";

/**
 * Requests to the Checkout API v72; paths below `…/v72`. Every one carries our reference, under which its outcome is told.
 * Card data are placeholders that only the vault can fill. The tests hold each request against the published description.
 */
export type RequestSettings = {
  readonly merchantAccount: string;
  /** Adyen wants an address to send the payer back to with each payment, also where there is none to send. */
  readonly returnUrl: string;
};

/** Brands whose authorization Adyen can adjust (docs.adyen.com/online-payments/adjust-authorisation). */
export const ADJUSTABLE_BRANDS = ["visa", "mastercard", "amex", "discover"] as const;

const post = (path: string, body: object, token: string | null = null): ProviderRequest => ({
  method: "POST",
  path,
  body: JSON.stringify(body),
  token,
});

const amountOf = (money: Money) => ({ value: Number(toAdyen(money)), currency: money.currency });

export function authorize(
  payment: Payment,
  options: AuthorizeOptions,
  settings: RequestSettings,
): ProviderRequest {
  const { terms, amount } = payment;
  const { payer, authentication } = options;
  const body = {
    merchantAccount: settings.merchantAccount,
    reference: options.reference,
    amount: amountOf(amount),
    returnUrl: options.returnUrl ?? settings.returnUrl,
    paymentMethod: {
      type: "scheme",
      number: "{{card.number}}",
      expiryMonth: "{{card.exp_mm}}",
      expiryYear: "{{card.exp_year}}",
      ...(options.cvcAvailable ? { cvc: "{{card.cvc}}" } : {}),
    },
    ...(payment.captureMethod === "automatic" ? { captureDelayHours: 0 } : {}),
    additionalData: additionalData(payment, options),
    // 3-D Secure is ours: a bank that insists says so (38), and we step up.
    authenticationData: { attemptAuthentication: "never" },
    ...(authentication === null ? {} : mpiData(authentication)),
    ...storedCredential(options.stored, terms.customer),
    ...(payer.ip === null ? {} : { shopperIP: payer.ip }),
    ...(payer.email === null ? {} : { shopperEmail: payer.email }),
    ...(payer.country === null ? {} : { countryCode: payer.country }),
    metadata: { tessera_payment: payment.id },
  };
  return post("/payments", body, terms.card.token);
}

function additionalData(payment: Payment, { exemption, stored }: AuthorizeOptions): Record<string, string> {
  const manual = payment.captureMethod === "manual";
  const adjustable = ADJUSTABLE_BRANDS.some((brand) => brand === payment.terms.card.brand);
  const asked = exemption === null ? null : EXEMPTIONS[exemption];
  const first = stored?.networkTransactionId ?? null;
  return {
    ...(manual ? { manualCapture: "true" } : {}),
    // Only a pre-authorization can be raised later; what is captured at once needs none.
    ...(manual && adjustable ? { authorisationType: "PreAuth" } : {}),
    ...(asked === null ? {} : { scaExemption: asked }),
    ...(first === null ? {} : { networkTxReference: first }),
  };
}

/** Adyen has no word for the recurring exemption: `shopperInteraction` says it. */
const EXEMPTIONS: Readonly<Record<Exemption, string | null>> = {
  low_value: "lowValue",
  transaction_risk_analysis: "transactionRiskAnalysis",
  trusted_beneficiary: "trustedBeneficiary",
  corporate: "secureCorporate",
  recurring: null,
};

/** The result of our own 3-D Secure. Without a cryptogram there is nothing to show to the bank, and nothing is sent. */
function mpiData(authentication: Authentication): object {
  const { transStatus, cavv, eci, dsTransaction, version, transStatusReason, challenged } = authentication;
  if (cavv === null) return {};
  return {
    mpiData: {
      // After a challenge the directory's own answer was C, and the challenge's result stands beside it.
      ...(challenged
        ? { directoryResponse: "C", authenticationResponse: transStatus }
        : { directoryResponse: transStatus }),
      cavv,
      ...(eci === null ? {} : { eci }),
      ...(dsTransaction === null ? {} : { dsTransID: dsTransaction }),
      threeDSVersion: version,
      ...(transStatusReason === null ? {} : { transStatusReason }),
    },
  };
}

const MODELS: Readonly<Record<StoredCredential["reason"], string>> = {
  on_demand: "CardOnFile",
  recurring: "Subscription",
  installment: "Subscription",
  unscheduled: "UnscheduledCardOnFile",
};

function storedCredential(stored: StoredCredential | null, customer: string | null): object {
  if (stored === null) return { shopperInteraction: "Ecommerce" };
  const byCustomer = stored.initiator === "customer";
  return {
    // A card that is used as stored is "continued authority", also with the payer present.
    shopperInteraction: stored.first ? "Ecommerce" : "ContAuth",
    recurringProcessingModel: byCustomer && !stored.first ? "CardOnFile" : MODELS[stored.reason],
    ...(customer === null ? {} : { shopperReference: customer }),
  };
}

function on(payment: Payment, what: string): string {
  invariant(payment.providerPayment !== null, "an authorized payment has the provider's id");
  return `/payments/${encodeURIComponent(payment.providerPayment)}/${what}`;
}

type Modification = { readonly reference: string };

/** Adyen cannot be told that a capture is the last: that is a property of the account. */
export function capture(
  payment: Payment,
  { amount, reference }: Modification & { readonly amount: bigint },
  { merchantAccount }: RequestSettings,
): ProviderRequest {
  const body = { merchantAccount, reference, amount: amountOf(moneyOf(amount, payment.amount.currency)) };
  return post(on(payment, "captures"), body);
}

/** `total` is what is authorized afterwards. */
export function increment(
  payment: Payment,
  { total, reference }: Modification & { readonly total: bigint },
  { merchantAccount }: RequestSettings,
): ProviderRequest {
  const body = { merchantAccount, reference, amount: amountOf(moneyOf(total, payment.amount.currency)) };
  return post(on(payment, "amountUpdates"), body);
}

export function cancel(
  payment: Payment,
  { reference }: Modification,
  { merchantAccount }: RequestSettings,
): ProviderRequest {
  // Not /reversals, which would refund what a capture of ours has taken meanwhile.
  return post(on(payment, "cancels"), { merchantAccount, reference });
}

export function refund(
  payment: Payment,
  { amount, reference }: Modification & { readonly amount: bigint },
  { merchantAccount }: RequestSettings,
): ProviderRequest {
  const body = { merchantAccount, reference, amount: amountOf(moneyOf(amount, payment.amount.currency)) };
  return post(on(payment, "refunds"), body);
}

/** Calls off an authorization by our own reference, whatever Adyen calls it (a "technical cancel"). */
export function cancelByReference(
  operation: Operation,
  { reference }: Modification,
  { merchantAccount }: RequestSettings,
): ProviderRequest {
  return post("/cancels", { merchantAccount, reference, paymentReference: operation.reference });
}
