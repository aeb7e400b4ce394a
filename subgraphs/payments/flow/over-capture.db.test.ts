import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  act,
  differences,
  eventsOf,
  movementsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  sandboxOf,
} from "../../../test/support/payment-steps.ts";
import {
  authorizeAs,
  authorizeCommand,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { type Payment, stateOf } from "../domain/payment.ts";

/** A last capture above the authorization: Visa's tolerance at Stripe is 15 %. */
let world: PaymentWorld;
let merchant: MerchantId;

beforeAll(async () => {
  world = await startPaymentWorld({ providerDeadlineMs: 500 });
  merchant = (await testMerchant(world.database.owner)).id;
});
beforeEach(() => sandboxOf(world, "stripe").faults([]));
afterAll(async () => {
  expect(await differences(world)).toEqual([]);
  await world.stop();
});

const authorized = (number?: string) =>
  paymentOf(authorizeAs(world.deps, authorizeCommand(merchant, world.vault.tokenize(number))));
const capture = (payment: Payment, minor: bigint, options: { final?: boolean; over?: boolean } = {}) =>
  act(world.deps, "capture", payment, minor, { over: true, ...options });

/** Posted between the provider and the merchant, and still held, by the ledger. */
async function booksOf({ id }: Payment): Promise<number[]> {
  const [row] = await world.database.owner`
    select coalesce(sum(t.amount) filter (where t.kind in (0, 2)), 0) as posted,
           coalesce(sum(case t.kind when 1 then t.amount when 0 then 0 else -t.amount end), 0) as held
    from ledger.payment_journal j
    join ledger.transfer t on t.shard = j.shard and ledger.commit_of(t.id) = j.commit
    join ledger.account d on d.shard = t.shard and d.id = t.debit and d.code = 'provider_receivable'
    where j.payment = ${uuidOf(id)}`;
  return [Number(row?.["posted"]), Number(row?.["held"])];
}

describe("within the tolerance", () => {
  it("takes it to the last cent, and no more", async () => {
    const payment = await authorized();
    expect(await capture(payment, 11_501n)).toMatchObject({ kind: "exceeds", available: { minor: 11_500n } });
    const captured = await paymentOf(capture(payment, 11_500n));
    expect([stateOf(captured), captured.captured, captured.authorized]).toEqual([
      "captured",
      11_500n,
      10_000n,
    ]);
    expect(await booksOf(payment)).toEqual([11_500, 0]);
    expect(await movementsOf(world, payment)).toEqual(["stripe authorized 10000", "stripe captured 11500"]);
    expect(await eventsOf(world, payment)).toEqual(["authorized", "captured"]);
  });

  it("comes on top of other captures and of increments", async () => {
    const payment = await authorized();
    await paymentOf(act(world.deps, "increment", payment, 2_000n));
    await paymentOf(capture(payment, 4_000n, { final: false }));
    expect(await capture(payment, 9_801n)).toMatchObject({ kind: "exceeds", available: { minor: 9_800n } });
    expect((await paymentOf(capture(payment, 9_800n))).captured).toBe(13_800n);
    expect(await booksOf(payment)).toEqual([13_800, 0]);
  });

  it("can be refunded, all of it and not more", async () => {
    const payment = await authorized();
    await paymentOf(capture(payment, 11_000n));
    expect(await act(world.deps, "refund", payment, 11_001n)).toMatchObject({ kind: "exceeds" });
    expect(stateOf(await paymentOf(act(world.deps, "refund", payment, null)))).toBe("refunded");
  });

  it("is taken once when its answer is lost", async () => {
    const payment = await authorized();
    await sandboxOf(world, "stripe").faults([
      { match: { operation: "capture" }, times: 1, fault: { kind: "lose_response" } },
    ]);
    await paymentOf(capture(payment, 11_000n), "pending");
    await recover(world, otherProcess(world));
    expect((await reread(world, payment)).captured).toBe(11_000n);
    expect(await booksOf(payment)).toEqual([11_000, 0]);
  });

  it("that fails gives everything free again", async () => {
    const payment = await authorized();
    const body = { error: { type: "invalid_request_error", code: "amount_too_large", message: "" } };
    await sandboxOf(world, "stripe").faults([
      { match: { operation: "capture" }, times: 1, fault: { kind: "status", status: 400, body } },
    ]);
    await paymentOf(capture(payment, 11_000n), "failed");
    expect(await booksOf(payment)).toEqual([0, 10_000]);
    expect((await paymentOf(capture(payment, 10_000n, { over: false }))).captured).toBe(10_000n);
  });
});

describe("is refused", () => {
  it("where the merchant has not asked for it", async () => {
    const payment = await authorized();
    expect(await capture(payment, 10_001n, { over: false })).toMatchObject({
      kind: "exceeds",
      available: { minor: 10_000n },
    });
  });

  it("for a capture that is not the last", async () => {
    const payment = await authorized();
    expect(await capture(payment, 10_001n, { final: false })).toMatchObject({ kind: "exceeds" });
  });

  it("for a brand without tolerance", async () => {
    const payment = await authorized("5555555555554444");
    expect(await capture(payment, 10_001n)).toMatchObject({ kind: "exceeds", available: { minor: 10_000n } });
    expect(await movementsOf(world, payment)).toEqual(["stripe authorized 10000"]);
  });

  it("after everything is captured", async () => {
    const payment = await authorized();
    await paymentOf(capture(payment, 10_000n, { final: false }));
    expect((await capture(payment, 1n)).kind).toBe("exceeds");
  });

  it("as the same request with other arguments", async () => {
    const payment = await authorized();
    const key = `over-${payment.id}`;
    await act(world.deps, "capture", payment, 10_000n, { key, over: false });
    expect(await act(world.deps, "capture", payment, 10_000n, { key, over: true })).toEqual({
      kind: "key_reused",
    });
  });
});
