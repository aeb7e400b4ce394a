import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId, type TransferId, transferId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { Commit } from "../../ledger/commit.ts";
import { claimFollowUp, type FollowUp } from "./claims.ts";
import { declineOf } from "./decline.ts";
import type { Operation } from "./operation.ts";
import { capturable, capturableAtMost, type Payment, refundable } from "./payment.ts";
import { believable, type DefiniteAnswer, record, recordReversal } from "./records.ts";
import { AT, HOME, SAMPLE_REQUEST, sampleContext, sampleOperation, samplePayment } from "./samples.ts";

const context = sampleContext({ overCaptureBps: 1_500 });
const done = (amount: bigint, captured = false): DefiniteAnswer => ({
  kind: "done",
  providerPayment: "pi_1",
  captured,
  amount,
  expiresAt: null,
});
const failed: DefiniteAnswer = { kind: "failed", decline: declineOf("provider_refused") };

/** A plain ledger beside the real one: balances by account, and what is left of pending transfers. */
class Books {
  readonly posted = new Map<string, bigint>();
  readonly pending = new Map<TransferId, { debit: string; credit: string; left: bigint }>();

  apply({ id, journal }: Commit): void {
    for (const [index, transfer] of (journal?.transfers ?? []).entries()) {
      const { minor } = transfer.amount;
      invariant(minor > 0n, "a transfer moves something");
      if ("pending" in transfer) {
        const held = this.pending.get(transfer.pending);
        invariant(held !== undefined && held.left >= minor, "a part is resolved once");
        held.left -= minor;
        if (transfer.kind === "post") this.move(held.debit, held.credit, minor);
      } else if (transfer.kind === "pending") {
        const [debit, credit] = [transfer.debit.code, transfer.credit.code];
        this.pending.set(transferId(id, index + 1), { debit, credit, left: minor });
      } else {
        this.move(transfer.debit.code, transfer.credit.code, minor);
      }
    }
  }

  private move(debit: string, credit: string, minor: bigint): void {
    this.posted.set(debit, (this.posted.get(debit) ?? 0n) + minor);
    this.posted.set(credit, (this.posted.get(credit) ?? 0n) - minor);
  }

  balance = (code: string): bigint => this.posted.get(code) ?? 0n;
  get held(): bigint {
    return [...this.pending.values()].reduce((sum, { left }) => sum + left, 0n);
  }
}

function settle(payment: Payment, operation: Operation, answer: DefiniteAnswer, books: Books): Payment {
  const recorded = record(payment, operation, answer, context, AT);
  invariant(recorded.ok, "a claimed operation can be recorded");
  books.apply(recorded.value.commit);
  return recorded.value.payment;
}

describe("recording an authorization", () => {
  it("holds the amount until it is captured", () => {
    const books = new Books();
    const payment = samplePayment();
    const open = settle(payment, sampleOperation(payment), done(10_000n), books);
    expect(books.held).toBe(10_000n);
    expect(books.posted.size).toBe(0);
    expect(open.holds).toHaveLength(1);
  });

  it("posts a sale with its fee at once", () => {
    const books = new Books();
    const payment = samplePayment();
    settle(payment, sampleOperation(payment), done(10_000n, true), books);
    expect(Object.fromEntries(books.posted)).toEqual({
      provider_receivable: 10_000n,
      merchant_payable: -9_680n,
      fee_revenue: -320n,
    });
  });

  it("posts nothing for a decline and says so", () => {
    const payment = samplePayment();
    const decline = declineOf("insufficient_funds");
    const recorded = record(
      payment,
      sampleOperation(payment),
      { kind: "declined", decline, providerPayment: "pi_1" },
      context,
      AT,
    );
    invariant(recorded.ok, "recorded");
    expect(recorded.value.commit.journal).toBeUndefined();
    expect(recorded.value.commit.events).toMatchObject([
      { type: "payment.declined.v1", body: { amount: 10_000, code: "insufficient_funds" } },
    ]);
    expect(recorded.value.operation).toMatchObject({ state: "declined", failure: decline });
  });
});

