import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attemptsOf, refuseNext } from "../../../test/support/attempt-steps.ts";
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
import type { Operation } from "../domain/operation.ts";
import { type Payment, stateOf } from "../domain/payment.ts";
import type { Router } from "../routing/router.ts";
import { confirmCheckout, openCheckout, viewSession } from "./checkout.ts";
import type { PaymentDeps } from "./deps.ts";

/**
 * Attempts that a repetition, a crash or another process comes between: Stripe is asked first, then the acquirer, then Adyen.
 */
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

describe("a process that dies", () => {
  const dying = (point: string): PaymentDeps => ({
    ...otherProcess(world),
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
    await recover(world, otherProcess(world));
    expect(await attemptsOf(world, payment)).toEqual([[0, "stripe", "declined", "processing_error", "rule"]]);
    expect(stateOf(await reread(world, payment))).toBe("declined");
    expect((await paymentOf(authorizeAs(world.deps, asked), "declined")).id).toBe(payment.id);
  });

  it("after the next attempt was claimed leaves that one to recovery, and it is carried out once", async () => {
    await refuseNext(world, "stripe");
    const payment = await abandoned(dying("authorize.after-commit-2"), command());
    expect([payment.attempt, payment.provider]).toEqual([1, "acquirer"]);
    await recover(world, otherProcess(world));
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    expect(stateOf(await reread(world, payment))).toBe("authorized");
  });

  it("after the second provider was asked: the charge is found, and there is one", async () => {
    await refuseNext(world, "stripe");
    let asked = 0;
    const deps: PaymentDeps = {
      ...otherProcess(world),
      crash: (name) => {
        if (name === "authorize.after-provider" && ++asked === 2) throw new Error("killed");
      },
    };
    const payment = await abandoned(deps, command());
    await recover(world, otherProcess(world));
    expect(await movementsOf(world, payment)).toEqual(["acquirer authorized 10000"]);
    expect(stateOf(await reread(world, payment))).toBe("authorized");
  });
});

describe("two processes that record the same failure at once", () => {
  it("begin one further attempt between them, or none", async () => {
    for (let round = 0; round < 6; round++) {
      const asked = command("4000000000000119");
      const base = otherProcess(world);
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
      const recovering = recover(world, otherProcess(world), { sweeps: 1 });
      if (round % 2 === 0) await recovering;
      held.resolve();
      await recovering;
      const ended = await outcome;
      const payment = "payment" in ended ? ended.payment : await paymentOf(ended);
      const attempts = await attemptsOf(world, payment);
      const now = await reread(world, payment);
      if (round % 2 === 0) expect([attempts.length, stateOf(now)]).toEqual([1, "declined"]);
      expect(attempts.length).toBeLessThanOrEqual(3);
      expect(now.attempt).toBe(attempts.length - 1);
      expect(attempts.filter(([, , state]) => state === "claimed")).toEqual([]);
      expect(await movementsOf(world, payment)).toEqual([]);
    }
  });
});

describe("the same request again", () => {
  it("is answered with the payment, though its key names an attempt that failed", async () => {
    await refuseNext(world, "stripe");
    const asked = command();
    const [mine, theirs] = [world.deps, otherProcess(world)];
    const outcomes = await Promise.all([mine, theirs, mine, theirs].map((deps) => authorizeAs(deps, asked)));
    const payments = await Promise.all(outcomes.map((outcome) => paymentOf(outcome)));
    const claim = await world.deps.reads.claim(merchant, asked.key);
    const [first] = await operationsOf(world, payments[0] as Payment);
    expect([claim?.subject, first?.state]).toEqual([uuidOf(first?.id as Operation["id"]), "failed"]);
    expect(new Set(payments.map(({ id }) => id)).size).toBe(1);
    expect((await paymentOf(authorizeAs(otherProcess(world), asked))).id).toBe(payments[0]?.id);
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
    const down = { ...otherProcess(world), providers, router: { ...router, choose } };
    expect((await paymentOf(authorizeAs(down, asked))).id).toBe(payment.id);
    const other = { ...asked, amount: moneyOf(10_001n, "EUR") };
    expect(await authorizeAs(down, other)).toEqual({ kind: "key_reused" });
    expect(await authorizeAs(down, { ...asked, key: newKey() })).toEqual({ kind: "unavailable" });
  });

  it("of a checkout session is paid, once, whichever attempt paid", async () => {
    await refuseNext(world, "stripe");
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
    expect((await confirm(otherProcess(world))).kind).toBe("paid");
    const view = await viewSession(world.deps, merchant, opened.session.id);
    expect([view?.status, view?.payment?.provider]).toEqual(["complete", "acquirer"]);
    expect(await movementsOf(world, view?.payment as Payment)).toEqual([
      "acquirer authorized 4900",
      "acquirer captured 4900",
    ]);
  });
});
