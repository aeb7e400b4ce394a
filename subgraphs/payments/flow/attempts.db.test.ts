import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import {
  act,
  differences,
  eventsOf,
  inOrder,
  movementsOf,
  operationsOf,
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
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { ProviderResponse } from "../connectors/connector.ts";
import type { Operation } from "../domain/operation.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import { createRouter } from "../routing/create-router.ts";
import type { Router } from "../routing/router.ts";
import { confirmCheckout, openCheckout, viewSession } from "./checkout.ts";
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

const CREATES = { stripe: "create", acquirer: "authorize", adyen: "authorise" } as const;
/** Answers after which nothing was done, in each provider's words. */
const REFUSALS = {
  stripe: {
    status: 400,
    body: { error: { type: "invalid_request_error", code: "parameter_unknown", message: "" } },
  },
  acquirer: { status: 400, body: { error: { code: "format_error", message: "" } } },
  adyen: { status: 422, body: { status: 422, errorCode: "14_006", message: "", errorType: "validation" } },
} as const;

const refuse = (provider: keyof typeof REFUSALS, times = 1) =>
  sandboxOf(world, provider).faults([
    { match: { operation: CREATES[provider] }, times, fault: { kind: "status", ...REFUSALS[provider] } },
  ]);

const command = (number?: string, overrides: Parameters<typeof authorizeCommand>[2] = {}) =>
  authorizeCommand(merchant, world.vault.tokenize(number), overrides);

const attemptsOf = async (payment: Payment) =>
  (await operationsOf(world, payment))
    .filter(({ kind }) => kind === "authorize")
    .map(({ provider, attempt, state, failure, routing }) => [
      attempt,
      provider,
      state,
      failure?.code ?? null,
      routing?.because ?? null,
    ]);

/** Another process whose first choice meets this instead of an answer. */
function meeting(
  refusal: Extract<ProviderResponse, { kind: "not_sent" | "lost" }>,
  provider = "stripe",
): PaymentDeps {
  const { router } = world.deps;
  const guarded: Router["guarded"] = (name, send) =>
    name === provider ? async () => refusal : router.guarded(name, send);
  return { ...world.another(), router: { ...router, guarded } };
}

describe("a provider that refuses", () => {
  it("is followed by the next: one charge, and the attempts say why", async () => {
    await refuse("stripe");
    const payment = await paymentOf(authorizeAs(world.deps, command()));
    expect([stateOf(payment), payment.provider, payment.attempt]).toEqual(["authorized", "acquirer", 1]);
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    expect(await attemptsOf(payment)).toEqual([
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
    await refuse("stripe");
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
    for (const provider of order) await refuse(provider, 9);
    const asked = command();
    const payment = await paymentOf(authorizeAs(world.deps, asked), "failed");
    expect(
      (await attemptsOf(payment)).map(([attempt, provider, state]) => [attempt, provider, state]),
    ).toEqual([
      [0, "stripe", "failed"],
      [1, "acquirer", "failed"],
      [2, "adyen", "failed"],
    ]);
    expect(await movementsOf(world, payment)).toEqual([]);
    expect(await eventsOf(world, payment)).toEqual(["failed"]);
    // The key is that payment's for good, also when the providers take payments again.
    await Promise.all(world.sandboxes.map((sandbox) => sandbox.faults([])));
    expect((await paymentOf(authorizeAs(world.another(), asked), "failed")).id).toBe(payment.id);
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
    await refuse("stripe");
    const payment = await paymentOf(authorizeAs(world.deps, command()));
    const [first, second] = await operationsOf(world, payment);
    expect(first?.details?.cvc ?? null).toBeNull();
    expect(second?.details?.cvc).toBe("match");
  });

  it("is forgotten after the last attempt, not after the first", async () => {
    await refuse("stripe");
    const forgetting: string[] = [];
    const forget = (_: MerchantId, token: string) => void forgetting.push(token);
    const deps = { ...world.another(), forgetter: { forget, flush: async () => {} } };
    const payment = await paymentOf(authorizeAs(deps, command()));
    expect(forgetting).toEqual([payment.terms.card.token]);
  });
});

describe("nobody else is asked", () => {
  const alone = async (payment: Payment, provider: string) =>
    expect((await attemptsOf(payment)).map(([, name]) => name)).toEqual([provider]);

  it.each(["lose_response", "reset", "hang"] as const)(
    "after an outcome that is not known: %s",
    async (kind) => {
      await sandboxOf(world, "stripe").faults([
        { match: { operation: "create" }, times: 1, fault: { kind } },
      ]);
      const payment = await paymentOf(authorizeAs(world.deps, command()), "pending");
      await recover(world, world.another());
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

  it("while the payer has to do something", async () => {
    const asked = command("4000002760003184", { returnUrl: "https://shop.example/back" });
    const payment = await paymentOf(authorizeAs(world.deps, asked), "requires_action");
    await alone(payment, "stripe");
    expect((await paymentOf(authorizeAs(world.another(), asked), "requires_action")).id).toBe(payment.id);
    await world.sandbox.authenticate(payment.providerPayment ?? "", "fail");
    await recover(world, world.another(), { sweeps: 1 });
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
  expect(await attemptsOf(payment)).toMatchObject([
    [0, "stripe", "declined", "issuer_unavailable", "rule"],
    [1, "acquirer", "succeeded", null, "cascade"],
  ]);
});

describe("the same request again", () => {
  it("is answered with the payment, though its key names an attempt that failed", async () => {
    await refuse("stripe");
    const asked = command();
    const [mine, theirs] = [world.deps, world.another()];
    const outcomes = await Promise.all([mine, theirs, mine, theirs].map((deps) => authorizeAs(deps, asked)));
    const payments = await Promise.all(outcomes.map((outcome) => paymentOf(outcome)));
    const claim = await world.deps.reads.claim(merchant, asked.key);
    const [first] = await operationsOf(world, payments[0] as Payment);
    expect([claim?.subject, first?.state]).toEqual([uuidOf(first?.id as Operation["id"]), "failed"]);
    expect(new Set(payments.map(({ id }) => id)).size).toBe(1);
    expect((await paymentOf(authorizeAs(world.another(), asked))).id).toBe(payments[0]?.id);
    expect(await movementsOf(world, payments[0] as Payment)).toEqual(["acquirer authorized 10000"]);
  });

  it("is answered with the payment also while nobody could take a new one", async () => {
    const asked = command();
    const payment = await paymentOf(authorizeAs(world.deps, asked));
    const { providers, router } = world.deps;
    const choose: Router["choose"] = (facts) => {
      const { reason } = router.choose(facts, []);
      const candidates = reason.candidates.map((one) => ({ ...one, excluded: "breaker_open" as const }));
      return { provider: null, reason: { ...reason, candidates } };
    };
    const down = { ...world.another(), providers, router: { ...router, choose } };
    expect((await paymentOf(authorizeAs(down, asked))).id).toBe(payment.id);
    const other = { ...asked, amount: moneyOf(10_001n, "EUR") };
    expect(await authorizeAs(down, other)).toEqual({ kind: "key_reused" });
    expect(await authorizeAs(down, { ...asked, key: newKey() })).toEqual({ kind: "unavailable" });
  });

  it("of a checkout session is paid, once, whichever attempt paid", async () => {
    await refuse("stripe");
    const opened = await openCheckout(world.deps, {
      merchant,
      key: newKey(),
      amount: moneyOf(4_900n, "EUR"),
      captureMethod: "automatic",
      description: null,
      reference: null,
      returnUrl: null,
    });
    if (opened.kind !== "opened") throw new Error(opened.kind);
    const confirm = (deps: PaymentDeps) =>
      confirmCheckout(deps, {
        merchant,
        session: opened.session.id,
        token: world.vault.tokenize(),
        attempt: 0,
        payer: { ip: null, country: null, email: null },
        browser: null,
      });
    expect((await confirm(world.deps)).kind).toBe("paid");
    expect((await confirm(world.another())).kind).toBe("paid");
    const view = await viewSession(world.deps, merchant, opened.session.id);
    expect([view?.status, view?.payment?.provider]).toEqual(["complete", "acquirer"]);
    expect(await movementsOf(world, view?.payment as Payment)).toEqual([
      "acquirer authorized 4900",
      "acquirer captured 4900",
    ]);
  });
});

describe("a process that dies", () => {
  const dying = (point: string): PaymentDeps => ({
    ...world.another(),
    crash: (name) => {
      if (name === point) throw new Error(`killed at ${name}`);
    },
  });

  async function abandoned(deps: PaymentDeps, asked: ReturnType<typeof command>): Promise<Payment> {
    await expect(authorizeAs(deps, asked)).rejects.toThrow("killed");
    const claim = await world.deps.reads.claim(merchant, asked.key);
    return (await world.deps.reads.payment(merchant, claim?.payment as Payment["id"])) as Payment;
  }

  it("between a failure and its recording leaves it to recovery, which begins no other attempt", async () => {
    const asked = command("4000000000000119");
    const payment = await abandoned(dying("authorize.before-commit-2"), asked);
    expect(stateOf(payment)).toBe("processing");
    await recover(world, world.another());
    expect(await attemptsOf(payment)).toEqual([[0, "stripe", "declined", "processing_error", "rule"]]);
    expect(stateOf(await reread(world, payment))).toBe("declined");
    expect((await paymentOf(authorizeAs(world.deps, asked), "declined")).id).toBe(payment.id);
  });

  it("after the next attempt was claimed leaves that one to recovery, and it is carried out once", async () => {
    await refuse("stripe");
    const payment = await abandoned(dying("authorize.after-commit-2"), command());
    expect([payment.attempt, payment.provider]).toEqual([1, "acquirer"]);
    await recover(world, world.another());
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    expect(stateOf(await reread(world, payment))).toBe("authorized");
  });

  it("after the second provider was asked: the charge is found, and there is one", async () => {
    await refuse("stripe");
    let asked = 0;
    const deps: PaymentDeps = {
      ...world.another(),
      crash: (name) => {
        if (name === "authorize.after-provider" && ++asked === 2) throw new Error("killed");
      },
    };
    const payment = await abandoned(deps, command());
    await recover(world, world.another());
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    expect(stateOf(await reread(world, payment))).toBe("authorized");
  });
});

describe("two processes that record the same failure at once", () => {
  it("begin one further attempt between them, or none", async () => {
    for (let round = 0; round < 6; round++) {
      const asked = command("4000000000000119");
      const base = world.another();
      // The flow's process records no earlier than recovery may; whoever is first has it.
      const held = Promise.withResolvers<void>();
      let claims = 0;
      const slow: PaymentDeps = {
        ...base,
        commit: async (commit) => {
          if (++claims === 2) await held.promise;
          return base.commit(commit);
        },
      };
      const outcome = authorizeAs(slow, asked);
      await expect.poll(() => claims).toBe(2);
      const recovering = recover(world, world.another(), { sweeps: 1 });
      if (round % 2 === 0) await recovering;
      held.resolve();
      await recovering;
      const ended = await outcome;
      const payment = "payment" in ended ? ended.payment : await paymentOf(ended);
      const attempts = await attemptsOf(payment);
      const now = await reread(world, payment);
      if (round % 2 === 0) expect([attempts.length, stateOf(now)]).toEqual([1, "declined"]);
      expect(attempts.length).toBeLessThanOrEqual(3);
      expect(now.attempt).toBe(attempts.length - 1);
      expect(attempts.filter(([, , state]) => state === "claimed")).toEqual([]);
      expect(await movementsOf(world, payment)).toEqual([]);
    }
  });
});

describe("a breaker", () => {
  it("that has opened leaves the provider out, and the reason says so", async () => {
    const deps = { ...world.another(), router: createRouter(world.deps.providers, { rules }) };
    await sandboxOf(world, "stripe").faults([{ match: { operation: "create" }, fault: { kind: "reset" } }]);
    for (let failure = 0; failure < 5; failure++) await paymentOf(authorizeAs(deps, command()), "pending");
    const payment = await paymentOf(authorizeAs(deps, command()));
    const [only] = await operationsOf(world, payment);
    expect(only?.provider).toBe("acquirer");
    expect(only?.routing?.candidates.find(({ provider }) => provider === "stripe")?.excluded).toBe(
      "breaker_open",
    );
    await sandboxOf(world, "stripe").faults([]);
    await recover(world, world.another());
  });
});