describe("any course of operations", () => {
  const step = fc.record({
    kind: fc.constantFrom<FollowUp["kind"] | "reverse">(
      "capture",
      "capture",
      "increment",
      "refund",
      "refund",
      "void",
      "expire",
      "reverse",
    ),
    share: fc.integer({ min: 1, max: 100 }),
    final: fc.boolean(),
    over: fc.boolean(),
    succeeds: fc.boolean(),
    /** It stays in flight while the next ones are claimed. */
    takesLong: fc.boolean(),
  });
  type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

  it("keeps books and payment equal to the cent", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 5_000_000n), fc.array(step, { maxLength: 20 }), (amount, steps) => {
        const books = new Books();
        let payment = samplePayment({}, amount);
        payment = settle(payment, sampleOperation(payment), done(amount), books);
        let flying: { operation: Operation; succeeds: boolean }[] = [];
        const refunds: Operation[] = [];
        const land = (landing: typeof flying) => {
          for (const { operation, succeeds } of landing) {
            payment = settle(payment, operation, succeeds ? done(operation.amount) : failed, books);
            if (operation.kind === "refund" && succeeds) refunds.push({ ...operation, state: "succeeded" });
            expectAgreement(payment, books);
          }
        };
        for (const { takesLong, succeeds, ...wanted } of steps) {
          if (wanted.kind === "reverse") payment = reverse(payment, refunds.shift(), books);
          else {
            const claimed = claim(payment, wanted.kind, wanted);
            if (claimed === null) continue;
            books.apply(claimed.commit);
            payment = claimed.payment;
            flying.push({ operation: claimed.operation, succeeds });
            if (takesLong) continue;
          }
          // What was claimed last may well land first.
          land(flying.toReversed());
          flying = [];
        }
        land(flying);
      }),
      { numRuns: 500 },
    );
  });

  function claim(
    payment: Payment,
    kind: FollowUp["kind"],
    { share, final, over }: Pick<Step, "share" | "final" | "over">,
  ) {
    const last = kind === "capture" && final;
    const available = {
      capture: (last && over ? capturableAtMost(payment) : capturable(payment)).minor,
      refund: refundable(payment).minor,
      increment: payment.amount.minor,
    };
    const amount =
      kind === "void" || kind === "expire"
        ? payment.authorized - payment.captured
        : (available[kind] * BigInt(share) + 99n) / 100n;
    const claimed = claimFollowUp(
      payment,
      { kind, amount, final: last, over },
      { key: "k", fingerprint: "00" },
      { id: newId("op", HOME, AT), reference: "ref", request: SAMPLE_REQUEST },
      AT,
      AT,
    );
    return claimed.ok ? claimed.value : null;
  }

  function reverse(payment: Payment, refund: Operation | undefined, books: Books): Payment {
    if (refund === undefined) return payment;
    const recorded = recordReversal(payment, refund, declineOf("refund_returned"), AT);
    invariant(recorded.ok, "a refund that succeeded can come back");
    books.apply(recorded.value.commit);
    expectAgreement(recorded.value.payment, books);
    return recorded.value.payment;
  }

  function expectAgreement(payment: Payment, books: Books): void {
    const { authorized, captured, refunded, refunding, fee, finalized, phase } = payment;
    expect(books.balance("provider_receivable")).toBe(captured - refunded);
    expect(books.balance("merchant_payable")).toBe(-(captured - refunded - fee));
    expect(books.balance("fee_revenue")).toBe(-fee);
    const open = phase === "open" && !finalized && captured < authorized ? authorized - captured : 0n;
    expect(books.held).toBe(open + refunding);
    expect([...books.posted.values()].reduce((sum, value) => sum + value, 0n)).toBe(0n);
  }
});

it("an answer that moved another amount than was asked is for a person", () => {
  const operation = sampleOperation(samplePayment());
  expect(believable(done(9_999n), operation).kind).toBe("unknown");
  expect(believable(done(10_000n), operation).kind).toBe("done");
  expect(believable(failed, operation)).toBe(failed);
});
