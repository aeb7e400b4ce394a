import type { CommitId } from "../../kernel/ids.ts";
import { invariant, ok, type Result } from "../../kernel/result.ts";
import type { Commit, JournalCause, OperationResolution, OutboxEvent, Row } from "../../ledger/commit.ts";
import type { Transfer } from "../../ledger/transfer.ts";
import type { PriceList } from "../../merchants/prices.ts";
import type { Authentication } from "./authentication.ts";
import { attemptEnded, type CheckoutSession } from "./checkout-session.ts";
import { commitId, holdOf, journal, sending } from "./claims.ts";
import type { Decline } from "./decline.ts";
import { announce } from "./events.ts";
import { feeForCapture } from "./fees.ts";
import type { AnswerDetails, Operation, ProviderAnswer } from "./operation.ts";
import { apply, type IllegalTransition, type Payment, type PaymentEvent } from "./payment.ts";
import * as postings from "./postings.ts";
import { paymentRow } from "./rows.ts";
import { type StoredMethod, storedBy } from "./stored-method.ts";

/**
 * Commit 2 of every operation, as a value: what the provider did becomes the payment's state, the ledger's
 * transfers and the outbox's events, all or none. Pure; the same whether the answer came at once or was
 * learnt by recovery.
 */
export type DefiniteAnswer = Exclude<ProviderAnswer, { kind: "unknown" | "accepted" }>;

export type RecordContext = {
  readonly prices: PriceList;
  /** The checkout session that the payment belongs to, as it stands. */
  readonly session: CheckoutSession | null;
  /** How much more than authorized the last capture may take, in basis points of it. */
  readonly overCaptureBps: number;
  /** After a definite failure that another provider may mend: the operation that asks it. */
  readonly next: NextAttempt | null;
  /** The card that this payment stores, once it is authorized. */
  readonly stores: StoredMethod | null;
  /** When to ask what became of an attempt that waits for the payer. */
  readonly askAfter: Date;
};

/** The next attempt of a payment whose attempt has failed definitely. */
export type NextAttempt = {
  readonly operation: Operation;
  readonly resolveAfter: Date;
  /** False: its provider takes no proof of an authentication that we carried out, so the issuer bears nothing. */
  readonly takesProof?: boolean;
};

export type Recorded = {
  readonly payment: Payment;
  readonly operation: Operation;
  /** The operation that goes on, where this one has ended and another has begun. */
  readonly next: Operation | null;
  readonly commit: Commit;
};

/** What an effect is computed from, besides payment, operation and answer. */
type EffectContext = RecordContext & { readonly commit: CommitId };

/** What an answer does: the payment's event, the ledger's journal, and what is announced of it. */
type Effect = {
  readonly event: PaymentEvent;
  readonly journal: {
    readonly cause: JournalCause;
    readonly transfers: readonly Transfer[];
  } | null;
  readonly announce: ((payment: Payment) => OutboxEvent) | null;
};

export function record(
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
  context: RecordContext,
  at: Date,
): Result<Recorded, IllegalTransition> {
  invariant(isLive(operation), "only a live operation is recorded");
  const id = commitId(payment, at);
  const effect = effectOf(payment, operation, answer, { ...context, commit: id }, at);
  const next = apply(payment, effect.event, at);
  if (!next.ok) return next;
  const passedOn = effect.event.type === "attempt_passed_on" ? context.next : null;
  const commit: Commit = {
    id,
    merchant: payment.merchant,
    at,
    payment: { update: paymentRow(next.value), expectedVersion: payment.version },
    resolution: resolutionOf(operation, answer, context),
    ...(passedOn === null
      ? {}
      : { operation: sending(passedOn.operation, next.value, passedOn.resolveAfter) }),
    ...(effect.journal === null || effect.journal.transfers.length === 0
      ? {}
      : { journal: journal(payment, effect.journal.cause, effect.journal.transfers) }),
    ...(endsAttempt(effect.event) && context.session !== null
      ? { session: { update: attemptEnded(context.session, payment.id, answer.kind === "done") } }
      : {}),
    ...(context.stores === null || answer.kind !== "done" || operation.kind !== "authorize"
      ? {}
      : { method: { update: storedBy(context.stores, answer.details ?? null, at) } }),
    events: effect.announce === null ? [] : [effect.announce(next.value)],
  };
  const ended = resolved(operation, answer, at);
  return ok({ payment: next.value, operation: ended, next: passedOn?.operation ?? null, commit });
}

