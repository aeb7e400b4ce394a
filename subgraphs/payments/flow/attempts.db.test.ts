import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attemptsOf, refuseNext } from "../../../test/support/attempt-steps.ts";
import { testMerchant } from "../../../test/support/database.ts";
import {
  act,
  differences,
  eventsOf,
  inOrder,
  movementsOf,
  operationsOf,
  otherProcess,
  paymentOf,
  recover,
  reread,
  rulesAtHand,
  sandboxOf,
} from "../../../test/support/payment-steps.ts";
import {
  ALWAYS_CLOSED,
  authorizeAs,
  authorizeCommand,
  type PaymentWorld,
  startPaymentWorld,
} from "../../../test/support/payments.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import type { Connector, ProviderResponse } from "../connectors/connector.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import { createRouter } from "../routing/create-router.ts";
import { createProviders, type Router } from "../routing/router.ts";
import type { PaymentDeps } from "./deps.ts";

/** One provider after the other, and never two charges: Stripe is asked first, then the acquirer, then Adyen. */
let world: PaymentWorld;
let merchant: MerchantId;
const order = ["stripe", "acquirer", "adyen"] as const;
const rules = inOrder(...order);

beforeAll(async () => {
  world = await startPaymentWorld({
    providers: order,
    providerDeadlineMs: 600,
    router: { ...ALWAYS_CLOSED, rules },
  });
  merchant = (await testMerchant(world.database.owner)).id;
});
beforeEach(() => Promise.all(world.sandboxes.map((sandbox) => sandbox.faults([]))));
afterAll(async () => {
  expect(await differences(world)).toEqual([]);
  await world.stop();
});

const command = (number?: string, overrides: Parameters<typeof authorizeCommand>[2] = {}) =>
  authorizeCommand(merchant, world.vault.tokenize(number), overrides);

/** Another process whose first choice meets this instead of an answer. */
function meeting(
  refusal: Extract<ProviderResponse, { kind: "not_sent" | "lost" }>,
  provider = "stripe",
): PaymentDeps {
  const { router } = world.deps;
  const guarded: Router["guarded"] = (name, send) =>
    name === provider ? async () => refusal : router.guarded(name, send);
  return { ...otherProcess(world), router: { ...router, guarded } };
}

