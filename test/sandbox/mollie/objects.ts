/**
 * Renders payments, captures, refunds, customers and mandates as Mollie's wire objects (HAL).
 */

import { wireAmount } from "./amounts.ts";
import { messageOf } from "./failure-reasons.ts";
import type {
  CaptureRecord,
  CardRecord,
  CustomerRecord,
  MandateRecord,
  PaymentRecord,
  PaymentStatus,
  RefundRecord,
} from "./records.ts";
import type { MollieWorld } from "./world.ts";

/** A JSON object on its way out. */
export type WireObject = { [name: string]: unknown };

export const PROFILE = "pfl_QkEhN94Ba";
const HAL = "application/hal+json";
const HTML = "text/html";

/** What rendering needs to know beside the record. */
export type Rendering = { readonly baseUrl: string; readonly settings: MollieWorld["settings"] };

/** Seconds, with the offset written out, as in Mollie's examples. */
export const wireTime = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}+00:00`;

const link = (href: string, type = HAL): WireObject => ({ href, type });
const documentation = (page: string): WireObject => link(`https://docs.mollie.com/reference/${page}`, HTML);

/** Members whose value is null are left out, as Mollie does with what does not apply. */
function present(members: WireObject): WireObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

export function isCancelable(payment: PaymentRecord, settings: MollieWorld["settings"]): boolean {
  return payment.status === "open" ? settings.cancelOpen : payment.status === "authorized";
}

/** `shown` contradicts the record, where a fault rule orders it. */
export function renderPayment(
  payment: PaymentRecord,
  { baseUrl, settings }: Rendering,
  shown: PaymentStatus = payment.status,
): WireObject {
  const { amount, currency, amountCaptured, amountRefunded } = payment;
  const final = shown === "paid" || shown === "canceled" || shown === "expired" || shown === "failed";
  const instants = {
    authorizedAt: payment.authorizedAt,
    paidAt: payment.paidAt,
    canceledAt: payment.canceledAt,
    expiredAt: payment.expiredAt,
    failedAt: payment.failedAt,
    expiresAt: shown === "open" ? payment.expiresAt : null,
    captureBefore: shown === "authorized" ? payment.captureBefore : null,
  };
  return {
    resource: "payment",
    id: payment.id,
    mode: "test",
    amount: wireAmount(amount, currency),
    description: payment.description,
    status: shown,
    profileId: PROFILE,
    sequenceType: payment.sequenceType,
    metadata: payment.metadata ?? null,
    createdAt: wireTime(payment.created),
    captureMode: payment.captureMode,
    ...present({
      method: payment.method ?? (payment.card === null ? null : "creditcard"),
      redirectUrl: payment.redirectUrl,
      cancelUrl: payment.cancelUrl,
      webhookUrl: payment.webhookUrl,
      locale: payment.locale,
      customerId: payment.customer,
      mandateId: payment.mandate,
      isCancelable: final ? null : isCancelable({ ...payment, status: shown }, settings),
      amountCaptured: payment.authorizedAt === null ? null : wireAmount(amountCaptured, currency),
      amountRefunded: shown === "paid" ? wireAmount(amountRefunded, currency) : null,
      amountRemaining: shown === "paid" ? wireAmount(amountCaptured - amountRefunded, currency) : null,
      details: payment.card === null && payment.failureReason === null ? null : renderDetails(payment),
    }),
    ...present(
      Object.fromEntries(Object.entries(instants).map(([k, at]) => [k, at === null ? null : wireTime(at)])),
    ),
    _links: paymentLinks(payment, baseUrl, shown),
  };
}

function paymentLinks(payment: PaymentRecord, baseUrl: string, shown: PaymentStatus): WireObject {
  const self = `${baseUrl}/v2/payments/${payment.id}`;
  const { checkoutToken, customer, mandate, authorizedAt, amountRefunded } = payment;
  const waits = shown === "open" && checkoutToken !== null;
  return {
    self: link(self),
    ...(waits ? { checkout: link(`${baseUrl}/_sandbox/checkout/${checkoutToken}`, HTML) } : {}),
    dashboard: link(`https://my.mollie.com/dashboard/payments/${payment.id}`, HTML),
    ...(authorizedAt === null ? {} : { captures: link(`${self}/captures`) }),
    ...(amountRefunded === 0 ? {} : { refunds: link(`${self}/refunds`) }),
    ...(customer === null ? {} : { customer: link(`${baseUrl}/v2/customers/${customer}`) }),
    ...(customer === null || mandate === null
      ? {}
      : { mandate: link(`${baseUrl}/v2/customers/${customer}/mandates/${mandate}`) }),
    documentation: documentation("get-payment"),
  };
}