/**
 * 3-D Secure has ended in a way that lets the authorization be asked for: it ends, and the authorization is claimed, in one
 * commit. `authentication` null: nobody could authenticate, and the payment goes on without. `details`: what was told of it.
 */
export function recordAuthentication(
  payment: Payment,
  operation: Operation,
  authentication: Authentication | null,
  details: AnswerDetails,
  authorize: (authenticated: Payment) => NextAttempt,
  at: Date,
): Result<Recorded, IllegalTransition> {
  invariant(operation.kind === "authenticate" && isLive(operation), "only a live authentication ends");
  const authenticated = apply(payment, { type: "authenticated", authentication }, at);
  if (!authenticated.ok) return authenticated;
  const next = authorize(authenticated.value);
  const going: Payment = { ...authenticated.value, provider: next.operation.provider };
  const ended: Operation = { ...operation, state: "succeeded", details, resolvedAt: at };
  const commit: Commit = {
    id: commitId(payment, at),
    merchant: payment.merchant,
    at,
    payment: { update: paymentRow(going), expectedVersion: payment.version },
    resolution: {
      payment: payment.id,
      id: operation.id,
      from: "live",
      state: "succeeded",
      failure: null,
      details,
      providerOperation: null,
      resolveAfter: null,
      request: null,
    },
    operation: sending(next.operation, going, next.resolveAfter),
    events: [],
  };
  return ok({ payment: going, operation: ended, next: next.operation, commit });
}

/** A refund that had succeeded and came back: the money is the merchant's again. */
export function recordReversal(
  payment: Payment,
  operation: Operation,
  decline: Decline,
  at: Date,
): Result<Recorded, IllegalTransition> {
  invariant(
    operation.kind === "refund" && operation.state === "succeeded",
    "only a refund that succeeded comes back",
  );
  const { amount, id: refund } = operation;
  const next = apply(payment, { type: "refund_reversed", amount }, at);
  if (!next.ok) return next;
  const commit: Commit = {
    id: commitId(payment, at),
    merchant: payment.merchant,
    at,
    payment: { update: paymentRow(next.value), expectedVersion: payment.version },
    resolution: {
      payment: operation.payment,
      id: operation.id,
      from: "succeeded",
      state: "reversed",
      failure: decline,
      details: operation.details,
      providerOperation: operation.providerOperation,
      resolveAfter: null,
      request: null,
    },
    journal: journal(payment, "refund_reversed", [postings.reverseRefund(payment, amount)]),
    events: [announce(next.value, "payment.refund_reversed.v1", amount, { refund, code: decline.code }, at)],
  };
  const reversed: Operation = { ...operation, state: "reversed", failure: decline, resolvedAt: at };
  return ok({ payment: next.value, operation: reversed, next: null, commit });
}

/** Whether the operation's outcome is still to come. */
export const isLive = ({ state }: Operation): boolean => state === "claimed" || state === "requires_action";

const ATTEMPT_ENDS: ReadonlySet<PaymentEvent["type"]> = new Set(["authorized", "sold", "declined", "failed"]);
const endsAttempt = (event: PaymentEvent): boolean => ATTEMPT_ENDS.has(event.type);

function resolved(operation: Operation, answer: DefiniteAnswer, at: Date): Operation {
  switch (answer.kind) {
    case "requires_action":
      return { ...operation, state: "requires_action" };
    case "done":
      return {
        ...operation,
        state: "succeeded",
        details: answer.details ?? null,
        providerOperation: answer.providerOperation ?? operation.providerOperation,
        resolvedAt: at,
      };
    case "declined":
    case "failed":
      return {
        ...operation,
        state: answer.kind,
        details: answer.details ?? null,
        failure: answer.decline,
        resolvedAt: at,
      };
  }
}

