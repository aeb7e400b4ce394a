/**
 * What comes of modifications and of waiting payments, later and by itself: money moves here, and the merchant is told by
 * a webhook. Everything that can be wrong with a modification is found out here, as at Adyen.
 */

import type { Decisions } from "../kit/timers.ts";
import { type ModificationNews, tellExpiry, tellModification } from "./notifications.ts";
import { decidePayment, move } from "./payments.ts";
import type { AdyenWorld, ModificationKind, ModificationRecord, PaymentRecord, Work } from "./world.ts";

/** Brands whose authorisations can be adjusted. */
const ADJUSTABLE = ["visa", "mc", "amex", "discover"];

const EVENT_CODES: Readonly<Record<ModificationKind, string>> = {
  capture: "CAPTURE",
  adjust: "AUTHORISATION_ADJUSTMENT",
  cancel: "CANCELLATION",
  refund: "REFUND",
  reversal: "CANCEL_OR_REFUND",
  technicalCancel: "TECHNICAL_CANCEL",
};

export const decisions: Decisions<AdyenWorld> = {
  payments: {
    next: (payment) => payment.decision,
    decide: (work, id) => {
      const payment = work.get("payments", id);
      if (payment.status === "received") decidePayment(work, { ...payment, decision: null });
      else expire(work, payment);
    },
  },
  modifications: {
    next: (modification) => modification.decision,
    decide: (work, id) => {
      const modification = work.get("modifications", id);
      if (modification.status === "received") decideModification(work, modification);
      else undo(work, modification);
    },
  },
};

/** Reserved and neither taken nor released. */
const heldOf = ({ amount, captured, released }: PaymentRecord): number => amount - captured - released;

function expire(work: Work, payment: PaymentRecord): void {
  const held = payment.status === "authorised" ? heldOf(payment) : 0;
  move(work, payment, "released", held);
  const expired = work.put("payments", {
    ...payment,
    status: payment.captured === 0 ? "expired" : payment.status,
    released: payment.released + held,
    decision: null,
  });
  if (held > 0) tellExpiry(work, expired);
}

/** Why a modification cannot be done, or the payment as it is after it. */
type Verdict =
  | { readonly failed: string }
  | { readonly payment: PaymentRecord; readonly additionalData?: Record<string, string> };

function decideModification(work: Work, received: ModificationRecord): void {
  const payment = paymentOf(work, received);
  const modification = payment === null ? received : { ...received, payment: payment.id };
  const verdict: Verdict =
    modification.fails !== null
      ? { failed: modification.fails }
      : payment === null
        ? { failed: "Original transaction not found" }
        : judge(work, modification, payment);
  const eventCode = EVENT_CODES[modification.kind];
  if ("failed" in verdict) {
    work.put("modifications", { ...modification, status: "failed", decision: null });
    return tellModification(work, modification, payment, {
      eventCode,
      success: false,
      reason: verdict.failed,
    });
  }
  work.put("payments", verdict.payment);
  work.put("modifications", {
    ...modification,
    status: "succeeded",
    decision: undoing(work, modification, payment),
  });
  const news = { eventCode, success: true, reason: "", additionalData: verdict.additionalData ?? {} };
  tellModification(work, modification, payment, news);
}

/** A technical cancel finds its payment by the merchant's reference, by the time that it is decided. */
function paymentOf(
  work: Work,
  { kind, payment, paymentReference }: ModificationRecord,
): PaymentRecord | null {
  if (kind !== "technicalCancel") return work.get("payments", payment);
  const all = Array.from(work.store.tables.payments.values());
  return all.findLast(({ reference }) => reference === paymentReference) ?? null;
}

function judge(work: Work, modification: ModificationRecord, payment: PaymentRecord): Verdict {
  switch (modification.kind) {
    case "capture":
      return capture(work, modification, payment);
    case "adjust":
      return adjust(work, modification, payment);
    case "refund":
      return refund(work, modification, payment);
    case "reversal": {
      const action = payment.captured > 0 ? "refund" : "cancel";
      const whole = { ...modification, amount: payment.captured - payment.refunded };
      const verdict = action === "refund" ? refund(work, whole, payment) : cancel(work, payment);
      return "failed" in verdict
        ? verdict
        : { ...verdict, additionalData: { "modification.action": action } };
    }
    case "cancel":
    case "technicalCancel":
      return cancel(work, payment);
  }
}

