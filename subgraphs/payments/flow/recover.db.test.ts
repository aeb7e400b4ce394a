import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
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
import type { CaptureMethod, Payment } from "../domain/payment.ts";
import { stateOf } from "../domain/payment.ts";
import type { PaymentDeps } from "./deps.ts";
import { type FollowUpKind, followUp } from "./follow-up.ts";
import type { Outcome } from "./outcome.ts";
import { createRecovery } from "./recover.ts";

/**
 * What becomes of operations whose answer never came. The provider's book is read from the provider itself:
 * whatever the faults, it must hold one charge, and payment and ledger must say the same.
 */
let world: PaymentWorld;
let merchant: MerchantId;
/** Other processes, in turn: each takes connections. */
let others: readonly PaymentDeps[];
let turn = 0;
const another = (): PaymentDeps => others[turn++ % others.length] as PaymentDeps;

beforeAll(async () => {
  world = await startPaymentWorld({ providerDeadlineMs: 400 });
  others = [world.another(), world.another(), world.another()];
  merchant = (await testMerchant(world.database.owner)).id;
});
beforeEach(() => world.sandbox.clearFaults());
afterAll(() => world.stop());

const fail = (outcome: Outcome): never => {
  throw new Error(`unexpected ${outcome.kind}`);
};
const pendingPayment = (outcome: Outcome): Payment =>
  outcome.kind === "pending" ? outcome.payment : fail(outcome);
const succeededPayment = (outcome: Outcome): Payment =>
  outcome.kind === "succeeded" ? outcome.payment : fail(outcome);

const start = (captureMethod: CaptureMethod = "manual", deps: PaymentDeps = world.deps) =>
  authorizeAs(deps, authorizeCommand(merchant, world.vault.tokenize(), { captureMethod }));

const act = (kind: FollowUpKind, payment: Payment, minor: bigint | null, final = true) =>
  followUp(world.deps, kind, {
    merchant,
    key: newKey(),
    payment: payment.id,
    amount: minor === null ? null : moneyOf(minor, "EUR"),
    final,
  });

const movements = async (payment: Payment) =>
  (await world.sandbox.book({ metadata: { tessera_payment: payment.id } })).movements.map(
    ({ kind, amount }) => `${kind} ${amount}`,
  );

