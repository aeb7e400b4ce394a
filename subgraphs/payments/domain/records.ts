import type { CommitId, OperationId, TransferId } from "../../kernel/ids.ts";
import { invariant, ok, type Result } from "../../kernel/result.ts";
import type { Commit, JournalCause, OperationResolution, OutboxEvent } from "../../ledger/commit.ts";
import type { Transfer } from "../../ledger/transfer.ts";
import type { PriceList } from "../../merchants/prices.ts";
import { attemptEnded, type CheckoutSession } from "./checkout-session.ts";
import { commitId, holdOf, journal } from "./claims.ts";
import { announce } from "./events.ts";
import { feeForCapture } from "./fees.ts";
import type { Operation, ProviderAnswer } from "./operation.ts";
import { apply, type IllegalTransition, type Payment, type PaymentEvent } from "./payment.ts";
import * as postings from "./postings.ts";
import { paymentRow } from "./rows.ts";

/**
 * Commit 2 of every operation, as a value: what the provider did becomes the payment's state, the ledger's
 * transfers and the outbox's events, all or none. Pure; the same whether the answer came at once or was
 * learnt by recovery.
 */
export type DefiniteAnswer = Exclude<ProviderAnswer, { kind: "unknown" }>;

export type RecordContext = {
  readonly prices: PriceList;
  /** The checkout session that the payment belongs to, as it stands. */
  readonly session: CheckoutSession | null;
};

export type Recorded = { readonly payment: Payment; readonly operation: Operation; readonly commit: Commit };

/** What an effect is computed from, besides payment, operation and answer. */
type EffectContext = RecordContext & { readonly commit: CommitId };

/** What an answer does: the payment's event, the ledger's journal, and what is announced of it. */
type Effect = {
  readonly event: PaymentEvent;
  readonly journal: {
    readonly cause: JournalCause;
    readonly transfers: readonly Transfer[];
  } | null;
  readonly announce: (payment: Payment) => OutboxEvent;
};

export function record(
  payment: Payment,
  operation: Operation,
  answer: DefiniteAnswer,
  context: RecordContext,
  at: Date,
): Result<Recorded, IllegalTransition> {
  invariant(operation.state === "claimed", "only a claimed operation is recorded");
  const id = commitId(payment, at);
  const effect = effectOf(payment, operation, answer, { ...context, commit: id }, at);
  const next = apply(payment, effect.event, at);
  if (!next.ok) return next;
  const resolution = resolutionOf(operation, answer);
  const commit: Commit = {
    id,
    merchant: payment.merchant,
    at,
    payment: { update: paymentRow(next.value), expectedVersion: payment.version },
    operation: { resolve: resolution },
    ...(effect.journal === null || effect.journal.transfers.length === 0
      ? {}
      : { journal: journal(payment, effect.journal.cause, effect.journal.transfers) }),
    ...(operation.kind === "authorize" && context.session !== null
      ? { session: { update: attemptEnded(context.session, payment.id, answer.kind === "done") } }
      : {}),
    events: [effect.announce(next.value)],
  };
  const resolved: Operation = {
    ...operation,
    state: resolution.state,
    failure: answer.kind === "done" ? null : answer.decline,
    resolvedAt: at,
  };
  return ok({ payment: next.value, operation: resolved, commit });
}

function resolutionOf(operation: Operation, answer: DefiniteAnswer): OperationResolution {
  const ids: { payment: Operation["payment"]; id: OperationId } = {
    payment: operation.payment,
    id: operation.id,
  };
  if (answer.kind === "done") return { ...ids, state: "succeeded", failure: null };
  return { ...ids, state: answer.kind, failure: answer.decline };
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
      return authorizeEffect(payment, answer, context, at);
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
  if (answer.kind !== "done") {
    const { decline } = answer;
    const type = answer.kind === "declined" ? "payment.declined.v1" : "payment.failed.v1";
    return {
      event:
        answer.kind === "declined"
          ? { type: "declined", decline, providerPayment: answer.providerPayment }
          : { type: "failed", decline },
      journal: null,
      announce: (next) => announce(next, type, minor, { code: decline.code }, at),
    };
  }
  const { providerPayment } = answer;
  if (answer.captured) {
    const fee = feeForCapture(context.prices, currency, { before: 0n, amount: minor, feeBefore: 0n });
    return {
      event: { type: "sold", providerPayment, fee },
      journal: { cause: "sale", transfers: postings.sale(payment, fee) },
      announce: (next) => announce(next, "payment.captured.v1", minor, { fee: Number(fee), final: true }, at),
    };
  }
  const hold = holdOf(context.commit);
  return {
    event: { type: "authorized", providerPayment, transfer: hold, expiresAt: answer.expiresAt },
    journal: { cause: "authorization", transfers: [postings.holdAuthorization(payment, answer.expiresAt)] },
    announce: (next) => announce(next, "payment.authorized.v1", minor, {}, at),
  };
}

function authorizationOf(payment: Payment): TransferId {
  invariant(payment.authorizationTransfer !== null, "an authorization in parts has its pending transfer");
  return payment.authorizationTransfer;
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
    const { code } = answer.decline;
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
      transfers: postings.capture(payment, authorizationOf(payment), part),
    },
    announce: (next) => announce(next, "payment.captured.v1", amount, { fee: Number(fee), final }, at),
  };
}

function voidEffect(payment: Payment, operation: Operation, answer: DefiniteAnswer, at: Date): Effect {
  if (answer.kind !== "done") {
    const { code } = answer.decline;
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
      transfers: postings.releaseAuthorization(payment, authorizationOf(payment)),
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
  const { code } = answer.decline;
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
