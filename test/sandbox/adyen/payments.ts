/**
 * `/payments`: the bank is asked, and answers at once; and `/payments/details`, where a shopper's return from the bank
 * ends. What the merchant is told in the answer comes again as an AUTHORISATION webhook.
 */

import { randomText } from "../kit/ids.ts";
import type { Bending, Reply } from "../kit/world.ts";
import { additionalDataOf } from "./additional-data.ts";
import { invalid, newPspReference, wrongMerchantAccount } from "./errors.ts";
import { Fields } from "./fields.ts";
import { tellPayment } from "./notifications.ts";
import { type PaymentParams, readPayment } from "./payment-request.ts";
import { REFUSALS, resultCodeOf } from "./test-cards.ts";
import {
  type AdyenRequest,
  type Execution,
  type PaymentRecord,
  QUIRKS,
  type Quirk,
  type Work,
} from "./world.ts";

export const quirkOf = ({ quirk }: Bending): Quirk | null =>
  QUIRKS.find((known) => known === quirk?.name) ?? null;

export function preparePayment(request: AdyenRequest): Execution {
  const params = readPayment(request, new Date());
  return (work, bending) => {
    if (params.merchantAccount !== work.settings.merchantAccount) throw wrongMerchantAccount();
    const payment = begin(work, params, bending);
    const { refusal } = payment;
    if (bending.processingMs !== undefined) {
      const decision = { atMs: work.nowMs + bending.processingMs, idempotencyKey: work.idempotencyKey };
      return render(work.put("payments", { ...payment, status: "received", decision }), {});
    }
    if (refusal === "38" && params.mayAuthenticate && params.mpi === null) return redirect(work, payment);
    return render(decidePayment(work, payment), params.mpi === null ? {} : threeDsData(params));
  };
}

/** The payment before the bank has been asked. */
function begin(work: Work, params: PaymentParams, bending: Bending): PaymentRecord {
  const { reference, merchantAccount, metadata, currency, amount, card, returnUrl } = params;
  return {
    id: newPspReference(),
    created: work.nowMs,
    status: "received",
    reference,
    merchantAccount,
    metadata,
    currency,
    amount,
    captured: 0,
    released: 0,
    refunded: 0,
    automaticCapture: params.automaticCapture,
    preAuthorised: params.preAuthorised,
    card,
    checks: checksOf(params),
    authCode: null,
    refusal: refusalOf(work, params, bending),
    returnUrl,
    redirect: null,
    quirk: quirkOf(bending),
    decision: null,
  };
}

/** What the bank will say: a refusalReasonCode, or null for yes. */
function refusalOf(work: Work, params: PaymentParams, bending: Bending): string | null {
  const { behaviour } = params.card;
  const ordered = bending.declineCode ?? params.ordered;
  if (ordered !== null) return REFUSALS[ordered] === undefined ? "2" : ordered;
  if (params.mpi?.outcome === "failed") return "11";
  if (params.mpi === null && insists(params)) return "38";
  if (params.expired) return "6";
  if (behaviour.risk === "highest" && work.settings.blockHighestRisk) return "20";
  return behaviour.refusal ?? null;
}

function insists({ card, shopperPresent, exempted }: PaymentParams): boolean {
  switch (card.behaviour.authentication) {
    case "always":
      return true;
    case "unless_set_up":
      return shopperPresent && !exempted;
    default:
      return false;
  }
}

function redirect(work: Work, payment: PaymentRecord): Reply {
  // What the bank says once the shopper has been there is the card's own.
  const refusal = payment.card.behaviour.refusal ?? null;
  const waiting = { result: randomText(32), authenticated: null };
  const redirected = work.put("payments", { ...payment, refusal, status: "redirected", redirect: waiting });
  const url = `${work.baseUrl}/_sandbox/bank/${redirected.id}`;
  return {
    status: 200,
    body: {
      resultCode: "RedirectShopper",
      pspReference: redirected.id,
      merchantReference: redirected.reference,
      action: { type: "redirect", paymentMethodType: "scheme", method: "GET", url },
    },
  };
}

