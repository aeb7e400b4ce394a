import { type CommitId, homeOf, newId, type OperationId, transferId } from "../../kernel/ids.ts";
import { ok, type Result } from "../../kernel/result.ts";
import type { ClaimKind, Commit, Journal, JournalCause, NotDuplicate, Row } from "../../ledger/commit.ts";
import type { Transfer } from "../../ledger/transfer.ts";
import { attemptClaimed, attemptEnded, type CheckoutSession } from "./checkout-session.ts";
import { suspicionsOf } from "./duplicates.ts";
import { announce } from "./events.ts";
import type { Operation, OperationKind, ProviderRequest } from "./operation.ts";
import { apply, type IllegalTransition, type Payment, type PaymentEvent } from "./payment.ts";
import { holdRefund } from "./postings.ts";
import { inFlightRow, operationRow, paymentRow, sessionRow, termsRow } from "./rows.ts";
import { type StoredMethod, storedMethodRow } from "./stored-method.ts";

/**
 * Commit 1 of every operation, as a value: it takes the idempotency key, reserves the amount and writes down
 * what will be sent. After it, and before commit 2, the operation *is* unknown.
 */
export type KeyClaim = { readonly key: string; readonly fingerprint: string };

/** What a claim made: the payment and operation as they stand once `commit` is applied. */
export type Claimed = { readonly payment: Payment; readonly operation: Operation; readonly commit: Commit };

const claimOf = ({ key, fingerprint }: KeyClaim, kind: ClaimKind, operation: Operation) => ({
  key,
  fingerprint,
  kind,
  subject: operation.id,
  payment: operation.payment,
});

/** Opens what accounts it uses: a merchant has one for each currency, from its first payment on. */
export function journal(payment: Payment, cause: JournalCause, transfers: readonly Transfer[]): Journal {
  const opens = transfers.flatMap(({ debit, credit }) => [debit, credit]);
  return { cause, payment: payment.id, transfers, opens };
}

export const commitId = (payment: Payment, at: Date): CommitId => newId("cmt", homeOf(payment.merchant), at);

/** A hold is the first transfer of the commit that makes it. */
export const holdOf = (commit: CommitId) => transferId(commit, 1);

/** An operation that is about to be sent: with what recovery needs, should its outcome stay unknown. */
export const sending = (operation: Operation, payment: Payment, resolveAfter: Date) => ({
  insert: operationRow(operation, payment),
  inFlight: inFlightRow(operation, payment, resolveAfter),
});

/** A payment that is new, with what of it never changes. */
const newPayment = (payment: Payment) => ({
  insert: paymentRow(payment),
  terms: termsRow(payment),
});

/** What a new payment's claim is made with, besides the payment. */
export type ClaimContext = {
  /** The risk decision that lets it pass, or does not, as its row. */
  readonly assessment: Row;
  readonly session: CheckoutSession | null;
  /** A stored card that it uses: refused if that was removed meanwhile. */
  readonly uses: StoredMethod | null;
  /** No other payment of the same may be there: the merchant refuses duplicates. */
  readonly notDuplicate?: NotDuplicate | null;
  /** The stored card that it makes; nothing can be paid with it until this payment is authorized. */
  readonly stores: StoredMethod | null;
};

/** Claims a new payment's first operation: its authorization, or the authentication before it. */
export function claimPayment(
  payment: Payment,
  operation: Operation,
  claim: KeyClaim,
  context: ClaimContext & { readonly resolveAfter: Date },
  at: Date,
): Claimed {
  const { assessment, session, uses, stores, resolveAfter } = context;
  const commit: Commit = {
    id: commitId(payment, at),
    merchant: payment.merchant,
    at,
    claim: claimOf(claim, "authorize", operation),
    payment: newPayment(payment),
    operation: sending(operation, payment, resolveAfter),
    ...(session === null ? {} : { session: { update: attemptClaimed(session, payment.id) } }),
    ...requirements(uses, context.notDuplicate ?? null),
    ...(stores === null ? {} : { method: { insert: storedMethodRow(stores) } }),
    assessment,
    events: suspicionsOf(payment, at),
  };
  return { payment, operation, commit };
}

