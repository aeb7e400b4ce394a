/**
 * The hosted checkout: what the payer does on its pages. By forms for a browser, by JSON for a test, which is told
 * where a browser would go.
 */

import { cardFingerprint, hasExpired, passesLuhn } from "../kit/cards.ts";
import { type ControlCall, ControlReply, type ControlRoutes, refuse } from "../kit/control.ts";
import {
  bankPage,
  cardPage,
  endedPage,
  type FieldErrors,
  type FieldName,
  type Fields,
  OUTCOMES,
} from "./checkout-page.ts";
import { isFailureReason } from "./failure-reasons.ts";
import { renderPayment } from "./objects.ts";
import { authenticated, cancelOpen, expire, fail, submit } from "./paying.ts";
import type { CardRecord, PaymentRecord } from "./records.ts";
import { labelOf, testCard } from "./test-cards.ts";
import type { MollieWorld, Work } from "./world.ts";

type Call = ControlCall<MollieWorld>;

/** What was sent, from a form or as JSON: texts by name. */
function sentFields(call: Call): Readonly<Record<string, string>> {
  if (!isJson(call)) return Object.fromEntries(new URLSearchParams(call.body));
  const sent = JSON.parse(call.body) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, String(value)]));
}

const isJson = ({ message }: Call): boolean =>
  message.headers["content-type"]?.startsWith("application/json") === true;

function paymentOf({ sandbox, ids }: Call): PaymentRecord {
  const id = sandbox.store.indexes.byCheckoutToken.get(ids[0] ?? "");
  const payment = id === undefined ? undefined : sandbox.store.tables.payments.get(id);
  return payment ?? refuse(404, "no such checkout");
}

const html = (status: number, body: string): ControlReply =>
  new ControlReply({ status, body, headers: { "cache-control": "no-store" } });

const redirect = (location: string): ControlReply =>
  new ControlReply({ status: 303, body: "", headers: { location } });

const bankAddress = (payment: PaymentRecord, baseUrl: string): string =>
  `${baseUrl}/_sandbox/checkout/${payment.checkoutToken}/bank`;

/** Where the payer goes from here: to the bank's page, back to the merchant, or nowhere. */
function nextAddress(payment: PaymentRecord, baseUrl: string): string | null {
  if (payment.status === "open") return payment.challenged ? bankAddress(payment, baseUrl) : null;
  const { cancelUrl, redirectUrl } = payment;
  return payment.status === "canceled" ? (cancelUrl ?? redirectUrl) : redirectUrl;
}

function goOn(call: Call, payment: PaymentRecord): unknown {
  const { sandbox } = call;
  const redirectTo = nextAddress(payment, sandbox.baseUrl);
  if (isJson(call)) return { payment: renderPayment(payment, sandbox), redirectTo };
  return redirectTo === null ? html(200, endedPage(payment)) : redirect(redirectTo);
}

/** Changes the payment in a unit of work that bears the key of the request that made it. */
function changed(call: Call, payment: PaymentRecord, change: (work: Work) => PaymentRecord): PaymentRecord {
  return call.sandbox.change(payment.idempotencyKey, change);
}

function showCardPage(call: Call): unknown {
  const payment = paymentOf(call);
  if (payment.status !== "open" || payment.challenged) return goOn(call, payment);
  return html(200, cardPage(payment));
}

function takeCardPage(call: Call): unknown {
  const payment = paymentOf(call);
  if (payment.status !== "open") return goOn(call, payment);
  const sent = sentFields(call);
  switch (sent["action"] ?? (sent["outcome"] === undefined ? "pay" : "outcome")) {
    case "cancel":
      return goOn(
        call,
        changed(call, payment, (work) => cancelOpen(work, payment)),
      );
    case "outcome":
      return goOn(
        call,
        changed(call, payment, (work) => takeOutcome(work, payment, sent)),
      );
    default:
      return takeCard(call, payment, sent);
  }
}

function takeCard(call: Call, payment: PaymentRecord, sent: Fields): unknown {
  const { errors, card } = readCard(sent, new Date(call.sandbox.context.now()));
  if (card === null) {
    if (isJson(call)) return refuse(422, `the form is not filled in: ${JSON.stringify(errors)}`);
    return html(422, cardPage(payment, sent, errors));
  }
  const after = changed(call, payment, (work) => {
    const withCard: PaymentRecord = { ...payment, card, method: "creditcard" };
    if (card.behaviour.authentication === "required") {
      return work.put("payments", { ...withCard, challenged: true });
    }
    if (card.behaviour.authentication === "unavailable") {
      return fail(work, withCard, "authentication_unavailable_acs");
    }
    return submit(work, withCard);
  });
  return goOn(call, after);
}

