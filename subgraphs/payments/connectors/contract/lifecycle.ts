import { describe, expect, it } from "vitest";
import { basisPoints } from "../../../kernel/money.ts";
import { stateOf } from "../../domain/payment.ts";
import { Story, type Told } from "./story.ts";
import type { ContractWorld } from "./world.ts";

/** What the capabilities promise, done; the provider's book has the last word. */
export function lifecycle(given: () => ContractWorld): void {
  describe("a payment", () => {
    it("is authorized and captured at once", async () => {
      const story = new Story(given(), { payment: { captureMethod: "automatic" } });
      expect((await story.authorize()).last).toMatchObject({ kind: "done", captured: true, amount: 10_000n });
      await story.agrees({ authorizations: 1, authorized: 10_000n, captured: 10_000n });
    });

    it("is authorized, then captured", async ({ skip }) => {
      if (!given().connector.capabilities.manualCapture) return skip("the provider captures at once");
      const story = await authorized(given());
      await story.agrees({ authorizations: 1, authorized: 10_000n, captured: 0n });
      done(await story.capture(10_000n), 10_000n);
      await story.agrees({ authorizations: 1, captured: 10_000n });
      expect(stateOf(story.payment)).toBe("captured");
    });

    it("is captured in part, for the last time", async ({ skip }) => {
      const { manualCapture, partialCapture } = given().connector.capabilities;
      if (!manualCapture || !partialCapture) return skip("not with this provider");
      const story = await authorized(given());
      done(await story.capture(6_100n), 6_100n);
      await story.agrees({ captured: 6_100n });
    });

    it("is captured several times", async ({ skip }) => {
      if (!given().connector.capabilities.multipleCaptures) return skip("not with this provider");
      const story = await authorized(given());
      done(await story.capture(3_000n, false), 3_000n);
      done(await story.capture(3_000n, false), 3_000n);
      done(await story.capture(2_500n, true), 2_500n);
      await story.agrees({ authorizations: 1, captured: 8_500n });
    });

    it("is captured over the authorization as far as the brand lets it", async ({ skip }) => {
      const brands = Object.entries(given().connector.capabilities.overCaptureBps);
      if (brands.length === 0) return skip("not with this provider");
      for (const [brand, bps] of brands) {
        const story = await authorized(given(), brand);
        const most = 10_000n + basisPoints(10_000n, bps);
        done(await story.capture(most), most);
        await story.agrees({ captured: most });
      }
    });

    it("is raised, then captured whole", async ({ skip }) => {
      const { increment } = given().connector.capabilities;
      if (increment.length === 0) return skip("not with this provider");
      for (const brand of increment) {
        const story = await authorized(given(), brand);
        done(await story.increment(2_000n), 2_000n);
        done(await story.increment(500n), 500n);
        await story.agrees({ authorizations: 1, authorized: 12_500n });
        done(await story.capture(12_500n), 12_500n);
        await story.agrees({ authorizations: 1, captured: 12_500n });
      }
    });

    it("is voided", async ({ skip }) => {
      if (!given().connector.capabilities.manualCapture) return skip("the provider captures at once");
      const story = await authorized(given());
      expect((await story.void()).last.kind).toBe("done");
      await story.agrees({ captured: 0n, released: 10_000n });
      expect(stateOf(story.payment)).toBe("voided");
    });

    it("is voided after a part was captured", async ({ skip }) => {
      if (!given().connector.capabilities.voidAfterPartialCapture) return skip("not with this provider");
      const story = await authorized(given());
      done(await story.capture(3_000n, false), 3_000n);
      expect((await story.void()).last.kind).toBe("done");
      await story.agrees({ captured: 3_000n, released: 7_000n });
    });

    it("is refunded", async () => {
      const story = await captured(given());
      done(await story.refund(10_000n), 10_000n);
      await story.agrees({ captured: 10_000n, refunded: 10_000n });
      expect(stateOf(story.payment)).toBe("refunded");
    });

    it("is refunded in parts", async ({ skip }) => {
      const { partialRefund, multipleRefunds } = given().connector.capabilities;
      if (!partialRefund) return skip("not with this provider");
      const story = await captured(given());
      done(await story.refund(2_500n), 2_500n);
      if (multipleRefunds) {
        // The same amount again is another refund, not the same one.
        done(await story.refund(2_500n), 2_500n);
        done(await story.refund(1n), 1n);
      }
      await story.agrees({ refunded: multipleRefunds ? 5_001n : 2_500n });
    });

    it("stores its card, and a later one needs no payer", async ({ skip }) => {
      if (!given().connector.capabilities.merchantInitiated) return skip("not with this provider");
      const reason = "unscheduled";
      const first = new Story(given(), {
        options: { stored: { initiator: "customer", reason, first: true, networkTransactionId: null } },
      });
      const { last } = await first.authorize();
      expect(last.kind).toBe("done");
      const networkTransactionId =
        (last.kind === "done" && last.details?.networkTransactionId) || "123456789012345";
      const later = new Story(given(), {
        options: {
          cvcAvailable: false,
          returnUrl: null,
          payer: { ip: null, country: null, email: null },
          stored: { initiator: "merchant", reason, first: false, networkTransactionId },
        },
      });
      expect((await later.authorize()).last.kind).toBe("done");
    });
  });

  describe("a decline", () => {
    it("is told as what it is, and nothing is held", async () => {
      for (const { card, code } of given().declines) {
        const story = new Story(given(), { card });
        const { first, last } = await story.authorize();
        expect(last, `${card.last4} ${code}`).toMatchObject({ kind: "declined", decline: { code } });
        // The issuer's word is there at once, unless the payer is asked first.
        if (first.kind !== "requires_action") expect(first.kind).toBe("declined");
        await story.agrees({ captured: 0n, held: 0n });
      }
    });
  });
}

export async function authorized(world: ContractWorld, brand?: string): Promise<Story> {
  const story = new Story(world, brand === undefined ? {} : { card: world.card("approved", brand) });
  expect((await story.authorize()).last).toMatchObject({ kind: "done", captured: false, amount: 10_000n });
  return story;
}

export async function captured(
  world: ContractWorld,
  character: "approved" | "refund_returned" = "approved",
): Promise<Story> {
  const story = new Story(world, { payment: { captureMethod: "automatic" }, card: world.card(character) });
  expect((await story.authorize()).last).toMatchObject({ kind: "done", captured: true });
  return story;
}

function done({ last }: Told, amount: bigint): void {
  expect(last).toMatchObject({ kind: "done", amount });
}