describe("a provider that refuses", () => {
  it("is followed by the next: one charge, and the attempts say why", async () => {
    await refuseNext(world, "stripe");
    const payment = await paymentOf(authorizeAs(world.deps, command()));
    expect([stateOf(payment), payment.provider, payment.attempt]).toEqual(["authorized", "acquirer", 1]);
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    expect(await attemptsOf(world, payment)).toEqual([
      [0, "stripe", "failed", "provider_refused", "rule"],
      [1, "acquirer", "succeeded", null, "cascade"],
    ]);
    const [first, second] = await operationsOf(world, payment);
    expect(first?.reference).not.toBe(second?.reference);
    expect(second?.routing?.candidates.find(({ provider }) => provider === "stripe")?.excluded).toBe("tried");
    // Nobody was told of a failure: the payment had none.
    expect(await eventsOf(world, payment)).toEqual(["authorized"]);
  });

  it("has nothing to do with what follows: captures and refunds go where the money is", async () => {
    await refuseNext(world, "stripe");
    const payment = await paymentOf(authorizeAs(world.deps, command()));
    await paymentOf(act(world.deps, "capture", payment, 6_000n));
    await paymentOf(act(world.deps, "refund", payment, 1_000n));
    expect(await movementsOf(world, payment)).toEqual([
      "acquirer authorized 10000",
      "acquirer captured 6000",
      "acquirer released 4000",
      "acquirer refunded 1000",
    ]);
  });

  it("may be followed by two others, and no more: the payment fails with the last one's reason", async () => {
    for (const provider of order) await refuseNext(world, provider, 9);
    const { all } = world.deps.providers;
    const providers = createProviders([...all, { ...(all[0] as Connector), name: "fourth" }]);
    const inLine = inOrder(...order, "fourth");
    const router = createRouter(providers, { ...ALWAYS_CLOSED, rules: inLine });
    const asked = command();
    const payment = await paymentOf(
      authorizeAs({ ...otherProcess(world), providers, router }, asked),
      "failed",
    );
    expect(
      (await attemptsOf(world, payment)).map(([attempt, provider, state]) => [attempt, provider, state]),
    ).toEqual([
      [0, "stripe", "failed"],
      [1, "acquirer", "failed"],
      [2, "adyen", "failed"],
    ]);
    expect(await movementsOf(world, payment)).toEqual([]);
    expect(await eventsOf(world, payment)).toEqual(["failed"]);
    // The key is that payment's for good, also when the providers take payments again.
    await Promise.all(world.sandboxes.map((sandbox) => sandbox.faults([])));
    expect((await paymentOf(authorizeAs(otherProcess(world), asked), "failed")).id).toBe(payment.id);
  });

  it("could not even be reached, or was left alone by its breaker: the same", async () => {
    const away = { kind: "not_sent", code: "UNREACHABLE", because: "ECONNREFUSED" } as const;
    const open = { kind: "not_sent", code: "BREAKER_OPEN", because: "left alone" } as const;
    for (const refusal of [away, open]) {
      const payment = await paymentOf(authorizeAs(meeting(refusal), command()));
      expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
      const [first] = await operationsOf(world, payment);
      expect([first?.provider, first?.state, first?.failure?.providerCode]).toEqual([
        "stripe",
        "failed",
        refusal.code,
      ]);
    }
  });
});

describe("the security code", () => {
  it("goes with every attempt, though the vault gives it for one payment only", async () => {
    await refuseNext(world, "stripe");
    const payment = await paymentOf(authorizeAs(world.deps, command()));
    const [first, second] = await operationsOf(world, payment);
    expect(first?.details?.cvc ?? null).toBeNull();
    expect(second?.details?.cvc).toBe("match");
  });

  it("is forgotten after the last attempt, not after the first", async () => {
    await refuseNext(world, "stripe");
    const forgetting: string[] = [];
    const forget = (_: MerchantId, token: string) => void forgetting.push(token);
    const deps = { ...otherProcess(world), forgetter: { forget, flush: async () => {} } };
    const payment = await paymentOf(authorizeAs(deps, command()));
    expect(forgetting).toEqual([payment.terms.card.token]);
  });
});

