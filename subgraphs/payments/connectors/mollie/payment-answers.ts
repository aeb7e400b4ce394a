import { declineOf } from "../../domain/decline.ts";
import {
  type AnswerDetails,
  NO_DETAILS,
  type Operation,
  type ProviderAnswer,
} from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { LookupAnswer } from "../connector.ts";
import { fromMollie } from "./amounts.ts";
import { declineFor } from "./errors.ts";
import { type PaymentObject, referenceOf } from "./objects.ts";

/**
 * What a payment's status at Mollie means for the operation that made it, and for the one that ends it. The statuses
 * are published as a closed list; one that is not in it is `unknown`.
 */
const unknown = (because: string): ProviderAnswer => ({ kind: "unknown", because });

export function authorizeAnswer(operation: Operation, payment: Payment, read: PaymentObject): ProviderAnswer {
  if (referenceOf(read) !== operation.reference) return unknown(`payment ${read.id} has another reference`);
  const { id: providerPayment, status } = read;
  const details = detailsOf(read);
  const failed = (code: "payer_absent" | "authorization_expired"): ProviderAnswer => ({
    kind: "failed",
    decline: declineOf(code, status),
    details,
  });
  switch (status) {
    case "open":
      return openAnswer(read);
    case "pending":
      // The id is told as the operation's too, so that it is known even where the payment does not keep it yet.
      return { kind: "accepted", providerPayment, providerOperation: providerPayment };
    case "authorized":
    case "paid":
      return heldAnswer(payment, read, details);
    case "canceled":
      return failed("payer_absent");
    case "expired":
      return failed(read.authorizedAt ? "authorization_expired" : "payer_absent");
    case "failed": {
      const decline = declineFor(read.details?.failureReason);
      return { kind: "declined", decline, providerPayment, details };
    }
    default:
      return unknown(`the payment is ${status}`);
  }
}

/** It waits for its payer, on Mollie's page. */
function openAnswer({ id, _links }: PaymentObject): ProviderAnswer {
  const href = _links.checkout?.href;
  if (href === undefined) return unknown("the payment is open and has no page");
  return { kind: "requires_action", providerPayment: id, action: { type: "redirect", url: href } };
}

function heldAnswer(payment: Payment, read: PaymentObject, details: AnswerDetails): ProviderAnswer {
  const captured = read.status === "paid";
  // With manual capture less may have been captured, in Mollie's dashboard, than was authorized.
  const told = captured ? (read.amountCaptured ?? read.amount) : read.amount;
  const amount = fromMollie(told, payment.amount.currency);
  if (amount === null) return unknown(`the amount is ${told.value} ${told.currency}`);
  return {
    kind: "done",
    providerPayment: read.id,
    captured,
    amount,
    expiresAt: captured ? null : instant(read.captureBefore),
    details,
  };
}

/** A release, or the cancel of what nobody has paid yet: nothing is held any more if the payment has ended without a capture. */
export function closeAnswer(operation: Operation, payment: Payment, read: PaymentObject): LookupAnswer {
  if (read.id !== payment.providerPayment) return unknown(`${read.id} is another payment`);
  const taken = read.amountCaptured ? fromMollie(read.amountCaptured, payment.amount.currency) : 0n;
  switch (read.status) {
    case "canceled":
    case "expired":
    case "failed":
      if (taken !== payment.captured)
        return unknown(`the payment is ${read.status}, and ${taken} was captured`);
      return {
        kind: "done",
        providerPayment: read.id,
        captured: false,
        amount: operation.amount,
        expiresAt: null,
      };
    case "open":
    case "authorized":
      return { kind: "absent" };
    case "paid":
      return { kind: "failed", decline: declineOf("provider_refused", "paid") };
    default:
      return unknown(`the payment is ${read.status}`);
  }
}

function instant(text: string | null | undefined): Date | null {
  const at = new Date(text ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? null : at;
}

/** `deferred-debit` counts as credit (Regulation (EU) 2015/751, article 2). */
const FUNDING: Readonly<Record<string, AnswerDetails["funding"]>> = {
  credit: "credit",
  "deferred-debit": "credit",
  debit: "debit",
  prepaid: "prepaid",
};

/** Indicators with which the issuer bears fraud: authenticated, or tried (Visa and others 05, 06; Mastercard 02, 01). */
const SHIFTS = new Set(["05", "06", "02", "01"]);

function detailsOf({ details, status, customerId, mandateId }: PaymentObject): AnswerDetails {
  const { cardFunding, cardCountryCode, card3dsEci, failureReason } = details ?? {};
  const eci = card3dsEci ? card3dsEci.padStart(2, "0") : null;
  return {
    ...NO_DETAILS,
    rawCode: failureReason ?? status,
    eci,
    liabilityShift: eci === null ? null : SHIFTS.has(eci),
    funding: cardFunding ? (FUNDING[cardFunding] ?? "unknown") : null,
    issuerCountry: cardCountryCode ?? null,
    ...(customerId && mandateId ? { atProvider: { customer: customerId, mandate: mandateId } } : {}),
  };
}