/** Asks the bank; the payment becomes what it says, and the merchant is told by a webhook. */
export function decidePayment(work: Work, payment: PaymentRecord): PaymentRecord {
  const { refusal } = payment;
  if (refusal !== null) {
    const status = resultCodeOf(refusal) === "Error" ? "error" : "refused";
    const refused = work.put("payments", { ...payment, status, decision: null });
    tellPayment(work, refused);
    return refused;
  }
  const captured = payment.automaticCapture ? payment.amount : 0;
  const endsAtMs = work.nowMs + work.settings.authorisationLifetimeMs;
  const authorised = work.put("payments", {
    ...payment,
    status: "authorised",
    authCode: String(Math.floor(work.nowMs / 7) % 1_000_000).padStart(6, "0"),
    captured,
    decision: payment.automaticCapture ? null : { atMs: endsAtMs, idempotencyKey: work.idempotencyKey },
  });
  move(work, authorised, "authorized", authorised.amount);
  move(work, authorised, "captured", captured);
  tellPayment(work, authorised);
  return authorised;
}

/** Writes what moved into the book; `because` says so where it was not asked for by name. */
export function move(
  work: Work,
  payment: PaymentRecord,
  kind: "authorized" | "captured" | "released" | "refunded" | "refund_failed",
  amount: number,
  { refund = null, because = null }: { refund?: string | null; because?: "capture_failed" | null } = {},
): void {
  const { id, reference, currency, metadata, card } = payment;
  const about = { payment: id, reference, currency, metadata, last4: card.last4 };
  work.move({ kind, amount, refund, refundMetadata: null, because, ...about });
}

function checksOf({ card, cvcGiven, addressGiven }: PaymentParams): Readonly<Record<string, string>> {
  const { cvc, address, postalCode } = card.behaviour;
  const cvcResult = cvcGiven
    ? cvc === "no_match"
      ? "2 Doesn't match"
      : "1 Matches"
    : "6 No CVC/CVV provided";
  const unavailable = address === "unavailable" || postalCode === "unavailable";
  const compared =
    address === "no_match"
      ? postalCode === "no_match"
        ? "2 Neither postal code nor address match"
        : "6 Postal code matches, but the address does not match"
      : postalCode === "no_match"
        ? "1 Address matches, but the postal code doesn't match"
        : "7 Both postal code and address match";
  const avsResult = !addressGiven ? "5 No AVS data provided" : unavailable ? "3 AVS unavailable" : compared;
  return { cvcResult, avsResult };
}

const threeDsData = ({ mpi }: PaymentParams): Readonly<Record<string, string>> => ({
  threeDAuthenticated: String(mpi?.outcome === "authenticated"),
  threeDOffered: "true",
  liabilityShift: String(mpi?.outcome !== "failed"),
  ...(mpi?.eci ? { eci: mpi.eci } : {}),
});

const RESULT_CODES = { authorised: "Authorised", received: "Received", error: "Error", refused: "Refused" };

/** A `PaymentResponse`. */
function render(payment: PaymentRecord, authentication: Readonly<Record<string, string>>): Reply {
  const { id, reference, status, refusal, amount, currency } = payment;
  const decided = status !== "received";
  const resultCode =
    refusal !== null && decided
      ? resultCodeOf(refusal)
      : (RESULT_CODES[status as "authorised"] ?? "Received");
  const body = {
    pspReference: id,
    resultCode,
    merchantReference: reference,
    ...(resultCode === "Authorised" ? { amount: { currency, value: amount } } : {}),
    ...(decided && refusal !== null
      ? { refusalReason: REFUSALS[refusal]?.reason, refusalReasonCode: refusal }
      : {}),
    ...(decided ? { additionalData: { ...additionalDataOf(payment), ...authentication } } : {}),
    ...(payment.card.behaviour.risk === undefined
      ? {}
      : { fraudResult: { accountScore: payment.card.behaviour.risk === "highest" ? 95 : 60 } }),
  };
  return { status: 200, body };
}

export function prepareDetails(request: AdyenRequest): Execution {
  const details = new Fields(request.body, "PaymentDetailsRequest", ["details"]).object(
    "details",
    "PaymentCompletionDetails",
    ["redirectResult"],
  );
  const result = details?.text("redirectResult") ?? null;
  if (result === null) throw invalid("14_0419", "Required field 'redirectResult' is not provided.");
  return (work) => {
    const payment = Array.from(work.store.tables.payments.values()).find(
      ({ redirect }) => redirect?.result === result,
    );
    if (payment === undefined) throw invalid("702", "Invalid redirectResult");
    if (payment.status !== "redirected") return render(payment, {});
    if (payment.redirect?.authenticated === null) throw invalid("702", "The shopper has not come back");
    const refusal = payment.redirect?.authenticated === true ? payment.refusal : "11";
    return render(decidePayment(work, { ...payment, refusal }), {});
  };
}
