import type {
  CheckoutSessionId,
  CustomerId,
  MerchantId,
  PaymentId,
  PaymentMethodId,
  TransferId,
} from "../../kernel/ids.ts";
import { MAX_API_MINOR, type Money, moneyOf } from "../../kernel/money.ts";
import { err, ok, type Result, unreachable } from "../../kernel/result.ts";
import type { Authentication } from "./authentication.ts";
import type { Decline } from "./decline.ts";
import type { NextAction } from "./operation.ts";
import type { StoredCredential } from "./stored-credential.ts";

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

/**
 * What operations did to the payment as a whole. `requires_action`: its attempt waits for the payer. `open`: there is, or
 * was, an authorization to work with.
 */
export type Phase = "processing" | "requires_action" | "open" | "voided" | "expired" | "declined" | "failed";

export type PaymentState =
  | "processing"
  | "requires_action"
  | "in_review"
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
  /** How much more than authorized the last capture may take: the scheme's tolerance. */
  readonly overCapturable: bigint;
  /** Claimed by the increment in flight; not authorized yet. */
  readonly incrementing: bigint;
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
  /** Authorized, but held for a person to look at; ends with the first capture, or a void. */
  readonly inReview: boolean;
  /** The pending transfers of the authorization and its increments, oldest first. */
  readonly holds: readonly HoldPart[];
  readonly authorizationExpiresAt: Date | null;
  /** Attempts from 0: raised when the one before failed definitely and another provider is asked. */
  readonly attempt: number;
  /** Of the latest attempt. */
  readonly provider: string;
  readonly providerPayment: string | null;
  /** What the payer has to do, in `requires_action`. */
  readonly action: NextAction | null;
  /** Of 3-D Secure, where we carried it out. */
  readonly authentication: Authentication | null;
  readonly decline: Decline | null;
  readonly terms: Terms;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** What of a payment never changes, besides its amount. */
export type Terms = {
  readonly card: Card;
  readonly checkoutSession: CheckoutSessionId | null;
  readonly description: string | null;
  readonly reference: string | null;
  readonly customer: CustomerId | null;
  /** The stored card that pays, or that this payment stores. */
  readonly paymentMethod: PaymentMethodId | null;
  readonly stored: StoredCredential | null;
  /** An earlier payment of the same card, amount and currency within minutes. */
  readonly duplicateOf: PaymentId | null;
};

/** A part of the authorization, as it was held in the ledger; minor units. */
export type HoldPart = { readonly transfer: TransferId; readonly amount: bigint };

export type PaymentEvent =
  | {
      readonly type: "authorized";
      readonly providerPayment: string;
      readonly transfer: TransferId;
      readonly expiresAt: Date | null;
      readonly overCapturable: bigint;
    }
  /** The payer has to do something before the attempt can go on. */
  | { readonly type: "action_required"; readonly action: NextAction; readonly providerPayment: string | null }
  /** 3-D Secure has ended in a way that lets the authorization be asked for. */
  | { readonly type: "authenticated"; readonly authentication: Authentication | null }
  /** The attempt failed definitely, and another provider is asked. */
  | {
      readonly type: "attempt_passed_on";
      readonly provider: string;
      /** False: it is asked without the proof of the payer's authentication. */
      readonly takesProof?: boolean;
    }
  /** Authorized and captured at once. */
  | { readonly type: "sold"; readonly providerPayment: string; readonly fee: bigint }
  | { readonly type: "declined"; readonly decline: Decline; readonly providerPayment: string | null }
  | { readonly type: "failed"; readonly decline: Decline }
  | {
      readonly type: "capture_claimed";
      readonly amount: bigint;
      readonly final: boolean;
      /** A final capture may take more than is authorized, within the scheme's tolerance. */
      readonly over?: boolean;
    }
  | { readonly type: "captured"; readonly amount: bigint; readonly final: boolean; readonly fee: bigint }
  | { readonly type: "capture_failed"; readonly amount: bigint; readonly final: boolean }
  | { readonly type: "increment_claimed"; readonly amount: bigint }
  | {
      readonly type: "incremented";
      readonly amount: bigint;
      readonly transfer: TransferId;
      readonly overCapturable: bigint;
    }
  | { readonly type: "increment_failed"; readonly amount: bigint }
  | { readonly type: "void_claimed" }
  | { readonly type: "voided" }
  /** The end of a void that was claimed since the authorization's time was over. */
  | { readonly type: "expired" }
  | { readonly type: "void_failed" }
  | { readonly type: "refund_claimed"; readonly amount: bigint }
  | { readonly type: "refunded"; readonly amount: bigint }
  | { readonly type: "refund_failed"; readonly amount: bigint }
  /** A refund that had succeeded came back: the bank returned it. */
  | { readonly type: "refund_reversed"; readonly amount: bigint };

