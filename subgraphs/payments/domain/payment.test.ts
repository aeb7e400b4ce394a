import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../../kernel/ids.ts";
import { declineOf } from "./decline.ts";
import { apply, capturable, type Payment, type PaymentEvent, refundable, stateOf } from "./payment.ts";
import { AT, HOME, samplePayment } from "./samples.ts";

const authorized = (): PaymentEvent => ({
  type: "authorized",
  providerPayment: "pi_1",
  transfer: newId("trf", HOME, AT),
  expiresAt: null,
  overCapturable: 0n,
});
const decline = declineOf("generic_decline");

/** Applies the events in order; throws at the first that is refused. */
function after(...events: PaymentEvent[]): Payment {
  return events.reduce((payment, event) => {
    const next = apply(payment, event, AT);
    if (!next.ok) throw new Error(`${event.type}: ${next.error.code}`);
    return next.value;
  }, samplePayment());
}

const refused = (payment: Payment, event: PaymentEvent) => {
  const next = apply(payment, event, AT);
  return next.ok ? "allowed" : next.error.code;
};

describe("a payment's state", () => {
  const capture = (amount: bigint, final: boolean): PaymentEvent[] => [
    { type: "capture_claimed", amount, final },
    { type: "captured", amount, final, fee: 1n },
  ];
  const refund = (amount: bigint): PaymentEvent[] => [
    { type: "refund_claimed", amount },
    { type: "refunded", amount },
  ];

  it.each<[string, PaymentEvent[], string]>([
    ["is new", [], "processing"],
    ["is authorized", [authorized()], "authorized"],
    ["is sold", [{ type: "sold", providerPayment: "pi_1", fee: 3n }], "captured"],
    ["is declined", [{ type: "declined", decline, providerPayment: null }], "declined"],
    ["failed", [{ type: "failed", decline }], "failed"],
    ["is captured in part", [authorized(), ...capture(4_000n, false)], "partially_captured"],
    [
      "is captured in parts to the end",
      [authorized(), ...capture(4_000n, false), ...capture(6_000n, false)],
      "captured",
    ],
    ["is captured in part, finally", [authorized(), ...capture(4_000n, true)], "captured"],
    [
      "has a capture in flight",
      [authorized(), { type: "capture_claimed", amount: 1n, final: true }],
      "authorized",
    ],
    ["is voided", [authorized(), { type: "void_claimed" }, { type: "voided" }], "voided"],
    [
      "had its rest released",
      [authorized(), ...capture(4_000n, false), { type: "void_claimed" }, { type: "voided" }],
      "captured",
    ],
    ["is refunded in part", [authorized(), ...capture(4_000n, true), ...refund(1n)], "partially_refunded"],
    ["is refunded", [authorized(), ...capture(4_000n, true), ...refund(4_000n)], "refunded"],
    [
      "is refunded while more can be captured",
      [authorized(), ...capture(4_000n, false), ...refund(4_000n)],
      "partially_refunded",
    ],
  ])("when it %s", (_, events, state) => {
    expect(stateOf(after(...events))).toBe(state);
  });

  it("refuses what cannot happen next", () => {
    const open = after(authorized());
    const finalInFlight = after(authorized(), { type: "capture_claimed", amount: 1n, final: true });
    const partInFlight = after(authorized(), { type: "capture_claimed", amount: 1n, final: false });
    const sold = after({ type: "sold", providerPayment: "pi_1", fee: 0n });
    const declined = after({ type: "declined", decline, providerPayment: null });
    expect(refused(samplePayment(), { type: "capture_claimed", amount: 1n, final: true })).toBe(
      "ILLEGAL_STATE",
    );
    expect(refused(open, authorized())).toBe("ILLEGAL_STATE");
    expect(refused(open, { type: "capture_claimed", amount: 10_001n, final: true })).toBe(
      "AMOUNT_EXCEEDS_AVAILABLE",
    );
    expect(refused(open, { type: "capture_claimed", amount: 0n, final: true })).toBe(
      "AMOUNT_EXCEEDS_AVAILABLE",
    );
    expect(refused(open, { type: "refund_claimed", amount: 1n })).toBe("ILLEGAL_STATE");
    expect(refused(open, { type: "captured", amount: 1n, final: true, fee: 0n })).toBe("ILLEGAL_STATE");
    expect(refused(open, { type: "voided" })).toBe("ILLEGAL_STATE");
    expect(refused(finalInFlight, { type: "capture_claimed", amount: 1n, final: false })).toBe(
      "ILLEGAL_STATE",
    );
    expect(refused(finalInFlight, { type: "void_claimed" })).toBe("ILLEGAL_STATE");
    expect(refused(partInFlight, { type: "void_claimed" })).toBe("ILLEGAL_STATE");
    expect(refused(partInFlight, { type: "capture_claimed", amount: 1n, final: true })).toBe("ILLEGAL_STATE");
    expect(refused(sold, { type: "void_claimed" })).toBe("ILLEGAL_STATE");
    expect(refused(sold, { type: "capture_claimed", amount: 1n, final: true })).toBe("ILLEGAL_STATE");
    expect(refused(sold, { type: "refund_claimed", amount: 10_001n })).toBe("AMOUNT_EXCEEDS_AVAILABLE");
    expect(refused(declined, { type: "refund_claimed", amount: 1n })).toBe("ILLEGAL_STATE");
  });

  it("reserves what is in flight", () => {
    const capturing = after(authorized(), { type: "capture_claimed", amount: 7_000n, final: false });
    expect(capturable(capturing).minor).toBe(3_000n);
    expect(refused(capturing, { type: "capture_claimed", amount: 3_001n, final: false })).toBe(
      "AMOUNT_EXCEEDS_AVAILABLE",
    );
    const refunding = after(
      { type: "sold", providerPayment: "p", fee: 0n },
      { type: "refund_claimed", amount: 9_999n },
    );
    expect(refundable(refunding).minor).toBe(1n);
  });

  it("frees what failed", () => {
    const failed = after(
      authorized(),
      { type: "capture_claimed", amount: 7_000n, final: true },
      { type: "capture_failed", amount: 7_000n, final: true },
    );
    expect(capturable(failed).minor).toBe(10_000n);
    const voidFailed = after(authorized(), { type: "void_claimed" }, { type: "void_failed" });
    expect(capturable(voidFailed).minor).toBe(10_000n);
  });
});

