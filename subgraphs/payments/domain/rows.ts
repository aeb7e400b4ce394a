import { type Currency, isCurrency } from "../../kernel/currency.ts";
import { homeOf, idFromUuid, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { invariant } from "../../kernel/result.ts";
import type { Row } from "../../ledger/commit.ts";
import type { CheckoutSession } from "./checkout-session.ts";
import type { Decline } from "./decline.ts";
import { cardUseOf, paidBy } from "./duplicates.ts";
import type { Operation, OperationKind, ProviderRequest } from "./operation.ts";
import { type CaptureMethod, type Card, type Payment, type Phase, stateOf, type Terms } from "./payment.ts";
import { reasonFrom, storedReason } from "./routing/stored-reason.ts";

/** Between the tables of `schema/sql` and the domain: rows are parsed here and nowhere else. */

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
const uuid = (id: Parameters<typeof uuidOf>[0] | null): string | null => (id === null ? null : uuidOf(id));

export function paymentRow(payment: Payment): Row {
  return {
    shard: homeOf(payment.merchant).shard,
    merchant: uuidOf(payment.merchant),
    id: uuidOf(payment.id),
    version: payment.version,
    state: stateOf(payment),
    amount: payment.amount.minor.toString(),
    currency: payment.amount.currency,
    capture_method: payment.captureMethod,
    authorized: payment.authorized.toString(),
    captured: payment.captured.toString(),
    capturing: payment.capturing.toString(),
    refunded: payment.refunded.toString(),
    refunding: payment.refunding.toString(),
    finalized: payment.finalized,
    closing: payment.closing,
    fee: payment.fee.toString(),
    in_review: payment.inReview,
    over_capturable: payment.overCapturable.toString(),
    incrementing: payment.incrementing.toString(),
    holds: payment.holds.map(({ transfer, amount }) => ({
      transfer: uuidOf(transfer),
      amount: amount.toString(),
    })),
    attempt: payment.attempt,
    provider: payment.provider,
    provider_payment: payment.providerPayment,
    action: payment.action,
    authentication: payment.authentication,
    decline: payment.decline,
    created_at: iso(payment.createdAt),
    updated_at: iso(payment.updatedAt),
    authorization_expires_at: iso(payment.authorizationExpiresAt),
  };
}

/** What of a payment never changes, as the row that is written beside it. */
export function termsRow(payment: Payment): Row {
  const { id, merchant, terms } = payment;
  return {
    shard: homeOf(merchant).shard,
    merchant: uuidOf(merchant),
    id: uuidOf(id),
    card: terms.card,
    checkout_session: uuid(terms.checkoutSession),
    description: terms.description,
    reference: terms.reference,
    customer: uuid(terms.customer),
    payment_method: uuid(terms.paymentMethod),
    stored: terms.stored,
    duplicate_of: uuid(terms.duplicateOf),
    // What is refused takes nothing, so the same again is no duplicate of it.
    what: payment.decline === null ? cardUseOf(paidBy(payment)) : null,
  };
}

export function operationRow(operation: Operation, payment: Payment): Row {
  return {
    shard: homeOf(payment.merchant).shard,
    merchant: uuidOf(payment.merchant),
    payment: uuidOf(payment.id),
    id: uuidOf(operation.id),
    kind: operation.kind,
    state: operation.state,
    amount: operation.amount.toString(),
    final: operation.final,
    attempt: operation.attempt,
    provider: operation.provider,
    reference: operation.reference,
    pending_transfer: uuid(operation.pendingTransfer),
    routing: operation.routing === null ? null : (storedReason(operation.routing) as unknown as Row),
    provider_operation: operation.providerOperation,
    details: operation.details,
    failure: operation.failure,
    claimed_at: iso(operation.claimedAt),
    resolved_at: iso(operation.resolvedAt),
  };
}

/** What is kept of an operation only until its outcome is known. */
export function inFlightRow(operation: Operation, payment: Payment, resolveAfter: Date): Row {
  return {
    shard: homeOf(payment.merchant).shard,
    merchant: uuidOf(payment.merchant),
    payment: uuidOf(payment.id),
    operation: uuidOf(operation.id),
    request: operation.request as Row | null,
    accepted: operation.accepted,
    last_sent_at: iso(operation.lastSentAt),
    resolve_after: iso(resolveAfter),
    inquiries: 0,
  };
}

export function sessionRow(session: CheckoutSession): Row {
  return {
    shard: homeOf(session.merchant).shard,
    merchant: uuidOf(session.merchant),
    id: uuidOf(session.id),
    status: session.status,
    attempt: session.attempt,
    amount: session.amount.minor.toString(),
    currency: session.amount.currency,
    capture_method: session.captureMethod,
    description: session.description,
    reference: session.reference,
    return_url: session.returnUrl,
    payment: uuid(session.payment),
    created_at: iso(session.createdAt),
    expires_at: iso(session.expiresAt),
  };
}

/** A row as postgres.js reads it: bigint columns as bigint, timestamps as Date, jsonb parsed. */
export type DatabaseRow = Readonly<Record<string, unknown>>;

const currencyOf = (value: unknown): Currency => {
  invariant(typeof value === "string" && isCurrency(value), "a stored currency is one of ours");
  return value;
};
const OPEN_STATES = new Set([
  "authorized",
  "in_review",
  "partially_captured",
  "captured",
  "partially_refunded",
  "refunded",
]);
const phaseOf = (state: string): Phase => (OPEN_STATES.has(state) ? "open" : (state as Phase));
const optionalId = <K extends "trf" | "cs" | "pay" | "cus" | "pm">(kind: K, value: unknown) =>
  value === null ? null : idFromUuid(kind, value as string);

export function paymentFrom(row: DatabaseRow): Payment {
  const payment: Payment = {
    id: idFromUuid("pay", row["id"] as string),
    merchant: idFromUuid("mer", row["merchant"] as string),
    version: row["version"] as number,
    phase: phaseOf(row["state"] as string),
    amount: moneyOf(row["amount"] as bigint, currencyOf(row["currency"])),
    captureMethod: row["capture_method"] as CaptureMethod,
    authorized: row["authorized"] as bigint,
    captured: row["captured"] as bigint,
    capturing: row["capturing"] as bigint,
    refunded: row["refunded"] as bigint,
    refunding: row["refunding"] as bigint,
    finalized: row["finalized"] as boolean,
    closing: row["closing"] as boolean,
    fee: row["fee"] as bigint,
    inReview: row["in_review"] as boolean,
    overCapturable: row["over_capturable"] as bigint,
    incrementing: row["incrementing"] as bigint,
    holds: (row["holds"] as { transfer: string; amount: string }[]).map(({ transfer, amount }) => ({
      transfer: idFromUuid("trf", transfer),
      amount: BigInt(amount),
    })),
    authorizationExpiresAt: row["authorization_expires_at"] as Date | null,
    attempt: row["attempt"] as number,
    provider: row["provider"] as string,
    providerPayment: row["provider_payment"] as string | null,
    action: row["action"] as Payment["action"],
    authentication: row["authentication"] as Payment["authentication"],
    decline: row["decline"] as Decline | null,
    terms: termsFrom(row),
    createdAt: row["created_at"] as Date,
    updatedAt: row["updated_at"] as Date,
  };
  invariant(stateOf(payment) === row["state"], "a payment's stored state is the one that its amounts give");
  return payment;
}

/** Of a row that has the columns of `payments.payment_terms`. */
function termsFrom(row: DatabaseRow): Terms {
  return {
    card: row["card"] as Card,
    checkoutSession: optionalId("cs", row["checkout_session"]),
    description: row["description"] as string | null,
    reference: row["reference"] as string | null,
    customer: optionalId("cus", row["customer"]),
    paymentMethod: optionalId("pm", row["payment_method"]),
    stored: row["stored"] as Terms["stored"],
    duplicateOf: optionalId("pay", row["duplicate_of"]),
  };
}

/** Of an operation's row joined with what is kept of it while it is in flight. */
export function operationFrom(row: DatabaseRow): Operation {
  return {
    id: idFromUuid("op", row["id"] as string),
    payment: idFromUuid("pay", row["payment"] as string),
    kind: row["kind"] as OperationKind,
    state: row["state"] as Operation["state"],
    amount: row["amount"] as bigint,
    final: row["final"] as boolean,
    attempt: row["attempt"] as number,
    provider: row["provider"] as string,
    reference: row["reference"] as string,
    request: (row["request"] ?? null) as ProviderRequest | null,
    accepted: row["accepted"] === true,
    providerOperation: row["provider_operation"] as string | null,
    pendingTransfer: optionalId("trf", row["pending_transfer"]),
    routing: row["routing"] === null ? null : reasonFrom(row["routing"]),
    details: row["details"] as Operation["details"],
    failure: row["failure"] as Decline | null,
    claimedAt: row["claimed_at"] as Date,
    resolvedAt: row["resolved_at"] as Date | null,
    lastSentAt: (row["last_sent_at"] ?? row["claimed_at"]) as Date,
  };
}

export function sessionFrom(row: DatabaseRow): CheckoutSession {
  return {
    id: idFromUuid("cs", row["id"] as string),
    merchant: idFromUuid("mer", row["merchant"] as string),
    status: row["status"] as CheckoutSession["status"],
    attempt: row["attempt"] as number,
    amount: moneyOf(row["amount"] as bigint, currencyOf(row["currency"])),
    captureMethod: row["capture_method"] as CaptureMethod,
    description: row["description"] as string | null,
    reference: row["reference"] as string | null,
    returnUrl: row["return_url"] as string | null,
    payment: optionalId("pay", row["payment"]),
    createdAt: row["created_at"] as Date,
    expiresAt: row["expires_at"] as Date,
  };
}
