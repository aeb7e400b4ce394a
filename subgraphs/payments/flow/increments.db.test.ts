import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ProviderName } from "../../../test/support/connectors.ts";
import {
  act,
  eventsOf,
  latest,
  type Mailbox,
  movementsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  sandboxOf,
  tell,
} from "../../../test/support/payment-steps.ts";
import { authorizeAs, authorizeCommand, newKey, type PaymentWorld } from "../../../test/support/payments.ts";
import { type ProviderProcesses, startProviderProcesses } from "../../../test/support/provider-processes.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { expireOverdue } from "./expire.ts";

/** An authorization that is raised: several holds, which captures take from the oldest first. */
let processes: ProviderProcesses;
let world: PaymentWorld;
let merchant: MerchantId;
let mailbox: Mailbox;
const names = ["stripe", "acquirer", "adyen"] as const;

beforeAll(async () => {
  processes = await startProviderProcesses(...names);
  ({ world, merchant, mailbox } = processes);
});
beforeEach(() => processes.clearFaults());
afterAll(() => processes.stop());

const process = (name: ProviderName): PaymentDeps => processes.at(name);
const authorized = (provider: ProviderName = "stripe", minor = 10_000n) =>
  paymentOf(authorizeAs(process(provider), authorizeCommand(merchant, world.vault.tokenize(), { minor })));

/** Follows up and hears the provider's news, where it answers by that only. */
async function actAndHear(
  ...[deps, kind, payment, minor, options]: Parameters<typeof act>
): Promise<Payment> {
  const outcome = await act(deps, kind, payment, minor, options);
  if (outcome.kind !== "pending") return paymentOf(outcome);
  await tell(deps, await mailbox.letter("adyen", (await latest(world, payment, kind)).reference));
  return reread(world, payment);
}

/** What the ledger holds of the payment, oldest hold first. */
const held = async ({ id }: Payment): Promise<number[]> => {
  const rows = await world.database.owner`
    select remaining from ledger.pending where payment = ${uuidOf(id)} order by transfer`;
  return rows.map(({ remaining }) => Number(remaining));
};

describe.each(names)("at %s", (provider) => {
  it("raises twice, and captures from the oldest hold first until nothing is left", async () => {
    const deps = process(provider);
    const payment = await authorized(provider);
    await actAndHear(deps, "increment", payment, 2_000n);
    const raised = await actAndHear(deps, "increment", payment, 500n);
    expect([raised.amount.minor, raised.authorized, stateOf(raised)]).toEqual([
      10_000n,
      12_500n,
      "authorized",
    ]);
    expect(await held(payment)).toEqual([10_000, 2_000, 500]);
    await actAndHear(deps, "capture", payment, 11_000n, { final: false });
    expect(await held(payment)).toEqual([1_000, 500]);
    const captured = await actAndHear(deps, "capture", payment, 1_500n);
    expect([stateOf(captured), captured.captured]).toEqual(["captured", 12_500n]);
    expect(await held(payment)).toEqual([]);
    const moved = await movementsOf(world, payment);
    expect(moved.filter((one) => one.includes("authorized"))).toEqual([
      `${provider} authorized 10000`,
      `${provider} authorized 2000`,
      `${provider} authorized 500`,
    ]);
    expect(await eventsOf(world, payment)).toEqual([
      "authorized",
      "incremented",
      "incremented",
      "captured",
      "captured",
    ]);
  });

  it("gives all holds back when it is voided", async () => {
    const deps = process(provider);
    const payment = await authorized(provider);
    await actAndHear(deps, "increment", payment, 2_000n);
    const voided = await actAndHear(deps, "void", payment, null);
    expect([stateOf(voided), await held(payment)]).toEqual(["voided", []]);
    expect((await movementsOf(world, payment)).at(-1)).toBe(`${provider} released 12000`);
  });

  it("gives back what a final capture leaves, of all holds", async () => {
    const deps = process(provider);
    const payment = await authorized(provider);
    await actAndHear(deps, "increment", payment, 2_000n);
    const captured = await actAndHear(deps, "capture", payment, 3_000n);
    expect([stateOf(captured), captured.captured, await held(payment)]).toEqual(["captured", 3_000n, []]);
  });
});

it("holds that are overdue end together, once", async () => {
  const payment = await authorized();
  await paymentOf(act(process("stripe"), "increment", payment, 2_000n));
  const { owner } = world.database;
  await owner`update ledger.pending set expires_at = now() - interval '1 s' where payment = ${uuidOf(payment.id)}`;
  await owner`
    update payments.payment set authorization_expires_at = now() - interval '1 s' where id = ${uuidOf(payment.id)}`;
  await Promise.all([process("stripe"), otherProcess(world)].map((deps) => expireOverdue(deps, 10)));
  expect([stateOf(await reread(world, payment)), await held(payment)]).toEqual(["expired", []]);
  expect(await eventsOf(world, payment)).toEqual(["authorized", "incremented", "expired"]);
  expect(await movementsOf(world, payment)).toEqual([
    "stripe authorized 10000",
    "stripe authorized 2000",
    "stripe released 12000",
  ]);
});