function requirements(
  uses: StoredMethod | null,
  notDuplicate: NotDuplicate | null,
): Pick<Commit, "requires"> {
  if (uses === null && notDuplicate === null) return {};
  return {
    requires: {
      ...(uses === null ? {} : { method: uses.id }),
      ...(notDuplicate === null ? {} : { notDuplicate }),
    },
  };
}

/** A payment that was refused before anything was sent: claimed and declined in one commit. */
export function claimRefused(
  payment: Payment,
  operation: Operation,
  claim: KeyClaim,
  { assessment, session }: Pick<ClaimContext, "assessment" | "session">,
  at: Date,
): Claimed {
  const commit: Commit = {
    id: commitId(payment, at),
    merchant: payment.merchant,
    at,
    claim: claimOf(claim, "authorize", operation),
    payment: newPayment(payment),
    operation: { insert: operationRow(operation, payment), inFlight: null },
    ...(session === null ? {} : { session: { update: attemptEnded(session, payment.id, false) } }),
    assessment,
    events: [
      announce(
        payment,
        "payment.declined.v1",
        payment.amount.minor,
        { code: payment.decline?.code ?? "blocked_by_risk" },
        at,
      ),
    ],
  };
  return { payment, operation, commit };
}

export type FollowUp = {
  readonly kind: Exclude<OperationKind, "authorize" | "authenticate">;
  readonly amount: bigint;
  readonly final: boolean;
  /** A final capture may take more than is authorized, within the scheme's tolerance. */
  readonly over?: boolean;
};

const claimEvent = (followUp: FollowUp): PaymentEvent => {
  switch (followUp.kind) {
    case "capture":
      return {
        type: "capture_claimed",
        amount: followUp.amount,
        final: followUp.final,
        over: followUp.over === true,
      };
    case "increment":
      return { type: "increment_claimed", amount: followUp.amount };
    case "void":
    case "expire":
      return { type: "void_claimed" };
    case "refund":
      return { type: "refund_claimed", amount: followUp.amount };
  }
};

/**
 * Claims an increment, capture, void, expiry or refund of a payment as it was read; what nobody asked for takes no key.
 * The commit is refused if the payment has moved since: read it again and claim anew. A refund also holds the merchant's money in the ledger.
 */
export function claimFollowUp(
  payment: Payment,
  followUp: FollowUp,
  claim: KeyClaim | null,
  sent: { readonly id: OperationId; readonly reference: string; readonly request: ProviderRequest },
  resolveAfter: Date,
  at: Date,
): Result<Claimed, IllegalTransition> {
  const next = apply(payment, claimEvent(followUp), at);
  if (!next.ok) return next;
  const id = commitId(payment, at);
  const hold = followUp.kind === "refund" ? holdRefund(payment, followUp.amount) : null;
  const operation: Operation = {
    ...sent,
    payment: payment.id,
    kind: followUp.kind,
    state: "claimed",
    amount: followUp.amount,
    final: followUp.final,
    attempt: payment.attempt,
    provider: payment.provider,
    accepted: false,
    providerOperation: null,
    pendingTransfer: hold === null ? null : holdOf(id),
    routing: null,
    details: null,
    failure: null,
    claimedAt: at,
    resolvedAt: null,
    lastSentAt: at,
  };
  const commit: Commit = {
    id,
    merchant: payment.merchant,
    at,
    ...(claim === null || followUp.kind === "expire"
      ? {}
      : { claim: claimOf(claim, followUp.kind, operation) }),
    payment: { update: paymentRow(next.value), expectedVersion: payment.version },
    operation: sending(operation, payment, resolveAfter),
    ...(hold === null ? {} : { journal: journal(payment, "refund_hold", [hold]) }),
    events: [],
  };
  return ok({ payment: next.value, operation, commit });
}

/** Opens a checkout session under an idempotency key. */
export function openSession(session: CheckoutSession, { key, fingerprint }: KeyClaim, at: Date): Commit {
  return {
    id: newId("cmt", homeOf(session.merchant), at),
    merchant: session.merchant,
    at,
    claim: { key, fingerprint, kind: "checkout_session", subject: session.id, payment: null },
    session: { insert: sessionRow(session) },
    events: [],
  };
}
