import type { Currency } from "../../kernel/currency.ts";
import { newId } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { Operation, ProviderRequest } from "./operation.ts";
import type { Payment, Terms } from "./payment.ts";
import type { RecordContext } from "./records.ts";

/** Values for tests: a payment whose authorization is in flight, and an operation of it. */
export const HOME = { region: 1, shard: 7 };
export const AT = new Date("2026-11-22T12:00:00Z");

export function samplePayment(
  overrides: Partial<Payment> = {},
  minor = 10_000n,
  currency: Currency = "EUR",
): Payment {
  return {
    id: newId("pay", HOME, AT),
    merchant: newId("mer", HOME, AT),
    version: 1,
    phase: "processing",
    amount: moneyOf(minor, currency),
    captureMethod: "manual",
    authorized: 0n,
    captured: 0n,
    overCapturable: 0n,
    incrementing: 0n,
    capturing: 0n,
    refunded: 0n,
    refunding: 0n,
    fee: 0n,
    finalized: false,
    closing: false,
    inReview: false,
    holds: [],
    authorizationExpiresAt: null,
    attempt: 0,
    provider: "stripe",
    providerPayment: null,
    action: null,
    authentication: null,
    terms: sampleTerms(),
    decline: null,
    createdAt: AT,
    updatedAt: AT,
    ...overrides,
  };
}

export const sampleTerms = (overrides: Partial<Terms> = {}): Terms => ({
  card: {
    token: "tok_01_00000000000000000000000000000000",
    brand: "visa",
    bin: "42424242",
    last4: "4242",
    expMonth: 12,
    expYear: 2030,
    fingerprint: "fp_1",
  },
  checkoutSession: null,
  description: null,
  reference: null,
  customer: null,
  paymentMethod: null,
  stored: null,
  duplicateOf: null,
  ...overrides,
});

/** What recording needs besides payment, operation and answer. */
export const sampleContext = (overrides: Partial<RecordContext> = {}): RecordContext => ({
  prices: { default: { bps: 290, fixed: 30n } },
  session: null,
  overCaptureBps: 0,
  next: null,
  stores: null,
  askAfter: AT,
  ...overrides,
});

/** A request as it would be sent. */
export const SAMPLE_REQUEST: ProviderRequest = {
  method: "POST",
  path: "/v1/payment_intents",
  body: "a=b",
  token: null,
};

/** A risk decision that lets a payment pass. */
export const ALLOWED = {
  decision: "allow",
  score: 0,
  reasons: [],
  degraded: false,
  ruleset: "t",
  decline: null,
  binCountry: null,
} as const;

export function sampleOperation(payment: Payment, overrides: Partial<Operation> = {}): Operation {
  return {
    id: newId("op", HOME, AT),
    payment: payment.id,
    kind: "authorize",
    state: "claimed",
    amount: payment.amount.minor,
    final: false,
    attempt: 0,
    provider: payment.provider,
    reference: `ref_0107_${newId("op", HOME, AT)}`,
    request: SAMPLE_REQUEST,
    accepted: false,
    providerOperation: null,
    pendingTransfer: null,
    routing: null,
    details: null,
    failure: null,
    claimedAt: AT,
    resolvedAt: null,
    lastSentAt: AT,
    ...overrides,
  };
}
