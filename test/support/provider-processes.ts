import { expect } from "vitest";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import { createRouter } from "../../subgraphs/payments/routing/create-router.ts";
import type { ProviderName } from "./connectors.ts";
import { testMerchant } from "./database.ts";
import { differences, inOrder, type Mailbox, sandboxOf, startMailbox } from "./payment-steps.ts";
import { ALWAYS_CLOSED, type PaymentWorld, startPaymentWorld } from "./payments.ts";

/** A world of several providers, with a way into its region process for each that asks that provider only. */
export type ProviderProcesses = {
  readonly world: PaymentWorld;
  readonly merchant: MerchantId;
  /** Where all providers' webhooks arrive, and wait for the test. */
  readonly mailbox: Mailbox;
  readonly at: (provider: ProviderName) => PaymentDeps;
  /** No provider goes wrong any more. */
  clearFaults(): Promise<void>;
  /** Fails if the books do not agree in the end. */
  stop(): Promise<void>;
};

export async function startProviderProcesses(...names: readonly ProviderName[]): Promise<ProviderProcesses> {
  const mailbox = await startMailbox();
  const world = await startPaymentWorld({ providers: names, providerDeadlineMs: 600 });
  const { id: merchant } = await testMerchant(world.database.owner);
  const processes = new Map<ProviderName, PaymentDeps>();
  for (const name of names) {
    await sandboxOf(world, name).settings({ webhooks: { url: mailbox.urlFor(name) } });
    const router = createRouter(world.deps.providers, { ...ALWAYS_CLOSED, rules: inOrder(name) });
    processes.set(name, { ...world.deps, router });
  }
  return {
    world,
    merchant,
    mailbox,
    at: (name) => processes.get(name) as PaymentDeps,
    clearFaults: async () => void (await Promise.all(world.sandboxes.map((sandbox) => sandbox.faults([])))),
    async stop() {
      expect(await differences(world)).toEqual([]);
      await world.stop();
      await mailbox.stop();
    },
  };
}
