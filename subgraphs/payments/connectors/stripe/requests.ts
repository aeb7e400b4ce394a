import type Stripe from "stripe";
import { type Money, moneyOf } from "../../../kernel/money.ts";
import { invariant } from "../../../kernel/result.ts";
import type { Authentication, Exemption } from "../../domain/authentication.ts";
import type { Operation, ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { StoredCredential } from "../../domain/stored-credential.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { toStripe } from "./amounts.ts";
import { encodeForm } from "./form.ts";

/**
 * Requests to Stripe's payment intents and refunds, in its own form encoding. Parameter names and types are
 * checked against the official client's types. Card data is a placeholder that only the vault can fill.
 */

/** The metadata under which Stripe keeps our reference of the authorization, or of a refund: a look-up finds it by that. */
export const REFERENCE_FIELD = "tessera_reference";
const PAYMENT_FIELD = "tessera_payment";

/**
 * The metadata that a capture or an increment leaves on the intent, which has room for fifty, in names of forty
 * characters: the reference's end, 120 bits of it, is the name. Stripe sets it if and only if the request took effect.
 */
export const markOf = (reference: string): string => `tessera_${reference.slice(-30)}`;

type CardFields = { number: string; exp_month: string; exp_year: string; cvc?: string };
type CardOptions = Stripe.PaymentIntentCreateParams.PaymentMethodOptions.Card;

const post = (path: string, parameters: object, token: string | null = null): ProviderRequest => ({
  method: "POST",
  path,
  body: encodeForm(parameters),
  token,
});
const get = (path: string): ProviderRequest => ({ method: "GET", path, body: null, token: null });

const stripeAmount = (money: Money): number => Number(toStripe(money));

export function authorize(
  payment: Payment,
  options: AuthorizeOptions,
  { mitExemption }: { readonly mitExemption: boolean },
): ProviderRequest {
  const { reference, cvcAvailable, authentication, stored, returnUrl, payer } = options;
  const card: CardFields = {
    number: "{{card.number}}",
    exp_month: "{{card.exp_month}}",
    exp_year: "{{card.exp_year}}",
    ...(cvcAvailable ? { cvc: "{{card.cvc}}" } : {}),
  };
  const imported = authentication === null ? {} : importedAuthentication(authentication, options.exemption);
  const cardOptions: CardOptions = {
    ...(payment.captureMethod === "manual" ? HOLD_OPTIONS : {}),
    ...imported,
    ...(stored === null ? {} : credentialUsage(stored)),
  };
  const asksPayer = returnUrl !== null && authentication === null;
  const byMerchant = stored?.initiator === "merchant";
  const parameters: Omit<Stripe.PaymentIntentCreateParams, "payment_method_data" | "payment_method_options"> =
    {
      amount: stripeAmount(payment.amount),
      currency: payment.amount.currency.toLowerCase(),
      confirm: true,
      capture_method: payment.captureMethod === "manual" ? "manual" : "automatic",
      // Only the card comes along; Stripe wants a return address where any method might redirect.
      automatic_payment_methods: { enabled: true, allow_redirects: asksPayer ? "always" : "never" },
      // Where nobody can answer, or has answered already, a card that asks for 3-D Secure is declined instead of waiting.
      ...(asksPayer ? { return_url: returnUrl } : { error_on_requires_action: true }),
      ...(byMerchant ? { off_session: true } : {}),
      ...(stored?.first
        ? { setup_future_usage: stored.reason === "on_demand" ? "on_session" : "off_session" }
        : {}),
      ...(payment.terms.description === null ? {} : { description: payment.terms.description }),
      metadata: { [REFERENCE_FIELD]: reference, [PAYMENT_FIELD]: payment.id },
      expand: ["latest_charge"],
    };
  const original = byMerchant && mitExemption ? stored.networkTransactionId : null;
  const withCard = {
    ...parameters,
    // The raw card hash is what PCI-certified callers send; the client's types know only tokens there.
    payment_method_data: {
      type: "card",
      card,
      ...(payer.email === null ? {} : { billing_details: { email: payer.email } }),
    },
    // Nor do they know this one, which is for those who keep cards themselves.
    payment_method_options: {
      card: {
        ...cardOptions,
        ...(original === null ? {} : { mit_exemption: { network_transaction_id: original } }),
      },
    },
  };
  return post("/v1/payment_intents", withCard, payment.terms.card.token);
}

const HOLD_OPTIONS: CardOptions = {
  request_multicapture: "if_available",
  request_incremental_authorization: "if_available",
  request_overcapture: "if_available",
};

/** Nothing without a cryptogram: such an outcome cannot be handed over, and Stripe decides for itself. */
function importedAuthentication(
  { cavv, dsTransaction, version, eci, challenged, transStatus }: Authentication,
  exemption: Exemption | null,
): CardOptions {
  if (cavv === null || dsTransaction === null) return {};
  const asked = challenged ? "C" : transStatus;
  return {
    three_d_secure: {
      cryptogram: cavv,
      transaction_id: dsTransaction,
      version,
      // Stripe has no name for "00" and for decoupled authentication: it makes do with the cryptogram.
      ...(eci === null || eci === "00" ? {} : { electronic_commerce_indicator: eci }),
      ...(asked === "D" ? {} : { ares_trans_status: asked }),
      ...(exemption === "transaction_risk_analysis" ? { exemption_indicator: "low_risk" } : {}),
    },
  };
}

function credentialUsage({ reason, first, initiator }: StoredCredential): CardOptions {
  const usage = reason === "on_demand" ? "unscheduled" : reason;
  if (first) return reason === "on_demand" ? {} : { setup_credential_usage: usage };
  return initiator === "merchant" ? { stored_credential_usage: usage } : {};
}

function intentOf(payment: Payment): string {
  invariant(payment.providerPayment !== null, "an authorized payment has the provider's id");
  return encodeURIComponent(payment.providerPayment);
}

export function increment(
  payment: Payment,
  { total, reference }: { readonly total: bigint; readonly reference: string },
): ProviderRequest {
  const parameters: Stripe.PaymentIntentIncrementAuthorizationParams = {
    amount: stripeAmount(moneyOf(total, payment.amount.currency)),
    metadata: { [markOf(reference)]: reference },
  };
  return post(`/v1/payment_intents/${intentOf(payment)}/increment_authorization`, parameters);
}

export function capture(
  payment: Payment,
  {
    amount,
    final,
    reference,
  }: { readonly amount: bigint; readonly final: boolean; readonly reference: string },
): ProviderRequest {
  const only = final && payment.captured === 0n;
  const parameters: Stripe.PaymentIntentCaptureParams = {
    amount_to_capture: stripeAmount(moneyOf(amount, payment.amount.currency)),
    ...(only ? {} : { final_capture: final }),
    // A final capture is alone, and told by the amounts; so it never fails for want of room.
    ...(final ? {} : { metadata: { [markOf(reference)]: reference } }),
  };
  return post(`/v1/payment_intents/${intentOf(payment)}/capture`, parameters);
}

export function cancel(payment: Payment): ProviderRequest {
  return post(`/v1/payment_intents/${intentOf(payment)}/cancel`, {});
}

export function refund(payment: Payment, amount: bigint, reference: string): ProviderRequest {
  invariant(payment.providerPayment !== null, "a captured payment has the provider's id");
  const parameters: Stripe.RefundCreateParams = {
    payment_intent: payment.providerPayment,
    amount: stripeAmount(moneyOf(amount, payment.amount.currency)),
    metadata: { [REFERENCE_FIELD]: reference, [PAYMENT_FIELD]: payment.id },
  };
  return post("/v1/refunds", parameters);
}

const wholeIntent = (payment: Payment): ProviderRequest =>
  get(`/v1/payment_intents/${intentOf(payment)}?expand[0]=latest_charge`);

/** How to see what became of an operation, without acting. */
export function lookup(operation: Operation, payment: Payment): ProviderRequest | null {
  switch (operation.kind) {
    case "authorize": {
      // By its id Stripe knows an intent at once, by search only a little later.
      if (payment.providerPayment !== null && operation.attempt === payment.attempt)
        return wholeIntent(payment);
      const query = new URLSearchParams({
        query: `metadata['${REFERENCE_FIELD}']:'${operation.reference}'`,
        "expand[0]": "data.latest_charge",
      });
      return get(`/v1/payment_intents/search?${query}`);
    }
    case "increment":
    case "capture":
    case "void":
    case "expire":
      return wholeIntent(payment);
    case "refund":
      return operation.providerOperation === null
        ? get(`/v1/refunds?payment_intent=${intentOf(payment)}&limit=100`)
        : get(`/v1/refunds/${encodeURIComponent(operation.providerOperation)}`);
    case "authenticate":
      return null;
  }
}