function capture(work: Work, { amount }: ModificationRecord, payment: PaymentRecord): Verdict {
  if (payment.status !== "authorised")
    return { failed: `Payment is ${payment.status}, capture not possible` };
  const once = !work.settings.multiplePartialCaptures;
  if (amount <= 0 || amount > heldOf(payment) || (once && payment.captured > 0)) {
    return { failed: "Insufficient balance on payment" };
  }
  const rest = once ? heldOf(payment) - amount : 0;
  move(work, payment, "captured", amount);
  move(work, payment, "released", rest);
  const captured = { ...payment, captured: payment.captured + amount, released: payment.released + rest };
  return { payment: { ...captured, decision: heldOf(captured) > 0 ? payment.decision : null } };
}

/** `amount` is the new total. */
function adjust(work: Work, { amount }: ModificationRecord, payment: PaymentRecord): Verdict {
  if (payment.status !== "authorised" || payment.captured > 0) return { failed: "Not possible to adjust" };
  if (!payment.preAuthorised || !ADJUSTABLE.includes(payment.card.scheme))
    return { failed: "Not a pre-authorisation" };
  const more = amount - payment.amount;
  move(work, payment, more >= 0 ? "authorized" : "released", Math.abs(more));
  return { payment: { ...payment, amount } };
}

function cancel(work: Work, payment: PaymentRecord): Verdict {
  const open =
    payment.status === "authorised" || payment.status === "redirected" || payment.status === "received";
  if (!open) return { failed: `Payment is ${payment.status}, cancel not possible` };
  if (payment.captured > 0) return { failed: "Transaction was captured, cancel not possible" };
  const held = payment.status === "authorised" ? heldOf(payment) : 0;
  move(work, payment, "released", held);
  return { payment: { ...payment, status: "cancelled", released: payment.released + held, decision: null } };
}

function refund(work: Work, { id, amount }: ModificationRecord, payment: PaymentRecord): Verdict {
  if (payment.captured === 0) return { failed: "Transaction hasn't been captured, refund not possible" };
  if (amount <= 0 || amount > payment.captured - payment.refunded)
    return { failed: "Insufficient balance on payment" };
  move(work, payment, "refunded", amount, { refund: id });
  return { payment: { ...payment, refunded: payment.refunded + amount } };
}

/** When a success will come undone; null for most. */
function undoing(work: Work, modification: ModificationRecord, payment: PaymentRecord | null) {
  const news = payment === null ? null : undoingNews(modification, payment);
  if (news === null) return null;
  return { atMs: work.nowMs + work.settings.lateFailureMs, idempotencyKey: work.idempotencyKey };
}

function undoingNews({ kind, quirk }: ModificationRecord, payment: PaymentRecord): ModificationNews | null {
  const { behaviour } = payment.card;
  const undone = { success: true };
  if (kind === "capture" && (quirk === "comes_undone" || behaviour.capture === "fails_later")) {
    return { ...undone, eventCode: "CAPTURE_FAILED", reason: "Capture Failed" };
  }
  if (kind !== "refund") return null;
  if (quirk === "comes_undone" || behaviour.refund === "fails_later") {
    return { ...undone, eventCode: "REFUND_FAILED", reason: "Refund Failed" };
  }
  const reversed = quirk === "refund_reversed" || behaviour.refund === "reversed_later";
  return reversed ? { ...undone, eventCode: "REFUNDED_REVERSED", reason: "Closed account" } : null;
}

/** A success comes undone: the scheme rejects a capture, or a bank returns a refund. */
function undo(work: Work, modification: ModificationRecord): void {
  const payment = work.get("payments", modification.payment);
  const news = undoingNews(modification, payment);
  work.put("modifications", { ...modification, status: "undone", decision: null });
  if (news === null) return;
  const { amount, kind, id } = modification;
  if (kind === "capture") {
    move(work, payment, "refunded", amount, { refund: id, because: "capture_failed" });
    // Counted as released, so that it cannot be captured again.
    work.put("payments", {
      ...payment,
      captured: payment.captured - amount,
      released: payment.released + amount,
    });
  } else {
    move(work, payment, "refund_failed", amount, { refund: id });
    work.put("payments", { ...payment, refunded: payment.refunded - amount });
  }
  tellModification(work, modification, payment, news);
}

/** The shopper's answer to the bank, on the page or by a test. */
export function answerBank(work: Work, payment: PaymentRecord, authenticated: boolean): PaymentRecord {
  if (payment.redirect === null) throw new TypeError("this payment does not wait for the bank");
  return work.put("payments", { ...payment, redirect: { ...payment.redirect, authenticated } });
}