/** Makes everything unknown due, and sweeps until nothing is or `sweeps` are over. */
async function recover(deps: PaymentDeps = another(), sweeps = 20): Promise<void> {
  const recovery = createRecovery(deps);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    await world.database.owner`update payments.in_flight set resolve_after = now()`;
    await recovery.sweep();
    if ((await deps.queue.unresolved()).count === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const reread = async (payment: Payment): Promise<Payment> => {
  const now = await world.deps.reads.payment(merchant, payment.id);
  if (now === null) throw new Error("a payment does not vanish");
  return now;
};

/** Payment, ledger and the provider's book agree to the cent. */
async function expectAgreement(payment: Payment): Promise<void> {
  const now = await reread(payment);
  expect([now.capturing, now.refunding, now.closing]).toEqual([0n, 0n, false]);
  const { paymentIntents } = await world.sandbox.book({ metadata: { tessera_payment: payment.id } });
  const totals = Object.values(paymentIntents);
  const sum = (key: "authorized" | "captured" | "refunded") =>
    BigInt(totals.reduce((total, intent) => total + (intent as Record<typeof key, number>)[key], 0));
  expect([sum("captured"), sum("refunded")]).toEqual([now.captured, now.refunded]);
  expect(sum("authorized")).toBe(now.authorized);
  const [ledger] = await world.database.owner`
    select coalesce(sum(t.amount) filter (where t.kind in (0, 2) and d.code = 'provider_receivable'), 0)::bigint
             as captured,
           coalesce(sum(t.amount) filter (where t.kind in (0, 2) and c.code = 'provider_receivable'), 0)::bigint
             as refunded
    from ledger.payment_journal j
    join ledger.transfer t on t.shard = j.shard and ledger.commit_of(t.id) = j.commit
    join ledger.account d on d.shard = t.shard and d.id = t.debit
    join ledger.account c on c.shard = t.shard and c.id = t.credit
    where j.payment = ${uuidOf(payment.id)}`;
  expect([ledger?.["captured"], ledger?.["refunded"]]).toEqual([now.captured, now.refunded]);
}

const AUTHORIZED = ["authorized 10000"];
const SOLD = ["authorized 10000", "captured 10000"];

describe.each<[string, CaptureMethod, string, string[]]>([
  ["to be captured later", "manual", "authorized", AUTHORIZED],
  ["captured at once", "automatic", "captured", SOLD],
])("an authorization, %s", (_, captureMethod, state, charged) => {
  const faults = {
    "whose answer is lost": { kind: "lose_response" },
    "that lands after its connection broke": { kind: "land_late", afterMs: 700 },
    "that hangs": { kind: "hang" },
    "answered 500 without being done": { kind: "status", status: 500 },
    "answered 503 though it was done": { kind: "status_after", status: 503 },
    "answered 409": { kind: "status", status: 409 },
    "answered 429": { kind: "status", status: 429 },
    "answered with garbage, though it was done": { kind: "garbage", work: true },
    "answered with garbage": { kind: "garbage", work: false },
    "whose connection was reset": { kind: "reset" },
  } as const;
  for (const [name, fault] of Object.entries(faults)) {
    it(`${name} is pending, then what the provider's book says, charged once`, async () => {
      await world.sandbox.faults({ match: { operation: "create" }, times: 1, fault });
      const payment = pendingPayment(await start(captureMethod));
      expect(stateOf(payment)).toBe("processing");
      await recover();
      await new Promise((resolve) => setTimeout(resolve, fault.kind === "land_late" ? 900 : 0));
      expect(stateOf(await reread(payment))).toBe(state);
      expect(await movements(payment)).toEqual(charged);
      await expectAgreement(payment);
    });
  }
});

describe("a decline whose answer is lost", () => {
  it("is declined", async () => {
    await world.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    const token = world.vault.tokenize("4000000000009995");
    const payment = pendingPayment(await authorizeAs(world.deps, authorizeCommand(merchant, token)));
    await recover();
    const now = await reread(payment);
    expect([stateOf(now), now.decline?.code]).toEqual(["declined", "insufficient_funds"]);
    expect(await movements(payment)).toEqual([]);
  });
});

describe("a provider that forgets its idempotency keys too early", () => {
  it("does not charge twice when the answer was lost", async () => {
    await world.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    const payment = pendingPayment(await start("automatic"));
    await world.sandbox.expireKeys();
    await recover();
    expect(await movements(payment)).toEqual(SOLD);
    await expectAgreement(payment);
  });

  it.each(["capture", "refund", "void"] as const)(
    "does not %s twice when the answer was lost",
    async (kind) => {
      const payment = succeededPayment(await start());
      if (kind === "refund") await act("capture", payment, null);
      await world.sandbox.faults({
        match: { operation: kind === "void" ? "cancel" : kind },
        times: 1,
        fault: { kind: "lose_response" },
      });
      pendingPayment(await act(kind, payment, kind === "void" ? null : 4_000n));
      await world.sandbox.expireKeys();
      await recover();
      await expectAgreement(payment);
      const moved = { capture: "captured 4000", refund: "refunded 4000", void: "released 10000" }[kind];
      expect((await movements(payment)).filter((movement) => movement === moved)).toHaveLength(1);
    },
  );
});

describe("beyond the provider's idempotency window", () => {
  it("a charge that lands after 'not found' is found, and never sent again", async () => {
    const other = await startPaymentWorld({
      providerDeadlineMs: 300,
      stripe: { idempotencyWindowMs: 0, maxRequestLifetimeMs: 2_500 },
    });
    try {
      const mine = (await testMerchant(other.database.owner)).id;
      await other.sandbox.faults({
        match: { operation: "create" },
        times: 1,
        fault: { kind: "land_late", afterMs: 1_200 },
      });
      const command = authorizeCommand(mine, other.vault.tokenize(), { captureMethod: "automatic" });
      const payment = pendingPayment(await authorizeAs(other.deps, command));
      const recovery = createRecovery(other.another());
      const due = () => other.database.owner`update payments.in_flight set resolve_after = now()`;
      await due();
      expect(await recovery.sweep()).toBe(0); // asked, and "not there" is not believed
      await other.sandbox.expireKeys();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await due();
      expect(await recovery.sweep()).toBe(1);
      expect(stateOf((await other.deps.reads.payment(mine, payment.id)) as Payment)).toBe("captured");
      const { movements: moved, paymentIntents } = await other.sandbox.book();
      expect(Object.keys(paymentIntents)).toHaveLength(1);
      expect(moved.map(({ kind }) => kind)).toEqual(["authorized", "captured"]);
      const { requests } = await other.sandbox.requests();
      expect(
        requests.filter(({ method, path }) => method === "POST" && path === "/v1/payment_intents"),
      ).toHaveLength(1);
    } finally {
      await other.stop();
    }
  });

  it("one that never landed fails, once no request can land any more", async () => {
    const other = await startPaymentWorld({
      providerDeadlineMs: 300,
      stripe: { idempotencyWindowMs: 0, maxRequestLifetimeMs: 1_000 },
    });
    try {
      const mine = (await testMerchant(other.database.owner)).id;
      await other.sandbox.faults({ match: { operation: "create" }, fault: { kind: "reset" } });
      const payment = pendingPayment(
        await authorizeAs(other.deps, authorizeCommand(mine, other.vault.tokenize())),
      );
      const recovery = createRecovery(other.another());
      const sweep = async () => {
        await other.database.owner`update payments.in_flight set resolve_after = now()`;
        return recovery.sweep();
      };
      expect(await sweep()).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect(await sweep()).toBe(1);
      const now = (await other.deps.reads.payment(mine, payment.id)) as Payment;
      expect([stateOf(now), now.decline?.code]).toEqual(["failed", "not_at_provider"]);
    } finally {
      await other.stop();
    }
  });
});

describe("a replay", () => {
  it("counts as sent: what it may still do is waited for after the window is over", async () => {
    const other = await startPaymentWorld({
      providerDeadlineMs: 300,
      stripe: { idempotencyWindowMs: 1_500, maxRequestLifetimeMs: 1_500 },
    });
    try {
      const mine = (await testMerchant(other.database.owner)).id;
      // The first request never arrives; the replay, sent just before the window ends, lands late.
      await other.sandbox.faults(
        { match: { operation: "create" }, times: 1, fault: { kind: "reset" } },
        { match: { operation: "create" }, times: 1, fault: { kind: "land_late", afterMs: 1_000 } },
      );
      const command = authorizeCommand(mine, other.vault.tokenize(), { captureMethod: "automatic" });
      const payment = pendingPayment(await authorizeAs(other.deps, command));
      const recovery = createRecovery(other.another());
      const sweep = async () => {
        await other.database.owner`update payments.in_flight set resolve_after = now()`;
        return recovery.sweep();
      };
      const claimedAt = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 900));
      expect(await sweep()).toBe(0); // replayed, unheard
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, claimedAt + 1_650 - Date.now())));
      expect(await sweep()).toBe(0); // the window is over, and the replay may still be on its way
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(await sweep()).toBe(1);
      expect(stateOf((await other.deps.reads.payment(mine, payment.id)) as Payment)).toBe("captured");
    } finally {
      await other.stop();
    }
  });

  it("is not tried without the security code that the first request carried", async () => {
    const other = await startPaymentWorld({ providerDeadlineMs: 300, stripe: { maxRequestLifetimeMs: 800 } });
    try {
      const mine = (await testMerchant(other.database.owner)).id;
      await other.sandbox.faults({ match: { operation: "create" }, times: 1, fault: { kind: "reset" } });
      const token = other.vault.tokenize();
      const payment = pendingPayment(await authorizeAs(other.deps, authorizeCommand(mine, token)));
      await other.vault.forgetCvc(mine, [token]);
      const recovery = createRecovery(other.another());
      const sweep = async () => {
        await other.database.owner`update payments.in_flight set resolve_after = now()`;
        return recovery.sweep();
      };
      expect(await sweep()).toBe(0);
      const { requests } = await other.sandbox.requests();
      expect(requests.filter(({ method }) => method === "POST")).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 900));
      expect(await sweep()).toBe(1);
      const now = (await other.deps.reads.payment(mine, payment.id)) as Payment;
      expect([stateOf(now), now.decline?.code]).toEqual(["failed", "not_at_provider"]);
    } finally {
      await other.stop();
    }
  });
});

