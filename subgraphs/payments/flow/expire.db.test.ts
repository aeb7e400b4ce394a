import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  authorizeAs,
  authorizeCommand,
  newKey,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { expireOverdue } from "./expire.ts";
import { followUp } from "./follow-up.ts";
import { createRecovery } from "./recover.ts";

/** An authorization that nobody captures in time is cancelled at the provider, and its hold goes, once. */
let world: PaymentWorld;
let merchant: MerchantId;

beforeAll(async () => {
  world = await startPaymentWorld({ providerDeadlineMs: 400 });
  merchant = (await testMerchant(world.database.owner)).id;
});
beforeEach(() => world.sandbox.clearFaults());
afterAll(() => world.stop());

async function authorized(): Promise<Payment> {
  const outcome = await authorizeAs(world.deps, authorizeCommand(merchant, world.vault.tokenize()));
  if (outcome.kind !== "succeeded") throw new Error(`unexpected ${outcome.kind}`);
  return outcome.payment;
}

const capture = (payment: Payment, minor: bigint, final: boolean, deps: PaymentDeps = world.deps) =>
  followUp(deps, "capture", {
    merchant,
    key: newKey(),
    payment: payment.id,
    amount: moneyOf(minor, "EUR"),
    final,
  });

async function makeOverdue(payment: Payment): Promise<void> {
  const { owner } = world.database;
  await owner`update ledger.pending set expires_at = now() - interval '1 s' where payment = ${uuidOf(payment.id)}`;
  await owner`
    update payments.payment set authorization_expires_at = now() - interval '1 s' where id = ${uuidOf(payment.id)}`;
}

const now = async (payment: Payment): Promise<Payment> =>
  (await world.deps.reads.payment(merchant, payment.id)) as Payment;
const holds = async (payment: Payment) =>
  (await world.database.owner`select 1 from ledger.pending where payment = ${uuidOf(payment.id)}`).length;
const movements = async (payment: Payment) =>
  (await world.sandbox.book({ metadata: { tessera_payment: payment.id } })).movements.map(
    ({ kind, amount }) => `${kind} ${amount}`,
  );
const events = async (payment: Payment) =>
  (
    await world.database
      .owner`select type from payments.outbox where payment = ${uuidOf(payment.id)} order by id`
  ).map(({ type }) => type);

it("leaves alone what has time", async () => {
  const payment = await authorized();
  expect(payment.authorizationExpiresAt).not.toBeNull();
  expect(await expireOverdue(world.deps, 10)).toBe(0);
  expect(stateOf(await now(payment))).toBe("authorized");
  expect(await holds(payment)).toBe(1);
});

it("ends it once, however many sweep at once", async () => {
  const payment = await authorized();
  await makeOverdue(payment);
  const sweeps = await Promise.all(
    [world.deps, world.another(), world.another()].map((deps) => expireOverdue(deps, 10)),
  );
  expect(sweeps.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(stateOf(await now(payment))).toBe("expired");
  expect(await holds(payment)).toBe(0);
  expect(await movements(payment)).toEqual(["authorized 10000", "released 10000"]);
  expect(await events(payment)).toEqual(["payment.authorized.v1", "payment.expired.v1"]);
  expect(await expireOverdue(world.deps, 10)).toBe(0);
  expect(await capture(payment, 1n, true)).toMatchObject({ kind: "illegal_state", state: "expired" });
});

it("releases what a partial capture has left, and the capture stays", async () => {
  const payment = await authorized();
  await capture(payment, 4_000n, false);
  await makeOverdue(payment);
  expect(await expireOverdue(world.deps, 10)).toBe(1);
  const after = await now(payment);
  expect([stateOf(after), after.captured, after.finalized]).toEqual(["captured", 4_000n, true]);
  expect(await holds(payment)).toBe(0);
});

it.each([true, false])("waits for a capture in flight, final: %s", async (final) => {
  const payment = await authorized();
  await world.sandbox.faults({ match: { operation: "capture" }, times: 1, fault: { kind: "hang" } });
  const capturing = capture(payment, 4_000n, final);
  await expect.poll(async () => (await now(payment)).capturing).toBe(4_000n);
  await makeOverdue(payment);
  expect(await expireOverdue(world.deps, 10)).toBe(0);
  expect((await capturing).kind).toBe("pending");
  expect(await expireOverdue(world.deps, 10)).toBe(0);
});

it("learns what became of a cancellation whose answer was lost", async () => {
  const payment = await authorized();
  await makeOverdue(payment);
  await world.sandbox.faults({ match: { operation: "cancel" }, times: 1, fault: { kind: "lose_response" } });
  expect(await expireOverdue(world.deps, 10)).toBe(0);
  expect(stateOf(await now(payment))).toBe("authorized");
  await world.database.owner`update payments.in_flight set resolve_after = now()`;
  await createRecovery(world.another()).sweep();
  expect(stateOf(await now(payment))).toBe("expired");
  expect(await holds(payment)).toBe(0);
});
