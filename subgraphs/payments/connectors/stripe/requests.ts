import type Stripe from "stripe";
import { type Money, moneyOf } from "../../../kernel/money.ts";
import { invariant } from "../../../kernel/result.ts";
import type { Operation, ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { toStripe } from "./amounts.ts";
import { encodeForm } from "./form.ts";

/**
 * Requests to Stripe's payment intents and refunds, in its own form encoding. Parameter names and types are
 * checked against the official client's types. Card data is a placeholder that only the vault can fill.
 */

/** The metadata under which Stripe keeps our reference: what a look-up finds an operation by. */
export const REFERENCE_FIELD = "tessera_reference";
export const PAYMENT_FIELD = "tessera_payment";

type CardFields = { number: string; exp_month: string; exp_year: string; cvc?: string };

const post = (path: string, parameters: object, token: string | null = null): ProviderRequest => ({
  method: "POST",
  path,
  body: encodeForm(parameters),
  token,
});
const get = (path: string): ProviderRequest => ({ method: "GET", path, body: null, token: null });

const stripeAmount = (money: Money): number => Number(toStripe(money));

export function authorize(payment: Payment, reference: string, cvcAvailable: boolean): ProviderRequest {
  const manual = payment.captureMethod === "manual";
  const card: CardFields = {
    number: "{{card.number}}",
    exp_month: "{{card.exp_month}}",
    exp_year: "{{card.exp_year}}",
    ...(cvcAvailable ? { cvc: "{{card.cvc}}" } : {}),
  };
  const parameters: Omit<Stripe.PaymentIntentCreateParams, "payment_method_data"> = {
    amount: stripeAmount(payment.amount),
    currency: payment.amount.currency.toLowerCase(),
    confirm: true,
    capture_method: manual ? "manual" : "automatic",
    // Cards need no redirect; without this Stripe asks for a return_url.
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    // Without 3-D Secure to show, a card that asks for it is declined now instead of hanging.
    error_on_requires_action: true,
    ...(manual ? { payment_method_options: { card: { request_multicapture: "if_available" } } } : {}),
    ...(payment.description === null ? {} : { description: payment.description }),
    metadata: { [REFERENCE_FIELD]: reference, [PAYMENT_FIELD]: payment.id },
    expand: ["latest_charge"],
  };
  // The raw card hash is what PCI-certified callers send; the client's types know only tokens there.
  const withCard = { ...parameters, payment_method_data: { type: "card", card } };
  return post("/v1/payment_intents", withCard, payment.card.token);
}

function intentOf(payment: Payment): string {
  invariant(payment.providerPayment !== null, "an authorized payment has the provider's id");
  return encodeURIComponent(payment.providerPayment);
}

export function capture(payment: Payment, amount: bigint, final: boolean): ProviderRequest {
  const only = final && payment.captured === 0n;
  const parameters: Stripe.PaymentIntentCaptureParams = {
    amount_to_capture: stripeAmount(moneyOf(amount, payment.amount.currency)),
    ...(only ? {} : { final_capture: final }),
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

/** How to see what became of an operation, without acting. */
export function lookup(operation: Operation, payment: Payment): ProviderRequest {
  switch (operation.kind) {
    case "authorize": {
      const query = new URLSearchParams({
        query: `metadata['${REFERENCE_FIELD}']:'${operation.reference}'`,
        "expand[0]": "data.latest_charge",
      });
      return get(`/v1/payment_intents/search?${query}`);
    }
    case "capture":
    case "void":
    case "expire":
      return get(`/v1/payment_intents/${intentOf(payment)}`);
    case "refund":
      return get(`/v1/refunds?payment_intent=${intentOf(payment)}&limit=100`);
  }
}