function renderDetails({ card, failureReason, eci }: PaymentRecord): WireObject {
  return {
    ...(card === null ? {} : renderCard(card)),
    cardSecurity: eci === null ? "normal" : "3dsecure",
    ...(eci === null ? {} : { card3dsEci: eci }),
    feeRegion: "other",
    ...(failureReason === null ? {} : { failureReason, failureMessage: messageOf(failureReason) }),
  };
}

function renderCard(card: CardRecord): WireObject {
  return {
    cardNumber: card.last4,
    cardBin: card.bin,
    cardMaskedNumber: `${card.bin}******${card.last4}`,
    cardHolder: card.holder,
    cardAudience: "consumer",
    cardLabel: card.label,
    cardCountryCode: card.country,
    cardExpiryDate: `${String(card.expMonth).padStart(2, "0")}/${String(card.expYear).slice(-2)}`,
    cardFunding: card.funding,
    cardFingerprint: card.fingerprint,
  };
}

export function renderCapture(capture: CaptureRecord, { baseUrl }: Rendering): WireObject {
  const payment = `${baseUrl}/v2/payments/${capture.payment}`;
  return {
    resource: "capture",
    id: capture.id,
    mode: "test",
    ...present({ description: capture.description }),
    amount: wireAmount(capture.amount, capture.currency),
    status: capture.status,
    metadata: capture.metadata ?? null,
    paymentId: capture.payment,
    createdAt: wireTime(capture.created),
    _links: {
      self: link(`${payment}/captures/${capture.id}`),
      payment: link(payment),
      documentation: documentation("get-capture"),
    },
  };
}

export function renderRefund(refund: RefundRecord, { baseUrl }: Rendering): WireObject {
  const payment = `${baseUrl}/v2/payments/${refund.payment}`;
  return {
    resource: "refund",
    id: refund.id,
    mode: "test",
    description: refund.description,
    amount: wireAmount(refund.amount, refund.currency),
    status: refund.status,
    metadata: refund.metadata ?? null,
    paymentId: refund.payment,
    createdAt: wireTime(refund.created),
    _links: {
      self: link(`${payment}/refunds/${refund.id}`),
      payment: link(payment),
      documentation: documentation("get-refund"),
    },
  };
}

export function renderCustomer(customer: CustomerRecord, { baseUrl }: Rendering): WireObject {
  const { id, name, email, locale, metadata } = customer;
  return {
    resource: "customer",
    id,
    mode: "test",
    name,
    email,
    locale,
    metadata: metadata ?? null,
    createdAt: wireTime(customer.created),
    _links: {
      self: link(`${baseUrl}/v2/customers/${id}`),
      dashboard: link(`https://www.mollie.com/dashboard/customers/${id}`, HTML),
      documentation: documentation("get-customer"),
    },
  };
}

export function renderMandate(mandate: MandateRecord, { baseUrl }: Rendering): WireObject {
  const { id, customer, card } = mandate;
  const lastDay = new Date(Date.UTC(card.expYear, card.expMonth, 0));
  return {
    resource: "mandate",
    id,
    mode: "test",
    status: mandate.status,
    method: "creditcard",
    details: {
      cardHolder: card.holder,
      cardNumber: card.last4,
      cardExpiryDate: lastDay.toISOString().slice(0, 10),
      cardLabel: card.label,
      cardFingerprint: card.fingerprint,
    },
    scopes: ["customer-present", "customer-not-present"],
    customerId: customer,
    mandateReference: null,
    signatureDate: wireTime(mandate.created).slice(0, 10),
    createdAt: wireTime(mandate.created),
    _links: {
      self: link(`${baseUrl}/v2/customers/${customer}/mandates/${id}`),
      customer: link(`${baseUrl}/v2/customers/${customer}`),
      documentation: documentation("get-mandate"),
    },
  };
}

/** Within a list objects have no link to the documentation; the list has it. */
function asItem(item: WireObject): WireObject {
  const { documentation: _, ...links } = item["_links"] as WireObject;
  return { ...item, _links: links };
}

/** A page of a list. `next` and `previous` are addresses, or null. */
export function renderList(
  name: "payments" | "captures" | "refunds" | "mandates",
  items: readonly WireObject[],
  { self, previous, next }: { self: string; previous: string | null; next: string | null },
): WireObject {
  return {
    count: items.length,
    _embedded: { [name]: items.map(asItem) },
    _links: {
      self: link(self),
      previous: previous === null ? null : link(previous),
      next: next === null ? null : link(next),
      documentation: documentation(`list-${name}`),
    },
  };
}
