import type { Currency } from "../../kernel/currency.ts";
import { newId } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { Operation } from "./operation.ts";
import type { Payment } from "./payment.ts";

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
    capturing: 0n,
    refunded: 0n,
    refunding: 0n,
    fee: 0n,
    finalized: false,
    closing: false,
    authorizationTransfer: null,
    authorizationExpiresAt: null,
    provider: "stripe",
    providerPayment: null,
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
    decline: null,
    createdAt: AT,
    updatedAt: AT,
    ...overrides,
  };
}

export function sampleOperation(payment: Payment, overrides: Partial<Operation> = {}): Operation {
  return {
    id: newId("op", HOME, AT),
    payment: payment.id,
    kind: "authorize",
    state: "claimed",
    amount: payment.amount.minor,
    final: false,
    attempt: 0,
    reference: `ref_0107_${newId("op", HOME, AT)}`,
    request: { method: "POST", path: "/v1/payment_intents", body: "a=b", token: null },
    pendingTransfer: null,
    failure: null,
    claimedAt: AT,
    resolvedAt: null,
    lastSentAt: AT,
    ...overrides,
  };
}
