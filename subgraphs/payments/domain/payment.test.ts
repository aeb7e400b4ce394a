import { describe, expect, it } from "vitest";
import { newId } from "../../kernel/ids.ts";
import { declineOf } from "./decline.ts";
import {
  apply,
  capturable,
  capturableAtMost,
  openHolds,
  type Payment,
  type PaymentEvent,
  refundable,
  stateOf,
} from "./payment.ts";
import { AT, HOME, samplePayment } from "./samples.ts";

const authorized = (overCapturable = 0n): PaymentEvent => ({
  type: "authorized",
  providerPayment: "pi_1",
  transfer: newId("trf", HOME, AT),
  expiresAt: null,
  overCapturable,
});
const increment = (amount: bigint, overCapturable = 0n): PaymentEvent[] => [
  { type: "increment_claimed", amount },
  { type: "incremented", amount, transfer: newId("trf", HOME, AT), overCapturable },
];
const capturing = (amount: bigint, final: boolean, over = false): PaymentEvent => ({
  type: "capture_claimed",
  amount,
  final,
  over,
});
const waiting: PaymentEvent = {
  type: "action_required",
  action: { type: "redirect", url: "https://bank.example" },
  providerPayment: "pi_1",
};
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

describe("an attempt", () => {
  it("that waits for the payer ends as any other, and nothing else may happen meanwhile", () => {
    const payment = after(waiting);
    expect([stateOf(payment), payment.providerPayment]).toEqual(["requires_action", "pi_1"]);
    for (const type of ["void_claimed", "voided", "void_failed"] as const)
      expect(refused(payment, { type })).toBe("ILLEGAL_STATE");
    expect(refused(payment, capturing(1n, true))).toBe("ILLEGAL_STATE");
    expect(refused(payment, { type: "increment_claimed", amount: 1n })).toBe("ILLEGAL_STATE");
    expect(stateOf(after(waiting, authorized()))).toBe("authorized");
    expect(after(waiting, authorized()).action).toBeNull();
    expect(stateOf(after(waiting, { type: "authenticated", authentication: null }))).toBe("processing");
  });

  it("that failed and was passed on is another provider's now, and the first one's id is gone", () => {
    const payment = after(waiting, { type: "attempt_passed_on", provider: "adyen" });
    const { attempt, provider, providerPayment, action } = payment;
    expect([stateOf(payment), attempt, provider, providerPayment, action]).toEqual([
      "processing",
      1,
      "adyen",
      null,
      null,
    ]);
  });

  it("is begun by nobody once the payment has ended", () => {
    for (const end of [authorized(), { type: "failed", decline } as const])
      expect(refused(after(end), { type: "attempt_passed_on", provider: "adyen" })).toBe("ILLEGAL_STATE");
  });
});

