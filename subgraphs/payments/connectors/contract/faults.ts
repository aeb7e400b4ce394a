import { describe, expect, it } from "vitest";
import type { OperationKind } from "../../domain/operation.ts";
import { sampleOperation } from "../../domain/samples.ts";
import { authorized, captured } from "./lifecycle.ts";
import { Story, type Told } from "./story.ts";
import type { ContractWorld, FaultOrder } from "./world.ts";

const FAULTS: readonly (readonly [string, (world: ContractWorld) => FaultOrder])[] = [
  ["the answer is lost after the work", () => ({ kind: "lose_response" })],
  ["the work is done and 500 is said", () => ({ kind: "status_after", status: 500 })],
  ["the work is done and the answer cannot be read", () => ({ kind: "garbage", work: true })],
  ["nothing is done and the answer cannot be read", () => ({ kind: "garbage", work: false })],
  ["the connection is reset before the work", () => ({ kind: "reset" })],
  ["nothing is done and 503 is said", () => ({ kind: "status", status: 503 })],
  ["nothing is done and 409 is said", () => ({ kind: "status", status: 409 })],
  ["nothing is done and 429 is said", () => ({ kind: "status", status: 429 })],
  ["the provider hangs", () => ({ kind: "hang" })],
  ["the request lands late, after the connection broke", () => ({ kind: "land_late", afterMs: 150 })],
  [
    "the request lands late, after we gave up",
    ({ deadlineMs }) => ({ kind: "land_late", afterMs: deadlineMs + 150, hang: true }),
  ],
];

type Act = {
  readonly kind: OperationKind;
  /** Brings a payment to where the operation can be asked for; null where the provider has no such operation. */
  readonly before: (world: ContractWorld) => Promise<Story | null>;
  readonly act: (story: Story) => Promise<Told>;
  /** What the book shows if it happened, once, and if it did not. */
  readonly happened: object;
  readonly nothing: object;
};

const ACTS: readonly Act[] = [
  {
    kind: "authorize",
    before: async (world) => new Story(world),
    act: (story) => story.authorize(),
    happened: { authorizations: 1, authorized: 10_000n },
    nothing: { captured: 0n, held: 0n },
  },
  {
    kind: "capture",
    before: async (world) => (world.connector.capabilities.manualCapture ? authorized(world) : null),
    act: (story) => story.capture(10_000n),
    happened: { authorizations: 1, captured: 10_000n },
    nothing: { captured: 0n },
  },
  {
    kind: "increment",
    before: async (world) => {
      const [brand] = world.connector.capabilities.increment;
      return brand === undefined ? null : authorized(world, brand);
    },
    act: (story) => story.increment(2_000n),
    happened: { authorizations: 1, authorized: 12_000n },
    nothing: { authorizations: 1, authorized: 10_000n },
  },
  {
    kind: "void",
    before: async (world) => (world.connector.capabilities.manualCapture ? authorized(world) : null),
    act: (story) => story.void(),
    happened: { captured: 0n, released: 10_000n },
    nothing: { captured: 0n, released: 0n },
  },
  {
    kind: "refund",
    before: (world) => captured(world),
    act: (story) => story.refund(4_000n),
    happened: { captured: 10_000n, refunded: 4_000n },
    nothing: { captured: 10_000n, refunded: 0n },
  },
];

/** How long a late request may still be on its way when its outcome is known already, in ms. */
const settleMs = (world: ContractWorld): number => world.deadlineMs + 250;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The answer gets lost, in every way there is. What happened then is found out, and it happened once. */
export function faults(given: () => ContractWorld): void {
  for (const { kind, before, act, happened, nothing } of ACTS) {
    describe(`if, during ${kind}`, () => {
      it.for(FAULTS)(
        "%s, it is unknown at first, and then what the book says",
        async ([, order], { skip }) => {
          const world = given();
          const story = await before(world);
          if (story === null) return skip("not with this provider");
          await world.fault(order(world));
          const { first, last } = await act(story);
          expect(first.kind).toBe("unknown");
          expect(["done", "failed"]).toContain(last.kind);
          if (order(world).kind === "land_late") await pause(settleMs(world));
          await story.agrees(last.kind === "done" ? happened : nothing);
        },
      );
    });
  }

  describe.each(["manual", "automatic"] as const)(
    "an authorization (%s capture) that nobody can tell of",
    (captureMethod) => {
      it.for(FAULTS)("is undone where there are reversals: %s", async ([, order], { skip }) => {
        const world = given();
        const { connector, send } = world;
        if (connector.resolver.reverse === null) return skip("there are no reversals");
        if (captureMethod === "manual" && !connector.capabilities.manualCapture)
          return skip("not with this provider");
        const story = new Story(world, { way: "reverse", payment: { captureMethod } });
        await world.fault(order(world));
        const { operation, last } = await story.authorize();
        expect(last.kind).toBe("undone");
        await pause(order(world).kind === "land_late" ? settleMs(world) : 0);
        await story.agrees({ net: 0n, held: 0n });
        // Nor does it come to life by a replay, or is it found alive.
        const { request, reference } = operation;
        if (request === null) throw new Error("no request");
        const again = connector.answer(operation, story.payment, await send(request, reference), false);
        expect(["failed", "declined", "unknown"]).toContain(again.kind);
        const lookup = connector.lookup(operation, story.payment);
        if (lookup !== null) {
          const seen = connector.found(operation, story.payment, await send(lookup, reference));
          expect(["failed", "declined", "unknown", "absent"]).toContain(seen.kind);
        }
        await story.agrees({ net: 0n, held: 0n });
      });
    },
  );

  describe.each(["replay", "look"] as const)(
    "what was done and not heard of is found by a %s alone",
    (way) => {
      it.for(ACTS)("for $kind", async ({ kind, before, act, happened }, { skip }) => {
        const world = given();
        const { connector } = world;
        const story = await before(world);
        if (story === null) return skip("not with this provider");
        const can =
          way === "replay"
            ? connector.resolver.idempotencyWindowMs > 0
            : connector.lookup(sampleOperation(story.payment, { kind }), story.payment) !== null;
        if (!can) return skip("not this provider's way");
        story.way = way;
        await world.fault({ kind: "lose_response" });
        const { first, last } = await act(story);
        expect(first.kind).toBe("unknown");
        expect(last.kind).toBe("done");
        await story.agrees(happened);
      });
    },
  );

  describe("a request that comes twice", () => {
    it.for(ACTS)("acts once: $kind", async ({ before, act, happened }, { skip }) => {
      const world = given();
      const { connector, send } = world;
      const story = await before(world);
      if (story === null || connector.resolver.idempotencyWindowMs === 0)
        return skip("not with this provider");
      const asked = story.payment;
      const { operation, last } = await act(story);
      expect(last.kind).toBe("done");
      const { request, reference } = operation;
      if (request === null) throw new Error("no request");
      const again = await Promise.all([send(request, reference), send(request, reference)]);
      for (const response of again) {
        const { kind } = connector.answer(operation, asked, response, false);
        expect(["done", "accepted", "requires_action", "unknown"]).toContain(kind);
      }
      await story.agrees(happened);
    });

    it.for(ACTS)("at the same time acts once: $kind", async ({ before, act, happened }, { skip }) => {
      const world = given();
      const story = await before(world);
      if (story === null || world.connector.resolver.idempotencyWindowMs === 0)
        return skip("not with this provider");
      story.sendTwice = true;
      expect((await act(story)).last.kind).toBe("done");
      await story.agrees(happened);
    });
  });
}