const amounts = fc.bigInt(0n, 12_000n);
const anyEvent: fc.Arbitrary<PaymentEvent> = fc.oneof(
  fc.constant(authorized()),
  fc.record({
    type: fc.constant("sold" as const),
    providerPayment: fc.constant("pi_1"),
    fee: fc.constant(30n),
  }),
  fc.record({ type: fc.constant("capture_claimed" as const), amount: amounts, final: fc.boolean() }),
  fc.record({
    type: fc.constant("captured" as const),
    amount: amounts,
    final: fc.boolean(),
    fee: fc.constant(1n),
  }),
  fc.record({ type: fc.constant("capture_failed" as const), amount: amounts, final: fc.boolean() }),
  fc.constant({ type: "void_claimed" as const }),
  fc.constant({ type: "voided" as const }),
  fc.constant({ type: "void_failed" as const }),
  fc.record({ type: fc.constant("refund_claimed" as const), amount: amounts }),
  fc.record({ type: fc.constant("refunded" as const), amount: amounts }),
  fc.record({ type: fc.constant("refund_failed" as const), amount: amounts }),
);

/** Operations in flight, as a provider would see them: only what was claimed can end, once. */
type InFlight = { kind: "capture" | "void" | "refund"; amount: bigint; final: boolean };

describe("whatever happens to a payment", () => {
  it("keeps refunded <= captured <= authorized, and never claims more than there is", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let payment = samplePayment();
        const flying: InFlight[] = [];
        for (const event of [authorized(), ...events]) {
          if (!canEnd(event, flying)) continue;
          const next = apply(payment, event, AT);
          if (!next.ok) continue;
          follow(event, flying);
          expect(next.value.version).toBe(payment.version + 1);
          payment = next.value;
          const { authorized: a, captured, capturing, refunded, refunding } = payment;
          expect(capturing >= 0n && refunding >= 0n && refunded >= 0n).toBe(true);
          expect(captured + capturing <= a).toBe(true);
          expect(refunded + refunding <= captured).toBe(true);
          expect(capturable(payment).minor >= 0n && refundable(payment).minor >= 0n).toBe(true);
          expect(payment.capturing).toBe(sum(flying, "capture"));
          expect(payment.refunding).toBe(sum(flying, "refund"));
        }
      }),
      { numRuns: 500 },
    );
  });
});

const sum = (flying: InFlight[], kind: InFlight["kind"]) =>
  flying.filter((op) => op.kind === kind).reduce((total, { amount }) => total + amount, 0n);

const END_OF: Partial<Record<PaymentEvent["type"], InFlight["kind"]>> = {
  captured: "capture",
  capture_failed: "capture",
  voided: "void",
  void_failed: "void",
  refunded: "refund",
  refund_failed: "refund",
};

function matching(event: PaymentEvent, flying: InFlight[]): number {
  const kind = END_OF[event.type];
  return flying.findIndex(
    (op) =>
      op.kind === kind &&
      (!("amount" in event) || op.amount === event.amount) &&
      (!("final" in event) || op.final === event.final),
  );
}

const canEnd = (event: PaymentEvent, flying: InFlight[]) =>
  END_OF[event.type] === undefined || matching(event, flying) >= 0;

function follow(event: PaymentEvent, flying: InFlight[]): void {
  if (END_OF[event.type] !== undefined) flying.splice(matching(event, flying), 1);
  if (event.type === "capture_claimed")
    flying.push({ kind: "capture", amount: event.amount, final: event.final });
  if (event.type === "void_claimed") flying.push({ kind: "void", amount: 0n, final: false });
  if (event.type === "refund_claimed") flying.push({ kind: "refund", amount: event.amount, final: false });
}