function resolutionOf(
  operation: Operation,
  answer: DefiniteAnswer,
  context: RecordContext,
): OperationResolution {
  const ended = resolved(operation, answer, context.askAfter);
  invariant(ended.state !== "claimed", "an answer is no claim");
  return {
    payment: operation.payment,
    id: operation.id,
    from: "live",
    state: ended.state,
    failure: ended.failure,
    details: ended.details,
    providerOperation: ended.providerOperation,
    resolveAfter:
      answer.kind === "requires_action" ? (answer.keep?.until ?? context.askAfter).toISOString() : null,
    request: answer.kind === "requires_action" ? ((answer.keep?.request ?? null) as Row | null) : null,
  };
}

function effectOf(
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
  context: EffectContext,
  at: Date,
): Effect {
  switch (operation.kind) {
    case "authorize":
    case "authenticate":
      return authorizeEffect(payment, answer, context, at);
    case "increment":
      return incrementEffect(payment, operation, answer, context, at);
    case "capture":
      return captureEffect(payment, operation, answer, context, at);
    case "void":
    case "expire":
      return voidEffect(payment, operation, answer, at);
    case "refund":
      return refundEffect(payment, operation, answer, at);
  }
}

function authorizeEffect(payment: Payment, answer: DefiniteAnswer, context: EffectContext, at: Date): Effect {
  const { minor, currency } = payment.amount;
  switch (answer.kind) {
    case "requires_action":
      return {
        event: {
          type: "action_required",
          action: answer.action,
          providerPayment: answer.providerPayment,
        },
        journal: null,
        announce: (next) => announce(next, "payment.requires_action.v1", minor, {}, at),
      };
    case "declined":
    case "failed":
      return attemptFailed(payment, answer, context, at);
    case "done": {
      const { providerPayment } = answer;
      if (answer.captured) {
        const fee = feeForCapture(context.prices, currency, { before: 0n, amount: minor, feeBefore: 0n });
        return {
          event: { type: "sold", providerPayment, fee },
          journal: { cause: "sale", transfers: postings.sale(payment, fee) },
          announce: (next) =>
            announce(next, "payment.captured.v1", minor, { fee: Number(fee), final: true }, at),
        };
      }
      return {
        event: {
          type: "authorized",
          providerPayment,
          transfer: holdOf(context.commit),
          expiresAt: answer.expiresAt,
          overCapturable: tolerance(minor, context),
        },
        journal: {
          cause: "authorization",
          transfers: [postings.holdAuthorization(payment, answer.expiresAt)],
        },
        announce: (next) => announce(next, "payment.authorized.v1", minor, {}, at),
      };
    }
  }
}

/** The scheme's tolerance over `authorized`, rounded down: what is above is not ours to take. */
const tolerance = (authorized: bigint, { overCaptureBps }: RecordContext): bigint =>
  (authorized * BigInt(overCaptureBps)) / 10_000n;

function attemptFailed(
  payment: Payment,
  answer: Extract<DefiniteAnswer, { kind: "declined" | "failed" }>,
  { next }: EffectContext,
  at: Date,
): Effect {
  const { decline } = answer;
  if (next !== null) {
    // The directory is nobody's provider: after it, the same one is asked again.
    const provider = next.operation.kind === "authenticate" ? payment.provider : next.operation.provider;
    const event: PaymentEvent = {
      type: "attempt_passed_on",
      provider,
      takesProof: next.takesProof !== false,
    };
    return { event, journal: null, announce: null };
  }
  const type = answer.kind === "declined" ? "payment.declined.v1" : "payment.failed.v1";
  return {
    event:
      answer.kind === "declined"
        ? { type: "declined", decline, providerPayment: answer.providerPayment }
        : { type: "failed", decline },
    journal: null,
    announce: (after) => announce(after, type, payment.amount.minor, { code: decline.code }, at),
  };
}

