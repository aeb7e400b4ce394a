import { type Money, moneyOf } from "../../../kernel/money.ts";
import { invariant } from "../../../kernel/result.ts";
import type { Operation, ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { toMollie } from "./amounts.ts";

/**
 * Requests to Mollie's payments, captures and refunds (Payments API v2), as JSON. Mollie asks for the card on a page of
 * its own, so no request has card data, and none goes through the vault.
 */

/** The metadata under which Mollie keeps our reference: what a look-up knows an operation by. */
export const REFERENCE_FIELD = "tessera_reference";
export const PAYMENT_FIELD = "tessera_payment";

/** The most that Mollie lists on one page. */
const PAGE = 250;
const MAX_DESCRIPTION = 255;

const post = (path: string, body: object): ProviderRequest => ({
  method: "POST",
  path,
  body: JSON.stringify(body),
  token: null,
});
const get = (path: string): ProviderRequest => ({ method: "GET", path, body: null, token: null });

const amountOf = (minor: bigint, { amount }: Payment) =>
  toMollie(moneyOf(minor, amount.currency) satisfies Money);

const metadataOf = (payment: Payment, reference: string) => ({
  [REFERENCE_FIELD]: reference,
  [PAYMENT_FIELD]: payment.id,
});

/** Shown on the page and on statements. */
const descriptionOf = ({ terms, id }: Payment): string =>
  (terms.description ?? terms.reference ?? id).slice(0, MAX_DESCRIPTION);

export function authorize(payment: Payment, options: AuthorizeOptions): ProviderRequest {
  const { reference, returnUrl, webhookUrl, stored } = options;
  // Without the payer there is no page: what lacks a mandate then is refused, and never becomes a page nobody sees.
  const present = stored?.initiator !== "merchant";
  return post("/v2/payments", {
    amount: toMollie(payment.amount),
    description: descriptionOf(payment),
    method: "creditcard",
    captureMode: payment.captureMethod,
    ...sequenceOf(options),
    ...(present && returnUrl !== null ? { redirectUrl: returnUrl, cancelUrl: returnUrl } : {}),
    ...(webhookUrl === null ? {} : { webhookUrl }),
    metadata: metadataOf(payment, reference),
  });
}

/** `first` stores the card under a mandate, `recurring` charges it without the payer. */
function sequenceOf({ stored }: AuthorizeOptions): object {
  if (stored === null) return {};
  const { customer = null, mandate = null } = stored.atProvider ?? {};
  const customerId = customer === null ? {} : { customerId: customer };
  if (stored.initiator === "merchant") {
    return { sequenceType: "recurring", ...customerId, ...(mandate === null ? {} : { mandateId: mandate }) };
  }
  return stored.first && customer !== null ? { sequenceType: "first", ...customerId } : customerId;
}

function paymentPath({ providerPayment }: Payment): string {
  invariant(providerPayment !== null, "an authorized payment has the provider's id");
  return `/v2/payments/${encodeURIComponent(providerPayment)}`;
}

export function capture(payment: Payment, amount: bigint, reference: string): ProviderRequest {
  return post(`${paymentPath(payment)}/captures`, {
    amount: amountOf(amount, payment),
    description: descriptionOf(payment),
    metadata: metadataOf(payment, reference),
  });
}

/** What the payer has authorized is released; what they have not paid yet is canceled. */
export function close(payment: Payment): ProviderRequest {
  if (payment.phase === "requires_action") return cancel(paymentPath(payment));
  return post(`${paymentPath(payment)}/release-authorization`, {});
}

/** It has no idempotency key: a second one is refused, and does nothing. */
const cancel = (path: string): ProviderRequest => ({ method: "DELETE", path, body: null, token: null });

export function refund(payment: Payment, amount: bigint, reference: string): ProviderRequest {
  return post(`${paymentPath(payment)}/refunds`, {
    amount: amountOf(amount, payment),
    description: descriptionOf(payment),
    metadata: metadataOf(payment, reference),
  });
}

/** Ends a payment that its payer has not paid yet. */
export function cancelOpen(operation: Operation, payment: Payment): ProviderRequest | null {
  const id = idOf(operation, payment);
  return id === null ? null : cancel(`/v2/payments/${encodeURIComponent(id)}`);
}

/** Mollie's id of the payment, as far as it has told one. */
function idOf(operation: Operation, payment: Payment): string | null {
  const own = operation.kind === "authorize" ? operation.providerOperation : null;
  return payment.providerPayment ?? own;
}

/**
 * How to see what became of an operation, without acting. A payment whose id was never heard is sought among the newest: Mollie
 * has no search by metadata.
 */
export function lookup(operation: Operation, payment: Payment): ProviderRequest | null {
  const id = idOf(operation, payment);
  const path = `/v2/payments/${encodeURIComponent(id ?? "")}`;
  switch (operation.kind) {
    case "authorize":
      return get(id === null ? `/v2/payments?limit=${PAGE}` : path);
    case "void":
    case "expire":
      return id === null ? null : get(path);
    case "capture":
      return id === null ? null : get(`${path}/captures?limit=${PAGE}`);
    case "refund":
      return id === null ? null : get(`${path}/refunds?limit=${PAGE}`);
    case "authenticate":
    case "increment":
      return null;
  }
}

export function createCustomer(options: { name: string | null; email: string | null }): ProviderRequest {
  const { name, email } = options;
  return post("/v2/customers", { ...(name === null ? {} : { name }), ...(email === null ? {} : { email }) });
}