export type IllegalTransition =
  | { readonly code: "ILLEGAL_STATE"; readonly state: PaymentState; readonly because: string }
  | { readonly code: "AMOUNT_EXCEEDS_AVAILABLE"; readonly available: Money };

/** The state that the API shows. Derived, so that it can never disagree with the amounts. */
export function stateOf(payment: Payment): PaymentState {
  if (payment.phase !== "open") return payment.phase;
  if (payment.captured === 0n) return payment.inReview ? "in_review" : "authorized";
  if (payment.refunded > 0n) {
    return payment.refunded === payment.captured && isClosed(payment) ? "refunded" : "partially_refunded";
  }
  return isClosed(payment) ? "captured" : "partially_captured";
}

const isClosed = (payment: Payment): boolean => payment.finalized || payment.captured >= payment.authorized;

/** What a new capture may take: authorized, neither captured nor claimed. */
export function capturable(payment: Payment): Money {
  const { authorized, captured, capturing, amount } = payment;
  const open = payment.phase === "open" && !payment.finalized && !payment.closing;
  return moneyOf(open ? authorized - captured - capturing : 0n, amount.currency);
}

/** What a new final capture may take: with the scheme's tolerance. */
export function capturableAtMost(payment: Payment): Money {
  const plain = capturable(payment);
  return plain.minor > 0n ? moneyOf(plain.minor + payment.overCapturable, plain.currency) : plain;
}

/** The holds that still hold something: captures take from the oldest first. Minor units left of each. */
export function openHolds(payment: Payment): { readonly pending: TransferId; readonly left: bigint }[] {
  let taken = payment.captured;
  const open: { pending: TransferId; left: bigint }[] = [];
  for (const { transfer, amount } of payment.holds) {
    const of = taken < amount ? taken : amount;
    taken -= of;
    if (amount > of) open.push({ pending: transfer, left: amount - of });
  }
  return open;
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
    case "action_required":
    case "authenticated":
    case "attempt_passed_on":
      return payment.phase === "processing" || payment.phase === "requires_action"
        ? ok(attempted(payment, event))
        : illegal(payment, "no attempt is under way");
    case "increment_claimed":
      return claimIncrement(payment, event.amount);
    case "incremented":
      return settleIncrement(payment, event.amount, {
        authorized: payment.authorized + event.amount,
        holds: [...payment.holds, { transfer: event.transfer, amount: event.amount }],
        overCapturable: event.overCapturable,
      });
    case "increment_failed":
      return settleIncrement(payment, event.amount, {});
    case "capture_claimed":
      return claimCapture(payment, event.amount, event.final, event.over === true);
    case "captured":
      return settleCapture(payment, event.amount, {
        captured: payment.captured + event.amount,
        fee: payment.fee + event.fee,
        inReview: false,
        ...(event.final ? { finalized: true, closing: false } : {}),
      });
    case "capture_failed":
      return settleCapture(payment, event.amount, event.final ? { closing: false } : {});
    case "void_claimed":
      return claimVoid(payment);
    case "voided":
    case "expired":
      if (!payment.closing) return illegal(payment, "no void is in flight");
      return ok({
        closing: false,
        inReview: false,
        ...(payment.captured === 0n ? { phase: event.type } : { finalized: true }),
      });
    case "void_failed":
      return payment.closing ? ok({ closing: false }) : illegal(payment, "no void is in flight");
    case "refund_claimed":
      return claimRefund(payment, event.amount);
    case "refunded":
      return settleRefund(payment, event.amount, { refunded: payment.refunded + event.amount });
    case "refund_failed":
      return settleRefund(payment, event.amount, {});
    case "refund_reversed":
      if (payment.refunded < event.amount) return illegal(payment, "that much has not been refunded");
      return ok({ refunded: payment.refunded - event.amount });
    default:
      return unreachable(event);
  }
}