function incrementEffect(
  payment: Payment,
  { amount }: Operation,
  answer: DefiniteAnswer,
  context: EffectContext,
  at: Date,
): Effect {
  if (answer.kind !== "done") {
    const code = codeOf(answer);
    return {
      event: { type: "increment_failed", amount },
      journal: null,
      announce: (next) => announce(next, "payment.increment_failed.v1", amount, { code }, at),
    };
  }
  return {
    event: {
      type: "incremented",
      amount,
      transfer: holdOf(context.commit),
      overCapturable: tolerance(payment.authorized + amount, context),
    },
    journal: { cause: "increment", transfers: [postings.holdIncrement(payment, amount)] },
    announce: (next) => announce(next, "payment.incremented.v1", amount, {}, at),
  };
}

/** Of an answer to what follows an authorization, which never waits for a payer. */
function codeOf(answer: Exclude<DefiniteAnswer, { kind: "done" }>): Decline["code"] {
  invariant(answer.kind !== "requires_action", "only an authorization waits for the payer");
  return answer.decline.code;
}

function captureEffect(
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
  context: EffectContext,
  at: Date,
): Effect {
  const { amount, final } = operation;
  if (answer.kind !== "done") {
    const code = codeOf(answer);
    return {
      event: { type: "capture_failed", amount, final },
      journal: null,
      announce: (next) => announce(next, "payment.capture_failed.v1", amount, { code }, at),
    };
  }
  const { captured: before, fee: feeBefore } = payment;
  const fee = feeForCapture(context.prices, payment.amount.currency, { before, amount, feeBefore });
  const part = { amount, fee, final };
  return {
    event: { type: "captured", ...part },
    journal: {
      cause: "capture",
      transfers: postings.capture(payment, part),
    },
    announce: (next) => announce(next, "payment.captured.v1", amount, { fee: Number(fee), final }, at),
  };
}

function voidEffect(payment: Payment, operation: Operation, answer: DefiniteAnswer, at: Date): Effect {
  if (answer.kind !== "done") {
    const code = codeOf(answer);
    return {
      event: { type: "void_failed" },
      journal: null,
      announce: (next) => announce(next, "payment.void_failed.v1", 0n, { code }, at),
    };
  }
  const isExpiry = operation.kind === "expire";
  const released = payment.authorized - payment.captured;
  return {
    event: { type: isExpiry ? "expired" : "voided" },
    journal: {
      cause: isExpiry ? "expiry" : "void",
      transfers: postings.releaseAuthorization(payment),
    },
    announce: (next) =>
      announce(next, isExpiry ? "payment.expired.v1" : "payment.voided.v1", released, {}, at),
  };
}

function refundEffect(payment: Payment, operation: Operation, answer: DefiniteAnswer, at: Date): Effect {
  const { amount, pendingTransfer: hold, id: refund } = operation;
  invariant(hold !== null, "a refund has its hold");
  const succeeded = answer.kind === "done";
  const transfers = postings.endRefund(payment, hold, amount, succeeded);
  if (succeeded) {
    return {
      event: { type: "refunded", amount },
      journal: { cause: "refund", transfers },
      announce: (next) => announce(next, "payment.refunded.v1", amount, { refund }, at),
    };
  }
  const code = codeOf(answer);
  return {
    event: { type: "refund_failed", amount },
    journal: { cause: "refund_failed", transfers },
    announce: (next) => announce(next, "payment.refund_failed.v1", amount, { refund, code }, at),
  };
}

/**
 * What may be believed of an answer: one that moved another amount than was asked is nobody's success and
 * nobody's failure, so a person must look.
 */
export function believable(answer: ProviderAnswer, operation: Operation): ProviderAnswer {
  if (answer.kind !== "done" || answer.amount === operation.amount) return answer;
  return {
    kind: "unknown",
    because: `the provider says ${answer.amount} where ${operation.amount} was asked`,
  };
}