describe("nobody else is asked", () => {
  const alone = async (payment: Payment, provider: string) =>
    expect((await attemptsOf(world, payment)).map(([, name]) => name)).toEqual([provider]);

  it.each(["lose_response", "reset", "hang"] as const)(
    "after an outcome that is not known: %s",
    async (kind) => {
      await sandboxOf(world, "stripe").faults([
        { match: { operation: "create" }, times: 1, fault: { kind } },
      ]);
      const payment = await paymentOf(authorizeAs(world.deps, command()), "pending");
      await recover(world, otherProcess(world));
      await alone(payment, "stripe");
      expect(await movementsOf(world, payment)).toEqual(["stripe authorized 10000"]);
    },
  );

  it.each([
    ["4000000000000002", "generic_decline"],
    ["4000000000009995", "insufficient_funds"],
    ["4000000000009987", "lost_card"],
    ["4000000000000127", "incorrect_cvc"],
    ["4000002760003184", "authentication_required"],
  ])("after the issuer's no: %s, %s", async (number, code) => {
    const payment = await paymentOf(authorizeAs(world.deps, command(number)), "declined");
    expect(payment.decline?.code).toBe(code);
    await alone(payment, "stripe");
  });

  it.each(["card_not_supported", "not_permitted", "currency_not_supported"])(
    "after the issuer's %s, which would be the same elsewhere",
    async (declineCode) => {
      await sandboxOf(world, "stripe").faults([
        { match: { operation: "create" }, times: 1, fault: { kind: "decline", declineCode } },
      ]);
      await alone(await paymentOf(authorizeAs(world.deps, command()), "declined"), "stripe");
    },
  );

  it("after a refusal that is about the card, and would be the same elsewhere", async () => {
    const body = { status: 422, errorCode: "101", message: "", errorType: "validation" };
    await sandboxOf(world, "adyen").faults([
      { match: { operation: "authorise" }, times: 1, fault: { kind: "status", status: 422, body } },
    ]);
    const first = inOrder("adyen", "stripe");
    const router = createRouter(world.deps.providers, { ...ALWAYS_CLOSED, rules: first });
    const payment = await paymentOf(authorizeAs({ ...otherProcess(world), router }, command()), "failed");
    expect(payment.decline?.code).toBe("incorrect_number");
    await alone(payment, "adyen");
  });

  it("while the payer has to do something", async () => {
    const asked = command("4000002760003184", { returnUrl: "https://shop.example/back" });
    const payment = await paymentOf(authorizeAs(world.deps, asked), "requires_action");
    await alone(payment, "stripe");
    expect((await paymentOf(authorizeAs(otherProcess(world), asked), "requires_action")).id).toBe(payment.id);
    await world.sandbox.authenticate(payment.providerPayment ?? "", "fail");
    await recover(world, otherProcess(world), { sweeps: 1 });
    expect(stateOf(await reread(world, payment))).toBe("declined");
    await alone(payment, "stripe");
  });
});

it("an issuer that could not be reached may be reached through another", async () => {
  await sandboxOf(world, "stripe").faults([
    {
      match: { operation: "create" },
      times: 1,
      fault: { kind: "decline", declineCode: "issuer_not_available" },
    },
  ]);
  const payment = await paymentOf(authorizeAs(world.deps, command()));
  expect(await attemptsOf(world, payment)).toMatchObject([
    [0, "stripe", "declined", "issuer_unavailable", "rule"],
    [1, "acquirer", "succeeded", null, "cascade"],
  ]);
});

describe("a breaker", () => {
  it("that has opened leaves the provider out, and the reason says so", async () => {
    const deps = { ...otherProcess(world), router: createRouter(world.deps.providers, { rules }) };
    await sandboxOf(world, "stripe").faults([{ match: { operation: "create" }, fault: { kind: "reset" } }]);
    for (let failure = 0; failure < 5; failure++) await paymentOf(authorizeAs(deps, command()), "pending");
    const payment = await paymentOf(authorizeAs(deps, command()));
    const [only] = await operationsOf(world, payment);
    expect(only?.provider).toBe("acquirer");
    expect(only?.routing?.candidates.find(({ provider }) => provider === "stripe")?.excluded).toBe(
      "breaker_open",
    );
    await sandboxOf(world, "stripe").faults([]);
    await recover(world, otherProcess(world));
  });
});

it("a payment that risk refused while nobody could take it has nobody to follow it up", async () => {
  const shop = (await testMerchant(world.database.owner)).id;
  await world.database.owner`
    insert into risk.list_entry (shard, merchant, kind, value, list)
    values (7, ${uuidOf(shop)}, 'card', 'fp_4242', 'block')`;
  const router = createRouter(world.deps.providers, {
    rules: rulesAtHand(`never ${order.join(", ")}`, order),
  });
  const deps = { ...otherProcess(world), router };
  const asked = authorizeCommand(shop, world.vault.tokenize());
  const blocked = await paymentOf(authorizeAs(deps, asked), "declined");
  expect(blocked.decline?.code).toBe("blocked_by_risk");
  for (const kind of ["capture", "void", "refund", "increment"] as const)
    expect(await act(world.deps, kind, blocked, 1n)).toMatchObject({ kind: "illegal_state" });
});
