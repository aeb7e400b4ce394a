import { describe, expect, it } from "vitest";
import type { Operation } from "../../domain/operation.ts";
import type { WebhookItem, Webhooks } from "../connector.ts";
import { allNews, isAbout } from "./conclude.ts";
import { captured } from "./lifecycle.ts";
import { newReference, Story, type Told } from "./story.ts";
import type { ContractWorld, WebhookDelivery, WebhookWorld } from "./world.ts";

const PATIENCE_MS = 4_000;

/** Webhooks: believed only as signed, the same when told again, and about nothing but what they are about. */
export function news(given: () => ContractWorld): void {
  describe("a webhook", () => {
    it("that is genuine is read, also while secrets are rotated", async ({ skip }) => {
      const told = await someNews(given());
      if (told === null) return skip("the provider tells nothing by webhook");
      const { read, webhooks, delivery } = told;
      expect(read(delivery, webhooks.secrets).ok).toBe(true);
      expect(read(delivery, ["another-secret-that-is-old", ...webhooks.secrets]).ok).toBe(true);
      expect(given().connector.webhooks?.received.status).toBeLessThan(300);
    });

    it("that is forged, cut off or has no signature is refused", async ({ skip }) => {
      const told = await someNews(given());
      if (told === null || !told.webhooks.signed) return skip("nothing is signed");
      const { read, webhooks, delivery } = told;
      expect(read(delivery, ["another-secret"]).ok).toBe(false);
      expect(read(delivery, []).ok).toBe(false);
      expect(read(delivery, [""]).ok).toBe(false);
      for (const part of [0, 0.3, 0.9]) {
        const body = delivery.body.slice(0, Math.floor(delivery.body.length * part));
        expect(read({ ...delivery, body }, webhooks.secrets).ok).toBe(false);
      }
      expect(read({ ...delivery, body: forged(delivery.body) }, webhooks.secrets).ok).toBe(false);
    });

    it("that is garbage under any signature throws nothing", async ({ skip }) => {
      const told = await someNews(given());
      if (told === null) return skip("the provider tells nothing by webhook");
      for (const text of ["", "{", "null", "[]", "\u0000\uffff", `{"a":${"[".repeat(5_000)}`]) {
        const body = new TextEncoder().encode(text);
        const result = told.read({ ...told.delivery, body }, told.webhooks.secrets);
        if (told.webhooks.signed) expect(result.ok).toBe(false);
      }
    });

    it("that is old is refused where the time is signed", async ({ skip }) => {
      const told = await someNews(given());
      if (told === null || !told.webhooks.signsTime) return skip("no time is signed");
      const { read, webhooks, delivery } = told;
      expect(read(delivery, webhooks.secrets, new Date(Date.now() + 3_600_000)).ok).toBe(false);
      expect(read(delivery, webhooks.secrets, new Date(Date.now() - 3_600_000)).ok).toBe(false);
    });

    it("has the same id whenever it is delivered, and another one than other news", async ({ skip }) => {
      const world = given();
      const { webhooks } = world;
      if (webhooks === null || world.connector.webhooks === null) return skip("there are none");
      await webhooks.twice(true);
      const story = await captured(world, returnable(world) ? "refund_returned" : "approved");
      await story.refund(1_000n);
      const items = await newsUntil(world, story, (told) => told.length >= 2);
      await webhooks.twice(false);
      if (items.length === 0) return skip("nothing is told of a refund");
      const ids = items.map(({ id }) => id);
      for (const id of ids) expect(id).toMatch(/^.{1,200}$/s);
      expect(new Set(ids).size, "each came twice, under one id").toBeLessThan(ids.length);
    });

    it("says nothing definite of an operation of another kind", async ({ skip }) => {
      const world = given();
      if (world.connector.webhooks === null || !world.connector.capabilities.manualCapture)
        return skip("nothing to mix up");
      const story = new Story(world, { card: world.card("refund_returned") ?? world.card("approved") });
      expect((await story.authorize()).last.kind).toBe("done");
      const { operation: captureOf } = await story.capture(10_000n);
      const { operation: refundOf } = await story.refund(10_000n);
      await newsUntil(world, story, (told) => told.length > 0);
      for (const item of allNews(world)) {
        const own = [captureOf, refundOf].find((operation) => isAbout(item, operation, story.payment));
        if (own === undefined || item.kind === null) continue;
        const other: Operation = { ...own, kind: own.kind === "capture" ? "refund" : "capture" };
        expect(["nothing", "ask", "unknown"]).toContain(item.answer(other, story.payment).kind);
      }
    });

    it("that is not signed only ever asks to look", async ({ skip }) => {
      const world = given();
      if (world.webhooks === null || world.webhooks.signed) return skip("they are signed");
      const story = await captured(world);
      const { operation } = await story.refund(1_000n);
      for (const item of allNews(world)) {
        expect(["nothing", "ask"]).toContain(item.answer(operation, story.payment).kind);
      }
    });

    it("of a refund that came back says so, and the money is there again", async ({ skip }) => {
      const world = given();
      if (!returnable(world) || world.webhooks === null) return skip("no refund comes back here");
      const story = await captured(world, "refund_returned");
      const told: Told = await story.refund(4_000n);
      if (told.last.kind === "failed") return expect(await story.book()).toMatchObject({ refunded: 0n });
      expect(told.last.kind).toBe("done");
      const operation = refundWithItsId(told);
      const reversed = (item: WebhookItem): boolean =>
        isAbout(item, operation, story.payment) && item.answer(operation, story.payment).kind === "reversed";
      const items = await newsUntil(world, story, (all) => all.some(reversed));
      expect(items.some(reversed)).toBe(true);
      await story.agrees({ captured: 10_000n, refunded: 0n });
    });
  });
}