describe("an increment", () => {
  it("adds a hold beside the first, and can be captured", () => {
    const payment = after(authorized(), ...increment(2_000n), ...increment(500n));
    expect([payment.amount.minor, payment.authorized, capturable(payment).minor]).toEqual([
      10_000n,
      12_500n,
      12_500n,
    ]);
    expect(payment.holds.map(({ amount }) => amount)).toEqual([10_000n, 2_000n, 500n]);
  });

  it("is not authorized before it is done, and leaves nothing if it fails", () => {
    const payment = after(authorized(), { type: "increment_claimed", amount: 2_000n });
    expect(capturable(payment).minor).toBe(10_000n);
    expect(refused(payment, capturing(10_001n, false))).toBe("AMOUNT_EXCEEDS_AVAILABLE");
    const failed = apply(payment, { type: "increment_failed", amount: 2_000n }, AT);
    expect(failed.ok && [failed.value.authorized, failed.value.incrementing]).toEqual([10_000n, 0n]);
  });

  it("is alone: providers are told the new total, so two at once would lose one", () => {
    const payment = after(authorized(), { type: "increment_claimed", amount: 2_000n });
    expect(refused(payment, { type: "increment_claimed", amount: 1n })).toBe("ILLEGAL_STATE");
  });

  it("keeps what would end the authorization waiting, and waits for it", () => {
    const payment = after(authorized(), { type: "increment_claimed", amount: 2_000n });
    expect(refused(payment, { type: "void_claimed" })).toBe("ILLEGAL_STATE");
    expect(refused(payment, capturing(1n, true))).toBe("ILLEGAL_STATE");
    expect(refused(payment, capturing(1n, false))).toBe("allowed");
    const more: PaymentEvent = { type: "increment_claimed", amount: 1n };
    expect(refused(after(authorized(), { type: "void_claimed" }), more)).toBe("ILLEGAL_STATE");
    expect(refused(after(authorized(), capturing(1n, true)), more)).toBe("ILLEGAL_STATE");
    expect(refused(after({ type: "sold", providerPayment: "pi_1", fee: 0n }), more)).toBe("ILLEGAL_STATE");
  });

  it("stays within what the API can say", () => {
    const open = after(authorized());
    const room = 2n ** 53n - 1n - 10_000n;
    expect(refused(open, { type: "increment_claimed", amount: room })).toBe("allowed");
    expect(refused(open, { type: "increment_claimed", amount: room + 1n })).toBe("AMOUNT_EXCEEDS_AVAILABLE");
    expect(refused(open, { type: "increment_claimed", amount: 0n })).toBe("AMOUNT_EXCEEDS_AVAILABLE");
  });
});

describe("a capture above the authorization", () => {
  const open = () => after(authorized(1_500n));

  it("is for the last one, if it was allowed, and within the tolerance", () => {
    expect(capturableAtMost(open()).minor).toBe(11_500n);
    expect(refused(open(), capturing(11_500n, true, true))).toBe("allowed");
    expect(refused(open(), capturing(11_501n, true, true))).toBe("AMOUNT_EXCEEDS_AVAILABLE");
    expect(refused(open(), capturing(10_001n, false, true))).toBe("AMOUNT_EXCEEDS_AVAILABLE");
    expect(refused(open(), capturing(10_001n, true))).toBe("AMOUNT_EXCEEDS_AVAILABLE");
  });

  it("may come after others, and after an increment has raised the tolerance", () => {
    const part = after(authorized(1_500n), capturing(4_000n, false), {
      type: "captured",
      amount: 4_000n,
      final: false,
      fee: 0n,
    });
    expect(refused(part, capturing(7_500n, true, true))).toBe("allowed");
    expect(refused(part, capturing(7_501n, true, true))).toBe("AMOUNT_EXCEEDS_AVAILABLE");
    expect(capturableAtMost(after(authorized(1_500n), ...increment(2_000n, 1_800n))).minor).toBe(13_800n);
  });

  it("captures all, and holds nothing afterwards", () => {
    const over = capturing(11_500n, true, true);
    const done: PaymentEvent = { type: "captured", amount: 11_500n, final: true, fee: 0n };
    const payment = after(authorized(1_500n), over, done);
    expect([stateOf(payment), payment.captured, openHolds(payment)]).toEqual(["captured", 11_500n, []]);
    expect(refundable(payment).minor).toBe(11_500n);
    expect(capturableAtMost(payment).minor).toBe(0n);
  });
});

it("a refund that came back can be made again, and no more comes back than was sent", () => {
  const sold: PaymentEvent = { type: "sold", providerPayment: "pi_1", fee: 0n };
  const refund: PaymentEvent[] = [
    { type: "refund_claimed", amount: 4_000n },
    { type: "refunded", amount: 4_000n },
  ];
  const refunded = after(sold, ...refund);
  expect(refused(refunded, { type: "refund_reversed", amount: 4_001n })).toBe("ILLEGAL_STATE");
  const back = after(sold, ...refund, { type: "refund_reversed", amount: 4_000n });
  expect([stateOf(back), back.refunded, refundable(back).minor]).toEqual(["captured", 0n, 10_000n]);
});