describe.each<[FollowUpKind, "capture" | "cancel" | "refund", bigint | null]>([
  ["capture", "capture", 4_000n],
  ["void", "cancel", null],
  ["refund", "refund", 4_000n],
])("a %s", (kind, operation, minor) => {
  const faults = {
    "whose answer is lost": { kind: "lose_response" },
    "that lands late": { kind: "land_late", afterMs: 500 },
    "answered 500 without being done": { kind: "status", status: 500 },
    "answered 500 though it was done": { kind: "status_after", status: 500 },
    "that hangs": { kind: "hang" },
  } as const;
  for (const [name, fault] of Object.entries(faults)) {
    it(`${name} is pending, then done, once`, async () => {
      const payment = succeededPayment(await start());
      if (kind === "refund") succeededPayment(await act("capture", payment, null));
      await world.sandbox.faults({ match: { operation }, times: 1, fault });
      pendingPayment(await act(kind, payment, minor));
      await recover();
      await new Promise((resolve) => setTimeout(resolve, fault.kind === "land_late" ? 700 : 0));
      await expectAgreement(payment);
      const now = await reread(payment);
      expect(stateOf(now)).toBe(
        { capture: "captured", void: "voided", refund: "partially_refunded", increment: "" }[kind],
      );
    });
  }
});

