import { randomBytes } from "node:crypto";
import { homeOf, type MerchantId, newId } from "../../../subgraphs/kernel/ids.ts";
import { moneyOf, zero } from "../../../subgraphs/kernel/money.ts";
import { invariant } from "../../../subgraphs/kernel/result.ts";
import type { Commit } from "../../../subgraphs/ledger/commit.ts";
import { createStripeConnector } from "../../../subgraphs/payments/connectors/stripe/index.ts";
import { claimFollowUp, claimPayment } from "../../../subgraphs/payments/domain/claims.ts";
import type { Operation } from "../../../subgraphs/payments/domain/operation.ts";
import type { Payment, Terms } from "../../../subgraphs/payments/domain/payment.ts";
import { type DefiniteAnswer, record } from "../../../subgraphs/payments/domain/records.ts";
import { assessmentRow } from "../../../subgraphs/risk/assess.ts";
import { AMOUNT } from "../rows/payments-api.ts";

/**
 * One payment's four commits as the flows compute them, with nothing around: no HTTP, no vault, no provider, no reads.
 * They are handed on one after the other, as a payment's are: each stands on the one before.
 */
export async function takePayment(
  merchant: MerchantId,
  apply: (commit: Commit) => Promise<void>,
): Promise<void> {
  const payment = newPayment(merchant);
  const operation = newAuthorization(payment);
  const at = payment.createdAt;
  const assessment = assessmentRow(ALLOWED, merchant, payment.id, at);
  const resolveAfter = later(at);
  const context = { assessment, session: null, uses: null, stores: null, resolveAfter };
  const claimed = claimPayment(payment, operation, key(), context, at);
  await apply(claimed.commit);
  const authorized = recorded(claimed.payment, claimed.operation);
  await apply(authorized.commit);

  const { amount } = payment;
  const now = new Date();
  const reference = newReference();
  const sent = {
    id: newId("op", homeOf(merchant), now),
    reference,
    request: connector.capture(authorized.payment, { amount: amount.minor, final: true, reference }),
  };
  const details = { kind: "capture", amount: amount.minor, final: true } as const;
  const capture = claimFollowUp(authorized.payment, details, key(), sent, later(now), now);
  invariant(capture.ok, "what was authorized can be captured");
  await apply(capture.value.commit);
  await apply(recorded(capture.value.payment, capture.value.operation).commit);
}

const connector = createStripeConnector();
const ALLOWED = {
  decision: "allow",
  score: 0,
  reasons: [],
  degraded: false,
  ruleset: "bench",
  decline: null,
  binCountry: null,
} as const;
const PRICES = { default: { bps: 290, fixed: 30n } };
const DAY_MS = 86_400_000;

const later = (at: Date) => new Date(at.getTime() + 30_000);
const newReference = () => `ref_${randomBytes(20).toString("hex")}`;
const key = () => ({ key: randomBytes(16).toString("hex"), fingerprint: randomBytes(32).toString("hex") });

function recorded(payment: Payment, operation: Operation) {
  const at = new Date();
  const answer: DefiniteAnswer = {
    kind: "done",
    providerPayment: payment.providerPayment ?? `pi_${randomBytes(12).toString("hex")}`,
    captured: false,
    amount: operation.amount,
    expiresAt: new Date(at.getTime() + 7 * DAY_MS),
  };
  const context = {
    prices: PRICES,
    session: null,
    overCaptureBps: 0,
    next: null,
    stores: null,
    askAfter: later(at),
  };
  const result = record(payment, operation, answer, context, at);
  invariant(result.ok, "an answer to a claimed operation can be recorded");
  return result.value;
}

function newPayment(merchant: MerchantId): Payment {
  const at = new Date();
  const amount = moneyOf(BigInt(AMOUNT.amount), AMOUNT.currency);
  const nothing = zero(amount.currency).minor;
  return {
    id: newId("pay", homeOf(merchant), at),
    merchant,
    version: 1,
    phase: "processing",
    amount,
    captureMethod: "manual",
    authorized: nothing,
    captured: nothing,
    overCapturable: nothing,
    incrementing: nothing,
    capturing: nothing,
    refunded: nothing,
    refunding: nothing,
    fee: nothing,
    finalized: false,
    closing: false,
    inReview: false,
    holds: [],
    authorizationExpiresAt: null,
    attempt: 0,
    provider: connector.name,
    providerPayment: null,
    action: null,
    authentication: null,
    terms: TERMS,
    decline: null,
    createdAt: at,
    updatedAt: at,
  };
}

const TERMS: Terms = {
  card: {
    token: "tok_01_bench000000000000000000000000000",
    brand: "visa",
    bin: "42424242",
    last4: "4242",
    expMonth: 12,
    expYear: 2040,
    fingerprint: "fp_bench",
  },
  checkoutSession: null,
  description: null,
  reference: null,
  customer: null,
  paymentMethod: null,
  stored: null,
  duplicateOf: null,
};

function newAuthorization(payment: Payment): Operation {
  const reference = newReference();
  return {
    id: newId("op", homeOf(payment.merchant), payment.createdAt),
    payment: payment.id,
    kind: "authorize",
    state: "claimed",
    amount: payment.amount.minor,
    final: false,
    attempt: 0,
    provider: payment.provider,
    reference,
    request: connector.authorize(payment, {
      reference,
      cvcAvailable: false,
      authentication: null,
      exemption: null,
      stored: null,
      returnUrl: null,
      webhookUrl: null,
      payer: { ip: null, country: null, email: null },
    }),
    accepted: false,
    providerOperation: null,
    pendingTransfer: null,
    routing: null,
    details: null,
    failure: null,
    claimedAt: payment.createdAt,
    resolvedAt: null,
    lastSentAt: payment.createdAt,
  };
}
