/**
 * Renders payment intents, payment methods and charges as Stripe's wire objects.
 *
 * The shapes are those of the OpenAPI description of 2023-08-16 with the members that the API version of the
 * `stripe` package's types has added since; members that have been removed since are left out.
 */

import { displayBrandOf } from "./card-checks.ts";
import { renderChargedCard } from "./charged-card.ts";
import type { ChargeRecord, PaymentIntentRecord, PaymentMethodRecord } from "./records.ts";
import type { Work } from "./store.ts";

/** A JSON object on its way out. */
export type WireObject = { [name: string]: unknown };

export function renderPaymentIntent(work: Work, intent: PaymentIntentRecord): WireObject {
  return {
    id: intent.id,
    object: "payment_intent",
    allowed_payment_method_types: null,
    amount: intent.amount,
    amount_capturable: intent.amountCapturable,
    amount_details: { tip: {} },
    amount_received: intent.amountReceived,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: intent.automaticPaymentMethods && {
      allow_redirects: intent.automaticPaymentMethods.allowRedirects,
      enabled: true,
    },
    canceled_at: intent.canceledAt,
    cancellation_reason: intent.cancellationReason,
    capture_method: intent.captureMethod,
    client_secret: intent.clientSecret,
    confirmation_method: intent.confirmationMethod,
    created: intent.created,
    currency: intent.currency,
    customer: intent.customer,
    customer_account: null,
    description: intent.description,
    excluded_payment_method_types: null,
    last_payment_error: renderLastError(work, intent),
    latest_charge: intent.latestCharge,
    livemode: false,
    managed_payments: null,
    metadata: intent.metadata,
    next_action: renderNextAction(work, intent),
    on_behalf_of: null,
    payment_method: intent.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: { card: renderCardOptions(intent) },
    payment_method_types: intent.paymentMethodTypes,
    payment_record: null,
    processing: intent.status === "processing" ? { type: "card" } : null,
    receipt_email: intent.receiptEmail,
    review: null,
    setup_future_usage: intent.setupFutureUsage,
    shipping: intent.shipping,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: intent.statementDescriptorSuffix,
    status: intent.status,
    transfer_data: null,
    transfer_group: intent.transferGroup,
  };
}

const ASKED = "if_available";

function renderCardOptions(intent: PaymentIntentRecord): WireObject {
  return {
    installments: null,
    mandate_options: null,
    network: null,
    ...(intent.requestIncrementalAuthorization ? { request_incremental_authorization: ASKED } : {}),
    ...(intent.requestMulticapture ? { request_multicapture: ASKED } : {}),
    ...(intent.requestOvercapture ? { request_overcapture: ASKED } : {}),
    request_three_d_secure: intent.requestThreeDSecure,
    ...(intent.setupCredentialUsage === null ? {} : { setup_credential_usage: intent.setupCredentialUsage }),
    ...(intent.storedCredentialUsage === null
      ? {}
      : { stored_credential_usage: intent.storedCredentialUsage }),
  };
}

function renderLastError(work: Work, intent: PaymentIntentRecord): WireObject | null {
  if (intent.lastPaymentError === null) return null;
  const { paymentMethodId, ...error } = intent.lastPaymentError;
  if (paymentMethodId === undefined) return error;
  return { ...error, payment_method: renderPaymentMethod(work.get("paymentMethods", paymentMethodId)) };
}

function renderNextAction(work: Work, intent: PaymentIntentRecord): WireObject | null {
  if (intent.nextAction === null) return null;
  const url = `${work.baseUrl}/_sandbox/3ds/${intent.id}`;
  if (intent.nextAction.returnUrl === null) {
    return { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect", stripe_js: url } };
  }
  return { type: "redirect_to_url", redirect_to_url: { return_url: intent.nextAction.returnUrl, url } };
}

const NO_ADDRESS = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null };

function renderBilling(method: PaymentMethodRecord): WireObject {
  const { address, email, name, phone } = method.billing;
  return { address: { ...NO_ADDRESS, ...address }, email, name, phone, tax_id: null };
}

export function renderPaymentMethod(method: PaymentMethodRecord): WireObject {
  return {
    id: method.id,
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: renderBilling(method),
    card: {
      brand: method.brand,
      checks: {
        address_line1_check: null,
        address_postal_code_check: null,
        cvc_check: method.cvcGiven ? "unchecked" : null,
      },
      country: method.country,
      display_brand: displayBrandOf(method.brand),
      exp_month: method.expMonth,
      exp_year: method.expYear,
      fingerprint: method.fingerprint,
      funding: method.funding,
      generated_from: null,
      last4: method.last4,
      networks: { available: [method.brand], preferred: null },
      regulated_status: "unregulated",
      three_d_secure_usage: { supported: method.brand !== "unknown" },
      wallet: null,
    },
    created: method.created,
    customer: method.customer,
    customer_account: null,
    livemode: false,
    metadata: method.metadata,
    type: "card",
  };
}

export function renderCharge(work: Work, charge: ChargeRecord): WireObject {
  const method = work.get("paymentMethods", charge.paymentMethod);
  const failed = charge.status === "failed";
  return {
    id: charge.id,
    object: "charge",
    amount: charge.amount,
    amount_captured: charge.amountCaptured,
    amount_refunded: charge.amountRefunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: visibleTransaction(work, charge.balanceTransaction),
    billing_details: renderBilling(method),
    calculated_statement_descriptor: failed ? null : statementDescriptor(charge),
    captured: charge.captured,
    created: charge.created,
    currency: charge.currency,
    customer: charge.customer,
    description: charge.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: charge.failureCode,
    failure_message: charge.failureMessage,
    fraud_details: {},
    livemode: false,
    metadata: charge.metadata,
    on_behalf_of: null,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      ...charge.outcome,
    },
    paid: !failed,
    payment_intent: charge.paymentIntent,
    payment_method: charge.paymentMethod,
    payment_method_details: { card: renderChargedCard(charge, method), type: "card" },
    radar_options: {},
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: isFullyRefunded(charge),
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: charge.statementDescriptorSuffix,
    status: charge.status,
    transfer_data: null,
    transfer_group: null,
  };
}

/** True only after the final capture, once everything captured has been sent back. */
function isFullyRefunded(charge: ChargeRecord): boolean {
  return charge.captured && charge.amountCaptured > 0 && charge.amountRefunded === charge.amountCaptured;
}

function statementDescriptor(charge: ChargeRecord): string {
  return charge.statementDescriptorSuffix === null
    ? "SANDBOX"
    : `SANDBOX* ${charge.statementDescriptorSuffix}`;
}

/** Null while an asynchronous capture has not brought its transaction to light. */
function visibleTransaction(work: Work, id: string | null): string | null {
  if (id === null) return null;
  return work.get("balanceTransactions", id).visibleAtMs <= work.nowMs ? id : null;
}