type AttemptEvent = Extract<
  PaymentEvent,
  {
    type:
      | "authorized"
      | "sold"
      | "declined"
      | "failed"
      | "action_required"
      | "authenticated"
      | "attempt_passed_on";
  }
>;

function attempted(payment: Payment, event: AttemptEvent): Partial<Payment> {
  switch (event.type) {
    case "authorized":
      return {
        phase: "open",
        action: null,
        authorized: payment.amount.minor,
        overCapturable: event.overCapturable,
        providerPayment: event.providerPayment,
        holds: [{ transfer: event.transfer, amount: payment.amount.minor }],
        authorizationExpiresAt: event.expiresAt,
      };
    case "sold":
      return {
        phase: "open",
        action: null,
        authorized: payment.amount.minor,
        captured: payment.amount.minor,
        fee: event.fee,
        finalized: true,
        providerPayment: event.providerPayment,
      };
    case "declined":
      return {
        phase: "declined",
        action: null,
        decline: event.decline,
        providerPayment: event.providerPayment ?? payment.providerPayment,
      };
    case "failed":
      return { phase: "failed", action: null, decline: event.decline };
    case "action_required":
      return {
        phase: "requires_action",
        action: event.action,
        providerPayment: event.providerPayment ?? payment.providerPayment,
      };
    case "authenticated":
      return { phase: "processing", action: null, authentication: event.authentication };
    case "attempt_passed_on":
      return {
        phase: "processing",
        action: null,
        attempt: payment.attempt + 1,
        provider: event.provider,
        providerPayment: null,
        ...(payment.authentication !== null && event.takesProof === false
          ? { authentication: { ...payment.authentication, liabilityShift: false } }
          : {}),
      };
    default:
      return unreachable(event);
  }
}

function claimCapture(payment: Payment, amount: bigint, final: boolean, over: boolean): Change {
  if (payment.phase !== "open") return illegal(payment, "there is no authorization to capture");
  if (payment.finalized) return illegal(payment, "its last capture has been made");
  if (payment.closing) return illegal(payment, "a void or final capture is in flight");
  if (final && payment.capturing > 0n) return illegal(payment, "another capture is in flight");
  if (final && payment.incrementing > 0n) return illegal(payment, "an increment is in flight");
  const available = final && over ? capturableAtMost(payment) : capturable(payment);
  if (amount <= 0n || amount > available.minor) return err({ code: "AMOUNT_EXCEEDS_AVAILABLE", available });
  return ok({ capturing: payment.capturing + amount, closing: final });
}

function settleCapture(payment: Payment, amount: bigint, result: Partial<Payment>): Change {
  if (payment.capturing < amount) return illegal(payment, "no such capture is in flight");
  return ok({ capturing: payment.capturing - amount, ...result });
}

function claimIncrement(payment: Payment, amount: bigint): Change {
  if (payment.phase !== "open") return illegal(payment, "there is no authorization to raise");
  if (payment.finalized || payment.captured >= payment.authorized) return illegal(payment, "it is captured");
  if (payment.closing) return illegal(payment, "a void or final capture is in flight");
  // Providers are told the new total: of two at once one would be lost.
  if (payment.incrementing > 0n) return illegal(payment, "another increment is in flight");
  const room = MAX_API_MINOR - payment.authorized;
  if (amount <= 0n || amount > room)
    return err({ code: "AMOUNT_EXCEEDS_AVAILABLE", available: moneyOf(room, payment.amount.currency) });
  return ok({ incrementing: payment.incrementing + amount });
}

function settleIncrement(payment: Payment, amount: bigint, result: Partial<Payment>): Change {
  if (payment.incrementing < amount) return illegal(payment, "no such increment is in flight");
  return ok({ incrementing: payment.incrementing - amount, ...result });
}

function claimVoid(payment: Payment): Change {
  if (payment.phase === "requires_action")
    return illegal(payment, "it waits for the payer, and ends by itself if nothing comes");
  if (payment.phase !== "open") return illegal(payment, "there is no authorization to void");
  if (payment.finalized || payment.captured >= payment.authorized) {
    return illegal(payment, "it is captured: refund it instead");
  }
  if (payment.closing || payment.capturing > 0n || payment.incrementing > 0n)
    return illegal(payment, "a capture, increment or void is in flight");
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