const returnable = (world: ContractWorld): boolean => world.card("refund_returned") !== null;

/** A refund as the platform remembers it once it succeeded. */
function refundWithItsId({ operation, last }: Told): Operation {
  const providerOperation = last.kind === "done" ? (last.providerOperation ?? null) : null;
  return { ...operation, state: "succeeded", providerOperation };
}

type SomeNews = {
  readonly webhooks: WebhookWorld;
  readonly delivery: WebhookDelivery;
  readonly read: (
    delivery: WebhookDelivery,
    secrets: readonly string[],
    now?: Date,
  ) => ReturnType<Webhooks["read"]>;
};

/** One delivery, brought about by a payment with a refund if there is none yet; null if the provider tells nothing of it. */
async function someNews(world: ContractWorld): Promise<SomeNews | null> {
  const { webhooks, connector } = world;
  const reader = connector.webhooks;
  if (webhooks === null || reader === null) return null;
  if (webhooks.deliveries().length === 0) {
    const story = await captured(world, returnable(world) ? "refund_returned" : "approved");
    await story.refund(1_000n);
    await until(() => webhooks.deliveries().length > 0);
  }
  const delivery = webhooks.deliveries().at(-1);
  if (delivery === undefined) return null;
  const read: SomeNews["read"] = ({ headers, body }, secrets, now = new Date()) =>
    reader.read(headers, body, secrets, now);
  return { webhooks, delivery, read };
}

/** The news that came since the story began, once `enough`, or after the time that news may take. */
async function newsUntil(
  world: ContractWorld,
  story: Story,
  enough: (items: readonly WebhookItem[]) => boolean,
): Promise<readonly WebhookItem[]> {
  const own = (): readonly WebhookItem[] =>
    allNews(world).filter(
      ({ providerPayment, reference }) =>
        providerPayment === story.payment.providerPayment ||
        story.references.includes(reference ?? newReference()),
    );
  await until(() => enough(own()));
  return own();
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !holds(); ) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The body with one digit changed: still JSON, still plausible, and not what was signed. */
function forged(body: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(body);
  const at = copy.findLastIndex((byte) => byte >= 0x30 && byte <= 0x39);
  copy[at] = copy[at] === 0x31 ? 0x32 : 0x31;
  return copy;
}