describe("an increment in flight", () => {
  /** Sent, and nothing came back. */
  async function unheard(
    payment: Payment,
    fault: { kind: "lose_response" } | { kind: "reset" },
    key = newKey(),
  ) {
    await sandboxOf(world, "stripe").faults([{ match: { operation: "increment" }, times: 1, fault }]);
    await paymentOf(act(process("stripe"), "increment", payment, 2_000n, { key }), "pending");
  }

  it.each(["lose_response", "reset"] as const)(
    "whose answer never came is carried out once: %s",
    async (kind) => {
      const payment = await authorized();
      const key = newKey();
      await unheard(payment, { kind }, key);
      expect(await held(payment)).toEqual([10_000]);
      await recover(world, otherProcess(world));
      const raised = await reread(world, payment);
      expect([raised.authorized, raised.incrementing]).toEqual([12_000n, 0n]);
      expect(await held(payment)).toEqual([10_000, 2_000]);
      expect(await movementsOf(world, payment)).toEqual([
        "stripe authorized 10000",
        "stripe authorized 2000",
      ]);
      expect(
        (await paymentOf(act(process("stripe"), "increment", payment, 2_000n, { key }))).authorized,
      ).toBe(12_000n);
    },
  );

  it("keeps all that would end the authorization waiting, and captures take only what is authorized", async () => {
    const payment = await authorized();
    const deps = process("stripe");
    await unheard(payment, { kind: "lose_response" });
    for (const [kind, minor] of [
      ["void", null],
      ["capture", 1_000n],
      ["increment", 1n],
    ] as const)
      expect(await act(deps, kind, payment, minor)).toMatchObject({ kind: "illegal_state" });
    expect(await act(deps, "capture", payment, 10_001n, { final: false })).toMatchObject({ kind: "exceeds" });
    await recover(world, otherProcess(world));
    expect((await paymentOf(act(deps, "capture", payment, 12_000n))).captured).toBe(12_000n);
  });

  it("waits for nothing that ends the authorization: it is refused", async () => {
    const payment = await authorized();
    await sandboxOf(world, "stripe").faults([
      { match: { operation: "capture" }, times: 1, fault: { kind: "lose_response" } },
    ]);
    await paymentOf(act(process("stripe"), "capture", payment, 1_000n), "pending");
    expect(await act(process("stripe"), "increment", payment, 1n)).toMatchObject({ kind: "illegal_state" });
    await recover(world, otherProcess(world));
  });

  it("is one of two that were asked for at once; the other is refused, and the books agree", async () => {
    for (let round = 0; round < 5; round++) {
      const payment = await authorized();
      const [mine, theirs] = [process("stripe"), otherProcess(world)];
      const outcomes = await Promise.all([
        act(mine, "increment", payment, 2_000n),
        act(theirs, "increment", payment, 3_000n),
      ]);
      const now = await reread(world, payment);
      const moved = (await movementsOf(world, payment)).map((one) => BigInt(one.split(" ")[2] ?? 0));
      expect(moved.reduce((sum, amount) => sum + amount, 0n)).toBe(now.authorized);
      for (const outcome of outcomes) expect(["succeeded", "illegal_state"]).toContain(outcome.kind);
    }
  });
});

describe("an increment that is not possible", () => {
  it("fails if the issuer refuses, and leaves the authorization as it was", async () => {
    const payment = await authorized();
    await sandboxOf(world, "stripe").faults([
      {
        match: { operation: "increment" },
        times: 1,
        fault: { kind: "decline", declineCode: "insufficient_funds" },
      },
    ]);
    const declined = await paymentOf(act(process("stripe"), "increment", payment, 2_000n), "declined");
    expect([declined.authorized, declined.incrementing, stateOf(declined)]).toEqual([
      10_000n,
      0n,
      "authorized",
    ]);
    expect(await held(payment)).toEqual([10_000]);
    expect(await eventsOf(world, payment)).toEqual(["authorized", "increment_failed"]);
    expect((await paymentOf(act(process("stripe"), "capture", payment, null))).captured).toBe(10_000n);
  });

  it("is refused for what is captured, voided or not authorized at all", async () => {
    const deps = process("stripe");
    const captured = await authorized();
    await paymentOf(act(deps, "capture", captured, null));
    const voided = await authorized();
    await paymentOf(act(deps, "void", voided, null));
    const command = authorizeCommand(merchant, world.vault.tokenize("4000000000000002"));
    const declined = await paymentOf(authorizeAs(deps, command), "declined");
    for (const payment of [captured, voided, declined])
      expect(await act(deps, "increment", payment, 1n)).toMatchObject({ kind: "illegal_state" });
  });

  it("is refused for a brand whose authorizations are not raised there", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize("378282246310005"));
    const payment = await paymentOf(authorizeAs(process("stripe"), command));
    expect(await act(process("stripe"), "increment", payment, 1n)).toMatchObject({ kind: "illegal_state" });
  });

  it("is refused above what the API can say", async () => {
    const payment = await authorized();
    const outcome = await act(process("stripe"), "increment", payment, 2n ** 53n - 10_000n);
    expect(["exceeds", "invalid"]).toContain(outcome.kind);
  });

  it("is refused above what the provider takes in all", async () => {
    const payment = await authorized("acquirer", 999_999_990_000n);
    expect(await act(process("acquirer"), "increment", payment, 10_000n)).toMatchObject({
      kind: "invalid",
      issues: [{ code: "AMOUNT_NOT_ACCEPTED" }],
    });
    expect((await paymentOf(act(process("acquirer"), "increment", payment, 9_999n))).authorized).toBe(
      999_999_999_999n,
    );
  });
});
