/**
 * Captures, amount updates, cancels, refunds and reversals: all are taken with `received` and decided later (outcomes.ts).
 * Nothing of the payment's state is looked at when one is taken; only that there is such a payment.
 */

import type { Reply } from "../kit/world.ts";
import { invalid, newPspReference, wrongMerchantAccount } from "./errors.ts";
import { Fields } from "./fields.ts";
import { quirkOf } from "./payments.ts";
import { REFUSALS } from "./test-cards.ts";
import type {
  AdyenRequest,
  Execution,
  ModificationKind,
  ModificationRecord,
  PaymentRecord,
  Work,
} from "./world.ts";

const COMMON = ["merchantAccount", "reference"];
const PLAYED: Readonly<
  Record<ModificationKind, { readonly structure: string; readonly fields: readonly string[] }>
> = {
  capture: { structure: "PaymentCaptureRequest", fields: [...COMMON, "amount"] },
  adjust: {
    structure: "PaymentAmountUpdateRequest",
    fields: [...COMMON, "amount", "industryUsage", "adjustAuthType"],
  },
  refund: { structure: "PaymentRefundRequest", fields: [...COMMON, "amount", "merchantRefundReason"] },
  cancel: { structure: "PaymentCancelRequest", fields: COMMON },
  reversal: { structure: "PaymentReversalRequest", fields: COMMON },
  technicalCancel: { structure: "StandalonePaymentCancelRequest", fields: [...COMMON, "paymentReference"] },
};

/** How to take a modification of this kind. */
export function prepareModification(kind: ModificationKind): (request: AdyenRequest) => Execution {
  return (request) => {
    const { structure, fields: played } = PLAYED[kind];
    const fields = new Fields(request.body, structure, played);
    const merchantAccount = fields.text("merchantAccount");
    const reference = fields.text("reference", { most: 80 }) ?? "";
    const amount = played.includes("amount") ? fields.amount() : null;
    const paymentReference =
      kind === "technicalCancel" ? fields.text("paymentReference", { most: 80 }) : null;
    if (kind === "technicalCancel" && !paymentReference) throw invalid("130", "Reference Missing");
    return (work, bending) => {
      if (merchantAccount !== work.settings.merchantAccount) throw wrongMerchantAccount();
      const payment = kind === "technicalCancel" ? null : found(work, request.payment);
      if (payment !== null && amount !== null && amount.currency !== payment.currency) {
        throw invalid("138", "The currency is not that of the authorisation");
      }
      const atMs = work.nowMs + delayOf(work, kind, payment);
      const fails =
        bending.declineCode === undefined ? null : (REFUSALS[bending.declineCode]?.reason ?? "Refused");
      const modification = work.put("modifications", {
        id: newPspReference(),
        created: work.nowMs,
        kind,
        payment: payment?.id ?? "",
        paymentReference,
        merchantAccount,
        reference,
        amount: amount?.value ?? payment?.amount ?? 0,
        currency: payment?.currency ?? "EUR",
        status: "received",
        fails,
        quirk: quirkOf(bending),
        decision: { atMs, idempotencyKey: work.idempotencyKey },
      });
      return { status: 201, body: render(modification) };
    };
  };
}

function found(work: Work, pspReference: string): PaymentRecord {
  const payment = work.find("payments", pspReference);
  if (payment === undefined) throw invalid("167", "Original pspReference required for this operation");
  return payment;
}

function delayOf(work: Work, kind: ModificationKind, payment: PaymentRecord | null): number {
  const slow = kind === "refund" && payment?.card.behaviour.refund === "slow";
  return slow ? work.settings.slowRefundMs : work.settings.modificationDelayMs;
}

function render(modification: ModificationRecord): Reply["body"] {
  const { id, kind, payment, paymentReference, merchantAccount, reference, amount, currency } = modification;
  const hasAmount = kind === "capture" || kind === "adjust" || kind === "refund";
  return {
    merchantAccount,
    ...(kind === "technicalCancel" ? { paymentReference } : { paymentPspReference: payment }),
    pspReference: id,
    // Required in the answer to an amount update.
    ...(reference === "" && kind !== "adjust" ? {} : { reference }),
    status: "received",
    ...(hasAmount ? { amount: { currency, value: amount } } : {}),
  };
}
