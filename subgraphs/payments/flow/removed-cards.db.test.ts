import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  differences,
  otherProcess,
  paymentOf,
  recover,
  reread,
} from "../../../test/support/payment-steps.ts";
import {
  authorizeAs,
  authorizeCommand,
  newKey,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { type CustomerId, type MerchantId, type PaymentMethodId, uuidOf } from "../../kernel/ids.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { StoredMethod } from "../domain/stored-method.ts";
import { createCustomer, removePaymentMethod } from "./customer.ts";
import type { PaymentDeps } from "./deps.ts";
import type { Outcome } from "./outcome.ts";

/** A stored card that was removed is refused from that moment on, in every process. */
let world: PaymentWorld;
let merchant: MerchantId;
let customer: CustomerId;

beforeAll(async () => {
  world = await startPaymentWorld({
    providerDeadlineMs: 500,
  });
  merchant = (await testMerchant(world.database.owner)).id;
  const key = newKey();
  const created = await createCustomer(world.deps, {
    merchant,
    key,
    reference: null,
    email: null,
    name: null,
  });
  if (created.kind !== "created") throw new Error(created.kind);
  customer = created.customer.id;
});
beforeEach(async () => {
  await Promise.all(world.sandboxes.map((sandbox) => sandbox.faults([])));
});
afterAll(async () => {
  expect(await differences(world)).toEqual([]);
  await world.stop();
});

/** A payment with the payer present that stores its card. */
const storing = () => {
  const token = world.vault.tokenize();
  return authorizeCommand(merchant, token, {
    source: { type: "token", token, customer, store: "recurring" },
  });
};

const paying = (method: PaymentMethodId) =>
  authorizeCommand(merchant, "", { source: { type: "stored", method, initiator: "merchant" } });

async function methodOf({ terms }: Payment): Promise<StoredMethod> {
  const method = await world.deps.reads.method(merchant, terms.paymentMethod as PaymentMethodId);
  if (method === null) throw new Error("the payment stores no card");
  return method;
}

const stored = async (): Promise<StoredMethod> =>
  methodOf(await paymentOf(authorizeAs(world.deps, storing())));

const REFUSED = { kind: "invalid", issues: [{ code: "UNKNOWN_PAYMENT_METHOD" }] };
const loseAnswer = () =>
  world.sandbox.faults({ match: { operation: "create" }, times: 1, fault: { kind: "lose_response" } });

describe("a card that was removed", () => {
  it("is refused at once, in every process, and stays removed", async () => {
    const method = await stored();
    const removed = await removePaymentMethod(world.deps, merchant, method.id);
    expect(removed?.status).toBe("removed");
    for (const deps of [world.deps, otherProcess(world)])
      expect(await authorizeAs(deps, paying(method.id))).toMatchObject(REFUSED);
    expect((await removePaymentMethod(otherProcess(world), merchant, method.id))?.status).toBe("removed");
    expect(await world.deps.reads.methodsOf(merchant, customer)).not.toContainEqual(
      expect.objectContaining({ id: method.id }),
    );
  });

  it("is refused where it was read before it was removed: the claim looks for itself", async () => {
    const method = await stored();
    const stale: PaymentDeps = {
      ...world.deps,
      reads: { ...world.deps.reads, method: async () => method },
    };
    await removePaymentMethod(otherProcess(world), merchant, method.id);
    const command = paying(method.id);
    const { received } = await world.sandbox.requests();
    expect(await authorizeAs(stale, command)).toMatchObject(REFUSED);
    expect((await world.sandbox.requests()).received).toBe(received);
    expect(await world.deps.reads.claim(merchant, command.key)).toBeNull();
  });

  it("does not change what was paid with it: the same request has the same answer", async () => {
    const method = await stored();
    const command = paying(method.id);
    const payment = await paymentOf(authorizeAs(world.deps, command));
    await removePaymentMethod(world.deps, merchant, method.id);
    expect((await paymentOf(authorizeAs(otherProcess(world), command))).id).toBe(payment.id);
  });

  it("before the payment that stores it was authorized stays removed when it is", async () => {
    await loseAnswer();
    const payment = await paymentOf(authorizeAs(world.deps, storing()), "pending");
    const { id } = await methodOf(payment);
    await removePaymentMethod(world.deps, merchant, id);
    await recover(world, otherProcess(world));
    expect([stateOf(await reread(world, payment)), (await methodOf(payment)).status]).toEqual([
      "authorized",
      "removed",
    ]);
    expect(await authorizeAs(world.deps, paying(id))).toMatchObject(REFUSED);
  });

  it("while payments with it begin: each was before the removal or is refused", async () => {
    for (let round = 0; round < 5; round++) {
      const method = await stored();
      const other = otherProcess(world);
      const outcomes: Outcome[] = [];
      const pay = async (deps: PaymentDeps) => void outcomes.push(await authorizeAs(deps, paying(method.id)));
      await Promise.all([
        pay(world.deps),
        pay(other),
        removePaymentMethod(world.deps, merchant, method.id),
        pay(world.deps),
        pay(other),
      ]);
      const paid = outcomes.filter(({ kind }) => kind === "succeeded").length;
      const [row] = await world.database.owner`
        select count(*)::int as claimed from payments.payment_terms t
        join payments.payment p using (shard, merchant, id)
        where t.payment_method = ${uuidOf(method.id)} and not (t.stored ->> 'first')::boolean`;
      expect([row?.["claimed"], outcomes.length]).toEqual([paid, 4]);
      for (const outcome of outcomes.filter(({ kind }) => kind !== "succeeded"))
        expect(outcome).toMatchObject(REFUSED);
    }
  });
});
