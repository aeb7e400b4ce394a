import type { CheckoutSessionId, MerchantId, PaymentId, TransferId } from "../../kernel/ids.ts";
import { type Money, moneyOf } from "../../kernel/money.ts";
import { err, ok, type Result, unreachable } from "../../kernel/result.ts";
import type { Decline } from "./decline.ts";

/**
 * The payment state machine: pure, and the only judge of what may happen to a payment next. In-flight and
 * unknown belong to the operation; the payment keeps how much each operation in flight has claimed, so that
 * two captures (or refunds) at once can never take more than there is.
 */
export type CaptureMethod = "automatic" | "manual";

/** The card as the vault described it: nothing here is card data in the sense of PCI DSS. */
export type Card = {
  readonly token: string;
  readonly brand: string;
  readonly bin: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly fingerprint: string;
};

/** What an operation did to the payment as a whole. `open`: there is, or was, an authorization to work with. */
export type Phase = "processing" | "open" | "voided" | "expired" | "declined" | "failed";

export type PaymentState =
  | "processing"
  | "authorized"
  | "partially_captured"
  | "captured"
  | "partially_refunded"
  | "refunded"
  | "voided"
  | "expired"
  | "declined"
  | "failed";

export type Payment = {
  readonly id: PaymentId;
  readonly merchant: MerchantId;
  /** Raised by every change; a commit computed from an older one is refused. */
  readonly version: number;
  readonly phase: Phase;
  readonly amount: Money;
  readonly captureMethod: CaptureMethod;
  /** Minor units of `amount.currency`, as all the following. */
  readonly authorized: bigint;
  readonly captured: bigint;
  /** Claimed by captures in flight. */
  readonly capturing: bigint;
  readonly refunded: bigint;
  /** Claimed by refunds in flight. */
  readonly refunding: bigint;
  /** Fees taken so far. */
  readonly fee: bigint;
  /** Nothing more can be captured: a final capture, or a release of the rest, has happened. */
  readonly finalized: boolean;
  /** A void or a final capture is in flight: no other capture may start. */
  readonly closing: boolean;
  readonly authorizationTransfer: TransferId | null;
  readonly authorizationExpiresAt: Date | null;
  readonly provider: string;
  readonly providerPayment: string | null;
  readonly card: Card;
  readonly checkoutSession: CheckoutSessionId | null;
  readonly description: string | null;
  readonly reference: string | null;
  readonly decline: Decline | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export type PaymentEvent =
  | {
      readonly type: "authorized";
      readonly providerPayment: string;
      readonly transfer: TransferId | null;
      readonly expiresAt: Date | null;
    }
  /** Authorized and captured at once. */
  | { readonly type: "sold"; readonly providerPayment: string; readonly fee: bigint }
  | { readonly type: "declined"; readonly decline: Decline; readonly providerPayment: string | null }
  | { readonly type: "failed"; readonly decline: Decline }
  | { readonly type: "capture_claimed"; readonly amount: bigint; readonly final: boolean }
  | { readonly type: "captured"; readonly amount: bigint; readonly final: boolean; readonly fee: bigint }
  | { readonly type: "capture_failed"; readonly amount: bigint; readonly final: boolean }
  | { readonly type: "void_claimed" }
  | { readonly type: "voided" }
  /** The end of a void that was claimed since the authorization's time was over. */
  | { readonly type: "expired" }
  | { readonly type: "void_failed" }
  | { readonly type: "refund_claimed"; readonly amount: bigint }
  | { readonly type: "refunded"; readonly amount: bigint }
  | { readonly type: "refund_failed"; readonly amount: bigint };

export type IllegalTransition =
  | { readonly code: "ILLEGAL_STATE"; readonly state: PaymentState; readonly because: string }
  | { readonly code: "AMOUNT_EXCEEDS_AVAILABLE"; readonly available: Money };

/** The state that the API shows. Derived, so that it can never disagree with the amounts. */
export function stateOf(payment: Payment): PaymentState {
  if (payment.phase !== "open") return payment.phase;
  if (payment.captured === 0n) return "authorized";
  if (payment.refunded > 0n) {
    return payment.refunded === payment.captured && isClosed(payment) ? "refunded" : "partially_refunded";
  }
  return isClosed(payment) ? "captured" : "partially_captured";
}

const isClosed = (payment: Payment): boolean => payment.finalized || payment.captured === payment.authorized;

/** What a new capture may take: authorized, neither captured nor claimed. */
export function capturable(payment: Payment): Money {
  const { authorized, captured, capturing, amount } = payment;
  const open = payment.phase === "open" && !payment.finalized && !payment.closing;
  return moneyOf(open ? authorized - captured - capturing : 0n, amount.currency);
}

/** What a new refund may take: captured, neither refunded nor claimed. */
export function refundable(payment: Payment): Money {
  const { captured, refunded, refunding, amount } = payment;
  return moneyOf(payment.phase === "open" ? captured - refunded - refunding : 0n, amount.currency);
}

/** The payment after `event`, or why that cannot happen to it now. */
export function apply(payment: Payment, event: PaymentEvent, at: Date): Result<Payment, IllegalTransition> {
  const changed = change(payment, event);
  if (!changed.ok) return changed;
  return ok({ ...payment, ...changed.value, version: payment.version + 1, updatedAt: at });
}

type Change = Result<Partial<Payment>, IllegalTransition>;

const illegal = (payment: Payment, because: string) =>
  err({ code: "ILLEGAL_STATE", state: stateOf(payment), because } as const);

function change(payment: Payment, event: PaymentEvent): Change {
  switch (event.type) {
    case "authorized":
    case "sold":
    case "declined":
    case "failed":
      return payment.phase === "processing"
        ? ok(attemptEnded(payment, event))
        : illegal(payment, "it is not processing");
    case "capture_claimed":
      return claimCapture(payment, event.amount, event.final);
    case "captured":
      return settleCapture(payment, event.amount, {
        captured: payment.captured + event.amount,
        fee: payment.fee + event.fee,
        ...(event.final ? { finalized: true, closing: false } : {}),
      });
    case "capture_failed":
      return settleCapture(payment, event.amount, event.final ? { closing: false } : {});
    case "void_claimed":
      return claimVoid(payment);
    case "voided":
    case "expired":
      if (!payment.closing) return illegal(payment, "no void is in flight");
      return ok(
        payment.captured === 0n ? { phase: event.type, closing: false } : { finalized: true, closing: false },
      );
    case "void_failed":
      return payment.closing ? ok({ closing: false }) : illegal(payment, "no void is in flight");
    case "refund_claimed":
      return claimRefund(payment, event.amount);
    case "refunded":
      return settleRefund(payment, event.amount, { refunded: payment.refunded + event.amount });
    case "refund_failed":
      return settleRefund(payment, event.amount, {});
    default:
      return unreachable(event);
  }
}

type AttemptEnd = Extract<PaymentEvent, { type: "authorized" | "sold" | "declined" | "failed" }>;

function attemptEnded(payment: Payment, event: AttemptEnd): Partial<Payment> {
  switch (event.type) {
    case "authorized":
      return {
        phase: "open",
        authorized: payment.amount.minor,
        providerPayment: event.providerPayment,
        authorizationTransfer: event.transfer,
        authorizationExpiresAt: event.expiresAt,
      };
    case "sold":
      return {
        phase: "open",
        authorized: payment.amount.minor,
        captured: payment.amount.minor,
        fee: event.fee,
        finalized: true,
        providerPayment: event.providerPayment,
      };
    case "declined":
      return { phase: "declined", decline: event.decline, providerPayment: event.providerPayment };
    case "failed":
      return { phase: "failed", decline: event.decline };
    default:
      return unreachable(event);
  }
}

function claimCapture(payment: Payment, amount: bigint, final: boolean): Change {
  if (payment.phase !== "open") return illegal(payment, "there is no authorization to capture");
  if (payment.finalized) return illegal(payment, "its last capture has been made");
  if (payment.closing) return illegal(payment, "a void or final capture is in flight");
  if (final && payment.capturing > 0n) return illegal(payment, "another capture is in flight");
  const available = capturable(payment);
  if (amount <= 0n || amount > available.minor) return err({ code: "AMOUNT_EXCEEDS_AVAILABLE", available });
  return ok({ capturing: payment.capturing + amount, closing: final });
}

function settleCapture(payment: Payment, amount: bigint, result: Partial<Payment>): Change {
  if (payment.capturing < amount) return illegal(payment, "no such capture is in flight");
  return ok({ capturing: payment.capturing - amount, ...result });
}

function claimVoid(payment: Payment): Change {
  if (payment.phase !== "open") return illegal(payment, "there is no authorization to void");
  if (payment.finalized || payment.captured === payment.authorized) {
    return illegal(payment, "it is captured: refund it instead");
  }
  if (payment.closing || payment.capturing > 0n) return illegal(payment, "a capture or void is in flight");
  return ok({ closing: true });
}

function claimRefund(payment: Payment, amount: bigint): Change {
  if (payment.phase !== "open" || payment.captured === 0n)
    return illegal(payment, "nothing has been captured");
  const available = refundable(payment);
  if (amount <= 0n || amount > available.minor) return err({ code: "AMOUNT_EXCEEDS_AVAILABLE", available });
  return ok({ refunding: payment.refunding + amount });
}

function settleRefund(payment: Payment, amount: bigint, result: Partial<Payment>): Change {
  if (payment.refunding < amount) return illegal(payment, "no such refund is in flight");
  return ok({ refunding: payment.refunding - amount, ...result });
}
