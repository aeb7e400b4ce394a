import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId, type TransferId, transferId } from "../../kernel/ids.ts";
import { invariant } from "../../kernel/result.ts";
import type { Commit } from "../../ledger/commit.ts";
import { claimFollowUp, type FollowUp } from "./claims.ts";
import { declineOf } from "./decline.ts";
import { feeForCapture } from "./fees.ts";
import type { Operation } from "./operation.ts";
import { capturable, type Payment, refundable } from "./payment.ts";
import { believable, type DefiniteAnswer, record } from "./records.ts";
import { AT, HOME, SAMPLE_REQUEST, sampleContext, sampleOperation, samplePayment } from "./samples.ts";

const prices = { default: { bps: 290, fixed: 30n } };
const context = sampleContext();
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

describe("any course of captures, voids and refunds", () => {
  const step = fc.record({
    kind: fc.constantFrom<FollowUp["kind"]>("capture", "capture", "refund", "refund", "void"),
    share: fc.integer({ min: 1, max: 100 }),
    final: fc.boolean(),
    succeeds: fc.boolean(),
  });

  it("keeps books and payment equal to the cent", () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 5_000_000n), fc.array(step, { maxLength: 15 }), (amount, steps) => {
        const books = new Books();
        let payment = samplePayment({}, amount);
        payment = settle(payment, sampleOperation(payment), done(amount), books);
        for (const { kind, share, final, succeeds } of steps) {
          const available = kind === "capture" ? capturable(payment).minor : refundable(payment).minor;
          const part =
            kind === "void"
              ? payment.authorized - payment.captured
              : (available * BigInt(share) + 99n) / 100n;
          const claimed = claimFollowUp(
            payment,
            { kind, amount: part, final: kind === "capture" && final },
            { key: "k", fingerprint: "00" },
            { id: newId("op", HOME, AT), reference: "ref", request: SAMPLE_REQUEST },
            AT,
            AT,
          );
          if (!claimed.ok) continue;
          books.apply(claimed.value.commit);
          payment = settle(
            claimed.value.payment,
            claimed.value.operation,
            succeeds ? done(part) : failed,
            books,
          );
          expectAgreement(payment, books);
        }
      }),
      { numRuns: 300 },
    );
  });

  function expectAgreement(payment: Payment, books: Books): void {
    const { authorized, captured, refunded, fee, finalized, phase } = payment;
    expect(books.balance("provider_receivable")).toBe(captured - refunded);
    expect(books.balance("merchant_payable")).toBe(-(captured - refunded - fee));
    expect(books.balance("fee_revenue")).toBe(-fee);
    expect(books.held).toBe(finalized || phase === "voided" ? 0n : authorized - captured);
    expect([...books.posted.values()].reduce((sum, value) => sum + value, 0n)).toBe(0n);
  }
});

describe("the fee", () => {
  it("adds up over parts to what one capture costs, and never exceeds what is captured", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(1n, 100_000n), { minLength: 1, maxLength: 20 }), (parts) => {
        const total = parts.reduce((sum, part) => sum + part, 0n);
        let [before, fee] = [0n, 0n];
        for (const amount of parts) {
          const added = feeForCapture(prices, "EUR", { before, amount, feeBefore: fee });
          expect(added >= 0n && added <= amount).toBe(true);
          before += amount;
          fee += added;
        }
        const whole = feeForCapture(prices, "EUR", { before: 0n, amount: total, feeBefore: 0n });
        // A first part smaller than the fixed fee pays what it can; later parts make up for it if they can.
        expect(fee <= whole).toBe(true);
        if (parts.every((part) => part > 1_000n)) expect(fee).toBe(whole);
      }),
    );
  });

  it("takes the currency's own price", () => {
    const list = { default: { bps: 100, fixed: 0n }, USD: { bps: 290, fixed: 30n } };
    expect(feeForCapture(list, "USD", { before: 0n, amount: 10_000n, feeBefore: 0n })).toBe(320n);
    expect(feeForCapture(list, "JPY", { before: 0n, amount: 10_000n, feeBefore: 0n })).toBe(100n);
  });
});

it("an answer that moved another amount than was asked is for a person", () => {
  const operation = sampleOperation(samplePayment());
  expect(believable(done(9_999n), operation).kind).toBe("unknown");
  expect(believable(done(10_000n), operation).kind).toBe("done");
  expect(believable(failed, operation)).toBe(failed);
});