describe("while the outcome is unknown", () => {
  it("the same request is answered pending, and another capture cannot take the same money", async () => {
    const payment = succeededPayment(await start());
    await world.sandbox.faults({ match: { operation: "capture" }, fault: { kind: "status", status: 500 } });
    pendingPayment(await act("capture", payment, 6_000n, false));
    expect(await act("capture", payment, 6_000n, false)).toMatchObject({
      kind: "exceeds",
      available: { minor: 4_000n },
    });
    expect(await act("void", payment, null)).toMatchObject({ kind: "illegal_state" });
    await world.sandbox.clearFaults();
    await recover();
    await expectAgreement(payment);
  });

  it("a provider that is down delays, and loses nothing", async () => {
    await world.sandbox.settings({ down: true });
    const payment = pendingPayment(await start("automatic"));
    await recover(world.deps, 2);
    expect(stateOf(await reread(payment))).toBe("processing");
    await world.sandbox.settings({ down: false });
    await recover();
    expect(await movements(payment)).toEqual(SOLD);
    await expectAgreement(payment);
  });

  it("many sweepers at once record it once", async () => {
    await world.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    const payment = pendingPayment(await start("automatic"));
    await Promise.all([recover(), recover(), recover()]);
    expect(await movements(payment)).toEqual(SOLD);
    const events = await world.database
      .owner`select 1 from payments.outbox where payment = ${uuidOf(payment.id)}`;
    expect(events).toHaveLength(1);
    await expectAgreement(payment);
  });
});

describe("a refund that the provider carries out later", () => {
  it("is pending until it has", async () => {
    const token = world.vault.tokenize("4000000000007726");
    const command = authorizeCommand(merchant, token, { captureMethod: "automatic" });
    const payment = succeededPayment(await authorizeAs(world.deps, command));
    pendingPayment(await act("refund", payment, 1_000n));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await recover();
    expect((await reread(payment)).refunded).toBe(1_000n);
  });
});
