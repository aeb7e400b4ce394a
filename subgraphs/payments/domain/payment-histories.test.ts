import fc from "fast-check";
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

/**
 * Random histories of everything that can happen to a payment. The test keeps its own count of what is in flight and what
 * was done, from the events alone, and holds every payment against it.
 */
type Kind = "capture" | "increment" | "void" | "refund";
/** Operations in flight, as a provider would see them: only what was claimed can end, once. */
type InFlight = {
  readonly kind: Kind;
  readonly amount: bigint;
  readonly final: boolean;
  readonly over: boolean;
};

type Attempt = "authorized" | "sold" | "declined" | "failed" | "waits" | "authenticated" | "passed_on";
const ATTEMPTS: readonly Attempt[] = [
  "authorized",
  "authorized",
  "sold",
  "declined",
  "failed",
  "waits",
  "authenticated",
  "passed_on",
];

const attempt = fc.record({ do: fc.constant("attempt" as const), as: fc.constantFrom(...ATTEMPTS) });
const step = fc.oneof(
  { weight: 1, arbitrary: attempt },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      kind: fc.constantFrom<Kind>("capture", "capture", "increment", "void", "refund", "refund"),
      // Percent of what there is; what is beyond must be refused.
      share: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constant(100)),
      final: fc.boolean(),
      over: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      which: fc.nat(10),
      succeeds: fc.boolean(),
      expires: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("reverse" as const), share: fc.integer({ min: 1, max: 130 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Some attempts, one that may come to something, and what follows. */
const history = fc
  .tuple(
    fc.array(attempt, { maxLength: 3 }),
    fc.constantFrom<Attempt>("authorized", "authorized", "authorized", "sold", "declined"),
    fc.array(step, { maxLength: 60 }),
  )
  .map(([before, as, steps]): Step[] => [...before, { do: "attempt", as }, ...steps]);

/** What the events alone say. */
class Tally {
  flying: InFlight[] = [];
  authorized = 0n;
  captured = 0n;
  refunded = 0n;
  attempts = 0;
  provider = "stripe";
  /** Authorizations that were granted: one at most. */
  granted = 0;
  tolerance = 0n;
  beyond = false;

  inFlight(kind: Kind): bigint {
    return this.flying.filter((one) => one.kind === kind).reduce((sum, { amount }) => sum + amount, 0n);
  }
}

const decline = declineOf("generic_decline");
const TOLERANCE_BPS = 1_500n;
const toleranceOf = (minor: bigint): bigint => (minor * TOLERANCE_BPS) / 10_000n;
const shareOf = (minor: bigint, share: number): bigint => (minor * BigInt(share)) / 100n;

function attemptEvent(as: Attempt, payment: Payment): PaymentEvent {
  switch (as) {
    case "authorized": {
      const overCapturable = toleranceOf(payment.amount.minor);
      const transfer = newId("trf", HOME, AT);
      return { type: "authorized", providerPayment: "pi", transfer, expiresAt: null, overCapturable };
    }
    case "sold":
      return { type: "sold", providerPayment: "pi", fee: 0n };
    case "declined":
      return { type: "declined", decline, providerPayment: null };
    case "failed":
      return { type: "failed", decline };
    case "waits":
      return {
        type: "action_required",
        action: { type: "redirect", url: "https://bank.example" },
        providerPayment: null,
      };
    case "authenticated":
      return { type: "authenticated", authentication: null };
    case "passed_on":
      return { type: "attempt_passed_on", provider: `other-${payment.attempt}` };
  }
}

function claimEvent(
  { kind, share, final, over }: Extract<Step, { do: "claim" }>,
  payment: Payment,
): PaymentEvent {
  switch (kind) {
    case "capture": {
      const most = final && over ? capturableAtMost(payment) : capturable(payment);
      return { type: "capture_claimed", amount: shareOf(most.minor, share), final, over };
    }
    case "increment":
      return { type: "increment_claimed", amount: shareOf(5_000n, share) };
    case "void":
      return { type: "void_claimed" };
    case "refund":
      return { type: "refund_claimed", amount: shareOf(refundable(payment).minor, share) };
  }
}

function endEvent(
  { kind, amount, final }: InFlight,
  { succeeds, expires }: Extract<Step, { do: "settle" }>,
  tally: Tally,
): PaymentEvent {
  switch (kind) {
    case "capture":
      return succeeds
        ? { type: "captured", amount, final, fee: 1n }
        : { type: "capture_failed", amount, final };
    case "increment": {
      if (!succeeds) return { type: "increment_failed", amount };
      const overCapturable = toleranceOf(tally.authorized + amount);
      return { type: "incremented", amount, transfer: newId("trf", HOME, AT), overCapturable };
    }
    case "void":
      return { type: succeeds ? (expires ? "expired" : "voided") : "void_failed" };
    case "refund":
      return succeeds ? { type: "refunded", amount } : { type: "refund_failed", amount };
  }
}

/** The event of a step, and the operation that it ends; null if there is nothing to do. */
function eventOf(
  given: Step,
  payment: Payment,
  tally: Tally,
): { readonly event: PaymentEvent; readonly ends: InFlight | null } | null {
  switch (given.do) {
    case "attempt":
      return { event: attemptEvent(given.as, payment), ends: null };
    case "claim":
      return { event: claimEvent(given, payment), ends: null };
    case "reverse":
      return {
        event: { type: "refund_reversed", amount: shareOf(payment.refunded, given.share) + 1n },
        ends: null,
      };
    case "settle": {
      const ends = tally.flying[given.which % Math.max(tally.flying.length, 1)];
      return ends === undefined ? null : { event: endEvent(ends, given, tally), ends };
    }
  }
}

function count(tally: Tally, event: PaymentEvent, ends: InFlight | null, amount: bigint): void {
  if (ends !== null) tally.flying = tally.flying.filter((one) => one !== ends);
  switch (event.type) {
    case "authorized":
    case "sold":
      tally.granted++;
      tally.authorized = amount;
      if (event.type === "sold") tally.captured = amount;
      else tally.tolerance = event.overCapturable;
      break;
    case "attempt_passed_on":
      tally.attempts++;
      tally.provider = event.provider;
      break;
    case "capture_claimed":
      tally.flying.push({
        kind: "capture",
        amount: event.amount,
        final: event.final,
        over: event.over === true,
      });
      break;
    case "increment_claimed":
      tally.flying.push({ kind: "increment", amount: event.amount, final: false, over: false });
      break;
    case "void_claimed":
      tally.flying.push({ kind: "void", amount: 0n, final: true, over: false });
      break;
    case "refund_claimed":
      tally.flying.push({ kind: "refund", amount: event.amount, final: false, over: false });
      break;
    case "captured":
      tally.captured += event.amount;
      tally.beyond ||= tally.captured > tally.authorized;
      break;
    case "incremented":
      tally.authorized += event.amount;
      tally.tolerance = event.overCapturable;
      break;
    case "refunded":
      tally.refunded += event.amount;
      break;
    case "refund_reversed":
      tally.refunded -= event.amount;
      break;
  }
}

const TERMINAL = new Set(["declined", "failed", "voided", "expired"]);

function expectSound(payment: Payment, tally: Tally): void {
  const { authorized, captured, capturing, incrementing, refunded, refunding } = payment;
  expect([authorized, captured, refunded]).toEqual([tally.authorized, tally.captured, tally.refunded]);
  expect([capturing, incrementing, refunding]).toEqual([
    tally.inFlight("capture"),
    tally.inFlight("increment"),
    tally.inFlight("refund"),
  ]);
  expect([payment.attempt, payment.provider]).toEqual([tally.attempts, tally.provider]);
  expect(tally.granted).toBeLessThanOrEqual(1);
  expect(captured + capturing <= authorized + tally.tolerance).toBe(true);
  const over = tally.flying.some((one) => one.over && one.final) || tally.beyond;
  if (!over) expect(captured + capturing <= authorized).toBe(true);
  expect(refunded >= 0n && refunded + refunding <= captured).toBe(true);
  expectAlone(tally);
  const left = payment.holds.length === 0 ? 0n : authorized > captured ? authorized - captured : 0n;
  expect(openHolds(payment).reduce((sum, hold) => sum + hold.left, 0n)).toBe(left);
  expect(payment.closing).toBe(tally.flying.some(({ final }) => final));
}

/** What ends the authorization is in flight alone, and so is an increment, beside captures that leave it open. */
function expectAlone({ flying }: Tally): void {
  const onAuthorization = flying.filter(({ kind }) => kind !== "refund");
  if (onAuthorization.some(({ final }) => final)) expect(onAuthorization).toHaveLength(1);
  expect(flying.filter(({ kind }) => kind === "increment").length).toBeLessThanOrEqual(1);
}

describe("whatever happens to a payment", () => {
  it("it is never more captured than authorized and tolerated, nor refunded than captured, and what has ended stays so", () => {
    fc.assert(
      fc.property(history, (steps) => {
        let payment = samplePayment();
        const tally = new Tally();
        for (const given of steps) {
          const told = eventOf(given, payment, tally);
          if (told === null) continue;
          const next = apply(payment, told.event, AT);
          // What is in flight can always end.
          if (!next.ok && told.ends !== null)
            throw new Error(`${told.event.type}: ${JSON.stringify(next.error)}`);
          if (!next.ok) continue;
          expect(TERMINAL.has(stateOf(payment)), `${stateOf(payment)} is left by ${told.event.type}`).toBe(
            false,
          );
          if (payment.finalized) expect(["refund", "refun"]).toContain(told.event.type.slice(0, 6));
          expect(next.value.version).toBe(payment.version + 1);
          count(tally, told.event, told.ends, payment.amount.minor);
          payment = next.value;
          expectSound(payment, tally);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
