import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { refuseNext } from "../../../test/support/attempt-steps.ts";
import { testMerchant } from "../../../test/support/database.ts";
import {
  differences,
  inOrder,
  movementsOf,
  operationsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  sandboxOf,
} from "../../../test/support/payment-steps.ts";
import {
  ALWAYS_CLOSED,
  authorizeAs,
  authorizeCommand,
  newKey,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { createTenantReader } from "../../database/tenant-reader.ts";
import { type CustomerId, type MerchantId, type PaymentMethodId, uuidOf } from "../../kernel/ids.ts";
import type { ProviderRequest } from "../domain/operation.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { StoredCredential } from "../domain/stored-credential.ts";
import type { StoredMethod } from "../domain/stored-method.ts";
import { createCustomer, removePaymentMethod } from "./customer.ts";
import type { PaymentDeps } from "./deps.ts";

/** Cards that customers store: who may use them, for what, and that a removed one is refused from that moment on. */
let world: PaymentWorld;
let merchant: MerchantId;
let customer: CustomerId;
const names = ["stripe", "acquirer"] as const;

beforeAll(async () => {
  world = await startPaymentWorld({
    providers: names,
    providerDeadlineMs: 500,
    router: { ...ALWAYS_CLOSED, rules: inOrder(...names) },
  });
  merchant = (await testMerchant(world.database.owner)).id;
  customer = await newCustomer();
});
beforeEach(async () => {
  await Promise.all(world.sandboxes.map((sandbox) => sandbox.faults([])));
});
afterAll(async () => {
  expect(await differences(world)).toEqual([]);
  await world.stop();
});

const person = { reference: "42", email: "ada@shop.example", name: "Ada" };
const create = (deps: PaymentDeps, overrides: object = {}) =>
  createCustomer(deps, { merchant, key: newKey(), ...person, ...overrides });

async function newCustomer(of: MerchantId = merchant): Promise<CustomerId> {
  const outcome = await create(world.deps, { merchant: of });
  if (outcome.kind !== "created") throw new Error(outcome.kind);
  return outcome.customer.id;
}

/** A payment with the payer present that stores its card. */
const storing = (
  number?: string,
  store: StoredCredential["reason"] = "recurring",
  returnUrl: string | null = null,
) => {
  const token = world.vault.tokenize(number);
  return authorizeCommand(merchant, token, { source: { type: "token", token, customer, store }, returnUrl });
};

const paying = (method: PaymentMethodId, initiator: "customer" | "merchant" = "merchant", of = merchant) =>
  authorizeCommand(of, "", { source: { type: "stored", method, initiator } });

async function methodOf({ terms }: Payment): Promise<StoredMethod> {
  const method = await world.deps.reads.method(merchant, terms.paymentMethod as PaymentMethodId);
  if (method === null) throw new Error("the payment stores no card");
  return method;
}

const stored = async (number?: string, reason?: StoredCredential["reason"]): Promise<StoredMethod> =>
  methodOf(await paymentOf(authorizeAs(world.deps, storing(number, reason))));

const refused = (code: string) => ({ kind: "invalid", issues: [{ code }] });
const loseAnswer = (provider: "stripe" | "acquirer" = "stripe") =>
  sandboxOf(world, provider).faults([
    {
      match: { operation: provider === "stripe" ? "create" : "authorize" },
      times: 1,
      fault: { kind: "lose_response" },
    },
  ]);

describe("a card", () => {
  it("is stored by a payment, and pays without the payer afterwards", async () => {
    const payment = await paymentOf(authorizeAs(world.deps, storing()));
    const method = await methodOf(payment);
    expect(method).toMatchObject({ status: "active", customer, mandate: { reason: "recurring" } });
    expect(method.networkTransactionId).not.toBeNull();
    expect((await world.deps.reads.methodsOf(merchant, customer)).map(({ id }) => id)).toContain(method.id);
    const again = await paymentOf(authorizeAs(world.deps, paying(method.id)));
    expect(again.terms).toMatchObject({
      customer,
      paymentMethod: method.id,
      stored: { initiator: "merchant", first: false, networkTransactionId: method.networkTransactionId },
    });
    expect(await movementsOf(world, again)).toEqual(["stripe authorized 10000"]);
  });

  it("cannot be paid with before that payment is authorized, and can be once recovery has found that it is", async () => {
    await loseAnswer();
    const payment = await paymentOf(authorizeAs(world.deps, storing()), "pending");
    const { id, status } = await methodOf(payment);
    expect(status).toBe("pending");
    expect(await authorizeAs(world.deps, paying(id))).toMatchObject(refused("UNKNOWN_PAYMENT_METHOD"));
    expect(await world.deps.reads.methodsOf(merchant, customer)).not.toContainEqual(
      expect.objectContaining({ id }),
    );
    await recover(world, otherProcess(world));
    expect((await methodOf(payment)).status).toBe("active");
    expect((await methodOf(payment)).networkTransactionId).not.toBeNull();
    await paymentOf(authorizeAs(world.deps, paying(id)));
  });

  it("is not stored by a payment that is declined", async () => {
    const payment = await paymentOf(authorizeAs(world.deps, storing("4000000000000002")), "declined");
    const { id, status } = await methodOf(payment);
    expect(status).toBe("pending");
    expect(await authorizeAs(world.deps, paying(id))).toMatchObject(refused("UNKNOWN_PAYMENT_METHOD"));
  });

  it("is not stored while the payer has to do something", async () => {
    const command = storing("4000002760003184", "recurring", "https://shop.example/back");
    const payment = await paymentOf(authorizeAs(world.deps, command), "requires_action");
    expect((await methodOf(payment)).status).toBe("pending");
    await world.sandbox.authenticate(payment.providerPayment ?? "", "succeed");
    await recover(world, otherProcess(world));
    expect([stateOf(await reread(world, payment)), (await methodOf(payment)).status]).toEqual([
      "authorized",
      "active",
    ]);
  });

  it("is stored by the attempt that succeeded, with its transaction id", async () => {
    await refuseNext(world, "stripe");
    const payment = await paymentOf(authorizeAs(world.deps, storing()));
    expect(payment.provider).toBe("acquirer");
    const operations = await operationsOf(world, payment);
    const method = await methodOf(payment);
    expect(method.status).toBe("active");
    expect(method.networkTransactionId).toBe(operations.at(-1)?.details?.networkTransactionId);
  });

  it("that has expired since is told", async () => {
    const method = await stored();
    await world.database.owner`
      update payments.payment_method set card = jsonb_set(card, '{expYear}', '2025') where id = ${uuidOf(method.id)}`;
    expect(await authorizeAs(otherProcess(world), paying(method.id))).toMatchObject(refused("EXPIRED_CARD"));
  });
});

describe("what the payer agreed to", () => {
  it("decides: a card stored for use on demand is not charged without them", async () => {
    const { id } = await stored(undefined, "on_demand");
    expect(await authorizeAs(world.deps, paying(id, "merchant"))).toMatchObject(refused("NO_MANDATE"));
    await paymentOf(authorizeAs(world.deps, paying(id, "customer")));
  });

  it.each(["recurring", "installment", "unscheduled"] as const)(
    "lets the merchant charge: %s",
    async (reason) => {
      const { id } = await stored(undefined, reason);
      const payment = await paymentOf(authorizeAs(world.deps, paying(id)));
      expect(payment.terms.stored).toMatchObject({ initiator: "merchant", reason, first: false });
    },
  );
});

describe("what providers are told of a stored card", () => {
  const listening = (): { deps: PaymentDeps; sent: ProviderRequest[] } => {
    const sent: ProviderRequest[] = [];
    const base = otherProcess(world);
    const sendFor: PaymentDeps["transport"]["sendFor"] = (provider, of) => {
      const send = base.transport.sendFor(provider, of);
      return (request, reference) => {
        sent.push(request);
        return send(request, reference);
      };
    };
    return { deps: { ...base, transport: { ...base.transport, sendFor } }, sent };
  };

  it("is the scheme's id of the payment that stored it, also where another provider is asked", async () => {
    const method = await stored();
    const { deps, sent } = listening();
    await refuseNext(world, "stripe");
    const payment = await paymentOf(authorizeAs(deps, paying(method.id)));
    expect(payment.provider).toBe("acquirer");
    expect(sent).toHaveLength(2);
    for (const request of sent) {
      expect(decodeURIComponent(request.body ?? "")).toContain(method.networkTransactionId);
      expect(request.body).not.toContain("card.cvc");
    }
  });

  it("is nothing of a payment before, when it is stored now", async () => {
    const { deps, sent } = listening();
    await paymentOf(authorizeAs(deps, storing()));
    expect(sent[0]?.body).toContain("setup_future_usage");
    expect(sent[0]?.body).not.toContain("network_transaction_id");
  });
});

describe("creating a customer", () => {
  it("is done once for a key, however often it is asked for", async () => {
    const key = newKey();
    const [mine, theirs] = [world.deps, otherProcess(world)];
    const outcomes = await Promise.all([mine, theirs, mine, theirs].map((deps) => create(deps, { key })));
    const ids = outcomes.map((outcome) => (outcome.kind === "created" ? outcome.customer.id : outcome.kind));
    expect(new Set(ids).size).toBe(1);
    expect(await create(otherProcess(world), { key })).toMatchObject({ customer: { id: ids[0], ...person } });
    expect(await create(world.deps, { key, name: "Eve" })).toEqual({ kind: "key_reused" });
  });

  it("takes no key that a payment has, and gives none to it", async () => {
    const command = authorizeCommand(merchant, world.vault.tokenize());
    await paymentOf(authorizeAs(world.deps, command));
    expect(await create(world.deps, { key: command.key })).toEqual({ kind: "key_reused" });
    const key = newKey();
    await create(world.deps, { key });
    const later = authorizeCommand(merchant, world.vault.tokenize(), { key });
    expect(await authorizeAs(world.deps, later)).toEqual({ kind: "key_reused" });
  });
});

describe("another merchant", () => {
  it("sees neither the customer nor the card, and can do nothing with them", async () => {
    const stranger = (await testMerchant(world.database.owner)).id;
    const method = await stored();
    const { reads } = world.deps;
    expect(await reads.customer(stranger, customer)).toBeNull();
    expect(await reads.method(stranger, method.id)).toBeNull();
    expect(await reads.methodsOf(stranger, customer)).toEqual([]);
    expect(await authorizeAs(world.deps, paying(method.id, "merchant", stranger))).toMatchObject(
      refused("UNKNOWN_PAYMENT_METHOD"),
    );
    expect(await removePaymentMethod(world.deps, stranger, method.id)).toBeNull();
    const token = world.vault.tokenize();
    const source = { type: "token", token, customer, store: "recurring" } as const;
    expect(await authorizeAs(world.deps, authorizeCommand(stranger, token, { source }))).toMatchObject(
      refused("UNKNOWN_CUSTOMER"),
    );
    await paymentOf(authorizeAs(world.deps, paying(method.id)));
  });

  it("cannot pay with the card even if it got hold of all that is known of it", async () => {
    const stranger = (await testMerchant(world.database.owner)).id;
    const method = await stored();
    const theirs = { ...world.deps, reads: { ...world.deps.reads, method: async () => method } };
    expect(await authorizeAs(theirs, paying(method.id, "merchant", stranger))).toMatchObject(
      refused("UNKNOWN_PAYMENT_METHOD"),
    );
  });

  it("is kept apart by the database itself, whatever the query", async () => {
    await stored();
    const stranger = (await testMerchant(world.database.owner)).id;
    const reader = createTenantReader("tessera_payments", world.database.url, 1);
    const tables = ["customer", "payment_method", "payment_terms", "in_flight"];
    const counts = async (of: MerchantId) =>
      Promise.all(
        tables.map(async (table) => {
          const [rows] = await reader.read(of, { text: `select 1 from payments.${table}`, parameters: [] });
          return rows?.length ?? 0;
        }),
      );
    await loseAnswer();
    await paymentOf(authorizeAs(world.deps, storing()), "pending");
    expect((await counts(merchant)).every((count) => count > 0)).toBe(true);
    expect(await counts(stranger)).toEqual([0, 0, 0, 0]);
    await reader.close();
    await recover(world, otherProcess(world));
  });
});
