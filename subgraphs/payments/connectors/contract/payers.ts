import { describe, expect, it } from "vitest";
import { sampleOperation } from "../../domain/samples.ts";
import { allNews, isAbout } from "./conclude.ts";
import { authorizeOptions, newPayment, newReference, Story } from "./story.ts";
import type { ContractWorld } from "./world.ts";

/** Where the provider asks the payer. Tests of providers that never do are over at once. */
export function payers(given: () => ContractWorld): void {
  describe("a payer", () => {
    it("who does not succeed pays nothing", async ({ skip }) => {
      if (given().payer === null || given().connector.capabilities.directCards)
        return skip("nobody is asked");
      const story = new Story(given());
      const { first, last } = await story.authorize("fails");
      expect(first.kind).toBe("requires_action");
      expect(["declined", "failed"]).toContain(last.kind);
      await story.agrees({ captured: 0n, held: 0n });
    });

    it("cannot pay what was called off", async ({ skip }) => {
      const world = given();
      const { connector, send, payer } = world;
      if (payer === null || connector.capabilities.directCards) return skip("nobody is asked");
      const options = authorizeOptions(world);
      const payment = newPayment(world);
      const request = connector.authorize(payment, options);
      const operation = sampleOperation(payment, { reference: options.reference, request });
      const asked = connector.answer(operation, payment, await send(request, options.reference), true);
      expect(asked.kind).toBe("requires_action");
      if (asked.kind !== "requires_action") return;
      const waiting = { ...payment, providerPayment: asked.providerPayment };
      const reference = newReference();
      const cancel = connector.cancelAction(operation, waiting, { reference });
      if (cancel === null) return skip("it ends by itself only");
      const response = await send(cancel, reference);
      const voided = sampleOperation(waiting, { kind: "void", reference, request: cancel });
      expect(connector.answer(voided, waiting, response, true).kind).toBe("done");
      await payer(asked.action, "pays").catch(() => {});
      const book = await world.book(options.reference);
      expect(book.authorized - book.released).toBe(0n);
      expect(book.captured).toBe(0n);
      for (const item of allNews(world).filter((news) => isAbout(news, operation, waiting))) {
        expect(item.answer(operation, waiting).kind).not.toBe("done");
      }
    });
  });
}
