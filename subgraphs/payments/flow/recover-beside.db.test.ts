import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { ProviderName } from "../../../test/support/connectors.ts";
import { accountFor } from "../../../test/support/connectors.ts";
import { paymentOf, reread, sandboxOf } from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand, type PaymentWorld } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import { uuidOf } from "../../kernel/ids.ts";
import { createProviderTransport } from "../connectors/transport.ts";
import type { Payment } from "../domain/payment.ts";
import { createRecovery } from "./recover.ts";

/** Recovery of one operation must not wait for another's, nor for a process that has died over it. */
let processes: ProviderProcesses;
let world: PaymentWorld;

beforeAll(async () => {
  processes = await startProviderProcesses("stripe", "acquirer");
  ({ world } = processes);
});
beforeEach(() => processes.clearFaults());
afterAll(() => processes.stop());

/** A payment whose answer was lost: nobody here knows that it was authorized. */
async function unknownAt(provider: ProviderName): Promise<Payment> {
  const sandbox = sandboxOf(world, provider);
  await sandbox.faults([{ times: 1, fault: { kind: "lose_response" } }]);
  const command = authorizeCommand(processes.merchant, world.vault.tokenize());
  return paymentOf(authorizeAs(processes.at(provider), command), "pending");
}

const due = ({ id }: Payment) =>
  world.database.owner`update payments.in_flight set resolve_after = now() where payment = ${uuidOf(id)}`;

it("a provider that never answers delays nothing that another can tell", async () => {
  const deadlineMs = 4_000;
  const transport = createProviderTransport({
    providers: Object.fromEntries(world.sandboxes.map(({ name, url }) => [name, accountFor(name, url)])),
    vault: world.vault,
    deadlineMs,
  });
  const [silent, other] = [await unknownAt("stripe"), await unknownAt("acquirer")];
  await sandboxOf(world, "stripe").faults([{ fault: { kind: "hang" } }]);
  const recovery = createRecovery(world.another({ transport }));
  await due(silent);
  recovery.start();
  // It is being asked for, and will be for a while.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await due(other);
  await expect
    .poll(async () => (await reread(world, other)).phase, { timeout: deadlineMs / 2, interval: 50 })
    .toBe("open");
  expect((await reread(world, silent)).phase).toBe("processing");
  await processes.clearFaults();
  await recovery.stop();
  await transport.close();
  await due(silent);
  await createRecovery(world.another()).sweep();
  expect((await reread(world, silent)).phase).toBe("open");
});

it("an operation over which a process has died is asked for by another within seconds", async () => {
  const payment = await unknownAt("stripe");
  const { deps } = world;
  const dead = { ...deps, reads: { ...deps.reads, operation: () => new Promise<never>(() => {}) } };
  await due(payment);
  void createRecovery(dead).sweep();
  const leasedFor = async () =>
    Number(
      (
        await world.database.owner`
          select extract(epoch from resolve_after - now()) as seconds from payments.in_flight
          where payment = ${uuidOf(payment.id)} and inquiries > 0`
      )[0]?.["seconds"] ?? 0,
    );
  await expect.poll(leasedFor).toBeGreaterThan(0);
  // With the inquiry itself and its pauses, this stays within the 30 s that an unknown outcome may last.
  expect(await leasedFor()).toBeLessThan(15);
  await due(payment);
  await createRecovery(world.another()).sweep();
  expect((await reread(world, payment)).phase).toBe("open");
});
