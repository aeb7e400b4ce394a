import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { declarations } from "./contract/declarations.ts";
import { faults } from "./contract/faults.ts";
import { lifecycle } from "./contract/lifecycle.ts";
import { news } from "./contract/news.ts";
import { outcomes } from "./contract/outcomes.ts";
import { payers } from "./contract/payers.ts";
import type { ContractWorld } from "./contract/world.ts";

/**
 * What every connector must keep, whatever its provider: one suite, which knows no provider. A connector's own test
 * brings a world (`contract/world.ts`): the connector, a way to send, switches for faults, and what the provider's own
 * book says, since only the book tells whether money moved twice.
 *
 * ```ts
 * connectorContract("stripe", { start: startStripeWorld });
 * ```
 *
 * - declarations: what a connector says of itself fits together; requests hold placeholders and never a card number
 * - outcomes: answers that prove nothing are `unknown`, for every kind of operation; failures are a closed table
 * - lifecycle: what the capabilities promise works, and the book agrees to the cent
 * - faults: an answer lost at any point is found again by the declared resolver, and nothing happens twice
 * - payers: where the payer has to act; where they do not; what is called off stays off
 * - news: webhooks are believed only as signed, are the same when told again, and are only about what they are about
 *
 * `contract/direct-send.ts` has a `Send` for worlds, `contract/receiver.ts` a server that keeps webhooks.
 */
export function connectorContract(name: string, { start }: { start(): Promise<ContractWorld> }): void {
  describe(`the contract of connectors, kept by ${name}`, () => {
    let world: ContractWorld | undefined;
    beforeAll(async () => {
      world = await start();
    });
    afterEach(async () => {
      await world?.clearFaults();
    });
    afterAll(async () => {
      await world?.stop();
    });
    const given = (): ContractWorld => {
      if (world === undefined) throw new Error("the world did not start");
      return world;
    };
    for (const part of [declarations, outcomes, lifecycle, faults, payers, news]) part(given);
  });
}

export type {
  CardCharacter,
  ContractBook,
  ContractWorld,
  FaultOrder,
  WebhookDelivery,
  WebhookWorld,
} from "./contract/world.ts";
