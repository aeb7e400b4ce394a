import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  eventsOf,
  latest,
  movementsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  sandboxOf,
} from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand, type PaymentWorld } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import type { MerchantId } from "../../kernel/ids.ts";
import { stateOf } from "../domain/payment.ts";

/** What can neither be found nor repeated is taken back, which also keeps it from happening later. */
let processes: ProviderProcesses;
let world: PaymentWorld;
let merchant: MerchantId;

beforeAll(async () => {
  processes = await startProviderProcesses("acquirer");
  ({ world, merchant } = processes);
});
beforeEach(() => processes.clearFaults());
afterAll(() => processes.stop());

describe("an authorization that nobody can tell of", () => {
  /** The acquirer's, whose answer is lost and whose card is gone, so that it cannot be repeated. */
  async function lost(
    fault: { kind: "lose_response" } | { kind: "reset" } | { kind: "land_late"; afterMs: number },
  ) {
    await sandboxOf(world, "acquirer").faults([
      // A connection that is reset shows nothing of what was to be sent on it.
      {
        match: fault.kind === "reset" ? { method: "POST" } : { operation: "authorize" },
        times: 1,
        fault,
      },
      { match: { operation: "lookup" }, times: 1, fault: { kind: "quirk", quirk: "deny_lookup" } },
    ]);
    const token = world.vault.tokenize();
    const command = authorizeCommand(merchant, token);
    const payment = await paymentOf(authorizeAs(processes.at("acquirer"), command), "pending");
    world.vault.cards.delete(token);
    return payment;
  }

  it.each([
    ["that was done is undone, and the payment fails", "lose_response", ["authorized", "released"]],
    ["that never came cannot come any more", "reset", []],
  ] as const)("%s", async (_, kind, moved) => {
    const payment = await lost({ kind });
    await recover(world, otherProcess(world), { sweeps: 1 });
    const now = await reread(world, payment);
    expect([stateOf(now), now.decline?.code]).toEqual(["failed", "not_at_provider"]);
    expect((await movementsOf(world, payment)).map((one) => one.split(" ")[1])).toEqual(moved);
    expect(await eventsOf(world, payment)).toEqual(["failed"]);
  });

  it("that lands after it was taken back holds nothing", async () => {
    const payment = await lost({ kind: "land_late", afterMs: 700 });
    await recover(world, otherProcess(world), { sweeps: 1 });
    expect(stateOf(await reread(world, payment))).toBe("failed");
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await movementsOf(world, payment)).toEqual([]);
  });

  it("is not taken back while the reversal's own outcome is unknown", async () => {
    const payment = await lost({ kind: "lose_response" });
    await sandboxOf(world, "acquirer").faults([
      { match: { operation: "lookup" }, times: 1, fault: { kind: "quirk", quirk: "deny_lookup" } },
      { match: { operation: "reverse" }, times: 1, fault: { kind: "status", status: 500 } },
    ]);
    await recover(world, otherProcess(world), { sweeps: 1 });
    expect(stateOf(await reread(world, payment))).toBe("processing");
    await sandboxOf(world, "acquirer").faults([]);
    await recover(world, otherProcess(world), { sweeps: 1 });
    // Now a look-up finds it: it was done, and nothing took it back.
    expect(stateOf(await reread(world, payment))).toBe("authorized");
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
  });

  it("is never taken back once the provider has accepted it", async () => {
    const payment = await lost({ kind: "lose_response" });
    const { id } = await latest(world, payment, "authorize");
    await world.deps.queue.markAccepted({ merchant, payment: payment.id, operation: id }, null, 0);
    await recover(world, otherProcess(world), { sweeps: 1 });
    expect(stateOf(await reread(world, payment))).toBe("processing");
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    await recover(world, otherProcess(world), { sweeps: 1 });
    expect(stateOf(await reread(world, payment))).toBe("authorized");
  });
});