/** The tester's choice in place of a card; with a card that succeeds where one is needed. */
function takeOutcome(
  work: Work,
  payment: PaymentRecord,
  sent: Readonly<Record<string, string>>,
): PaymentRecord {
  const outcome = OUTCOMES.find((known) => known === sent["outcome"]);
  const { failureReason: reason = "card_declined" } = sent;
  if (outcome === undefined || !isFailureReason(reason)) return refuse(400, "no such outcome");
  const withCard: PaymentRecord = { ...payment, card: payment.card ?? CHOSEN_CARD, method: "creditcard" };
  switch (outcome) {
    case "paid":
      return submit(work, withCard);
    case "pending":
      return submit(work, { ...withCard, orderedPendingMs: PENDING_MS });
    case "failed":
      return fail(work, withCard, reason);
    case "canceled":
      return cancelOpen(work, payment);
    case "expired":
      return expire(work, payment);
  }
}

const PENDING_MS = 2_000;

function showBankPage(call: Call): unknown {
  const payment = paymentOf(call);
  if (payment.status !== "open" || !payment.challenged) return goOn(call, payment);
  return html(200, bankPage(payment));
}

function takeBankPage(call: Call): unknown {
  const payment = paymentOf(call);
  const { card } = payment;
  if (payment.status !== "open" || !payment.challenged || card === null) return goOn(call, payment);
  const { outcome } = sentFields(call);
  const after = changed(call, payment, (work) => {
    if (outcome === "succeed") return submit(work, authenticated(payment, card));
    if (outcome === "fail") return fail(work, payment, "authentication_failed");
    if (outcome === "abandon") return fail(work, payment, "authentication_abandoned");
    return refuse(400, "the outcome is succeed, fail or abandon");
  });
  return goOn(call, after);
}

export const checkoutControls: ControlRoutes<MollieWorld> = {
  "GET checkout/:token": showCardPage,
  "POST checkout/:token": takeCardPage,
  "GET checkout/:token/bank": showBankPage,
  "POST checkout/:token/bank": takeBankPage,
};

type ReadCard = { readonly errors: FieldErrors; readonly card: CardRecord | null };

/** The card as it was typed: what is wrong with the form, or the card's record, which no longer has the number. */
function readCard(sent: Fields, now: Date): ReadCard {
  const number = (sent.number ?? "").replaceAll(/[ -]/g, "");
  const [, month = "", year = ""] = /^(\d{1,2}) ?\/ ?(?:20)?(\d{2})$/.exec((sent.expiry ?? "").trim()) ?? [];
  const [expMonth, expYear] = [Number(month), 2000 + Number(year)];
  const label = labelOf(number);
  const errors: Partial<Record<FieldName, string>> = {};
  if (!/^\d{12,19}$/.test(number) || !passesLuhn(number)) errors.number = "The card number is not right.";
  else if (label === null) errors.number = "Cards of this scheme are not taken.";
  if (month === "" || expMonth < 1 || expMonth > 12) errors.expiry = "The expiry date is not right.";
  else if (hasExpired(expMonth, expYear, now)) errors.expiry = "The card has expired.";
  if (!(label === "American Express" ? /^\d{4}$/ : /^\d{3}$/).test(sent.cvc ?? "")) {
    errors.cvc = "The security code is not right.";
  }
  if (Object.keys(errors).length > 0 || label === null) return { errors, card: null };
  const holder = sent.holder?.trim() || null;
  return { errors, card: cardRecord(number, label, expMonth, expYear, holder) };
}

function cardRecord(
  number: string,
  label: string,
  expMonth: number,
  expYear: number,
  holder: string | null,
): CardRecord {
  return {
    ...testCard(number),
    label,
    bin: number.slice(0, 6),
    last4: number.slice(-4),
    fingerprint: cardFingerprint(number),
    holder,
    expMonth,
    expYear,
  };
}

const CHOSEN_CARD = cardRecord("4242424242424242", "Visa", 12, 2039, null);
