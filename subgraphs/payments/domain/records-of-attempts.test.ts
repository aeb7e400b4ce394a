import { describe, expect, it } from "vitest";
import { newId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { CheckoutSession } from "./checkout-session.ts";
import { declineOf } from "./decline.ts";
import { NO_DETAILS, type Operation } from "./operation.ts";
import type { Payment } from "./payment.ts";
import { type DefiniteAnswer, record } from "./records.ts";
import { AT, HOME, SAMPLE_REQUEST, sampleContext, sampleOperation, samplePayment } from "./samples.ts";
import type { StoredMethod } from "./stored-method.ts";

const done: DefiniteAnswer = {
  kind: "done",
  providerPayment: "pi_1",
  captured: false,
  amount: 10_000n,
  expiresAt: null,
};
const failed: DefiniteAnswer = { kind: "failed", decline: declineOf("provider_refused") };

const sampleMethod = ({ merchant, terms }: Payment): StoredMethod => ({
  id: newId("pm", HOME, AT),
  merchant,
  customer: newId("cus", HOME, AT),
  status: "pending",
  card: terms.card,
  mandate: { reason: "recurring", acceptedAt: AT.toISOString(), ip: null },
  networkTransactionId: null,
  createdAt: AT,
  updatedAt: AT,
});

describe("recording an attempt that failed", () => {
  const payment = samplePayment();
  const operation = sampleOperation(payment);
  const elsewhere: Operation = sampleOperation(payment, { provider: "adyen", attempt: 1 });
  const next = { operation: elsewhere, resolveAfter: AT };
  const session: CheckoutSession = {
    id: newId("cs", HOME, AT),
    merchant: payment.merchant,
    status: "open",
    attempt: 0,
    amount: payment.amount,
    captureMethod: "manual",
    description: null,
    reference: null,
    returnUrl: null,
    payment: payment.id,
    createdAt: AT,
    expiresAt: AT,
  };

  it("claims the one that follows in the same commit, and tells nobody that the payment failed", () => {
    const recorded = record(payment, operation, failed, sampleContext({ next, session }), AT);
    invariant(recorded.ok, "recorded");
    const { commit, payment: after, operation: ended } = recorded.value;
    expect([after.phase, after.attempt, after.provider]).toEqual(["processing", 1, "adyen"]);
    expect(ended).toMatchObject({ state: "failed", failure: { code: "provider_refused" } });
    expect(commit.resolution).toMatchObject({ id: operation.id, from: "live", state: "failed" });
    expect(commit.operation?.insert).toMatchObject({ provider: "adyen", attempt: 1, state: "claimed" });
    expect(commit.operation?.inFlight).toMatchObject({ request: SAMPLE_REQUEST, accepted: false });
    expect([commit.events, commit.journal, commit.session]).toEqual([[], undefined, undefined]);
  });

  it("claims nothing where an answer came, whatever was prepared", () => {
    const recorded = record(payment, operation, done, sampleContext({ next }), AT);
    invariant(recorded.ok, "recorded");
    expect([recorded.value.next, recorded.value.commit.operation]).toEqual([null, undefined]);
  });

  it("stores no card", () => {
    const stores = sampleMethod(payment);
    const context = sampleContext({ stores });
    const ended = record(payment, operation, failed, context, AT);
    expect(ended.ok && ended.value.commit.method).toBeUndefined();
    const told = { ...NO_DETAILS, networkTransactionId: "ntid_1" };
    const authorized = record(payment, operation, { ...done, details: told }, context, AT);
    expect(authorized.ok && authorized.value.commit.method).toMatchObject({
      update: { status: "active", network_transaction_id: "ntid_1" },
    });
  });
});

describe("an attempt that waits for the payer", () => {
  it("stays live, posts nothing and says so", () => {
    const payment = samplePayment();
    const answer: DefiniteAnswer = {
      kind: "requires_action",
      providerPayment: "pi_1",
      action: { type: "redirect", url: "https://bank.example" },
    };
    const recorded = record(payment, sampleOperation(payment), answer, sampleContext(), AT);
    invariant(recorded.ok, "recorded");
    const { commit, operation, payment: after } = recorded.value;
    expect([after.phase, operation.state, operation.resolvedAt]).toEqual([
      "requires_action",
      "requires_action",
      null,
    ]);
    expect(commit.journal).toBeUndefined();
    expect(commit.resolution).toMatchObject({ state: "requires_action", resolveAfter: AT.toISOString() });
    expect(commit.events).toMatchObject([{ type: "payment.requires_action.v1" }]);
    const ended = record(after, operation, done, sampleContext(), AT);
    expect(ended.ok && ended.value.payment.phase).toBe("open");
  });
});
