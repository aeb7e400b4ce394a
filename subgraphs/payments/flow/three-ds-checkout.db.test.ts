import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { newKey } from "../../../test/support/payments.ts";
import {
  answerChallenge,
  challengeOf,
  NOBODY,
  pay,
  startThreeDsWorld,
  stored,
  type ThreeDsWorld,
  takenFor,
  waits,
} from "../../../test/support/three-ds-world.ts";
import { type CheckoutSessionId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { Payment } from "../domain/payment.ts";
import { browserSample } from "../domain/three-ds/samples.ts";
import { receiveResults } from "./authentication-results.ts";
import { type ConfirmOutcome, confirmCheckout, openCheckout, viewSession } from "./checkout.ts";
import { createRecovery } from "./recover.ts";

/** A payer in a browser: what they see of a challenge, whatever they click, close or load again. */
let world: ThreeDsWorld;
beforeAll(async () => {
  world = await startThreeDsWorld();
});
afterEach(() => {
  world.inbox.take = (headers, body) => receiveResults(world.deps, headers, body);
});
afterAll(() => world.stop());

const CARD = magicNumber("visa", "05");

async function open(): Promise<CheckoutSessionId> {
  const opened = await openCheckout(world.deps, {
    merchant: world.merchant,
    key: newKey(),
    amount: moneyOf(4_900n, "EUR"),
    captureMethod: "automatic",
    description: null,
    reference: null,
    returnUrl: null,
  });
  if (opened.kind !== "opened") throw new Error(opened.kind);
  return opened.session.id;
}

const confirm = (
  session: CheckoutSessionId,
  card: string | null,
  { attempt = 0, deps = world.deps } = {},
): Promise<ConfirmOutcome> =>
  confirmCheckout(deps, {
    merchant: world.merchant,
    session,
    token: card === null ? null : world.payments.vault.tokenize(card),
    attempt,
    payer: { ip: null, country: null, email: null },
    browser: browserSample(),
  });

function asked(outcome: ConfirmOutcome): Payment {
  if (outcome.kind !== "requires_action") throw new Error(`not asked: ${outcome.kind}`);
  if (outcome.view.payment === null) throw new Error("an attempt that waits has its payment");
  expect(outcome.view.status).toBe("requires_action");
  return outcome.view.payment;
}

const paymentsOf = async (session: CheckoutSessionId) => {
  const rows = await world.payments.database.owner`
    select p.state from payments.payment p join payments.payment_terms t using (shard, merchant, id)
    where t.checkout_session = ${uuidOf(session)} order by p.id`;
  return rows.map(({ state }) => state as string);
};

describe("a checkout with a challenge", () => {
  it("asks, and is paid when the payer has answered and comes back", async () => {
    const session = await open();
    const payment = asked(await confirm(session, CARD));
    await answerChallenge(challengeOf(payment), "1234");
    expect(await confirm(session, null)).toMatchObject({ kind: "paid", view: { status: "complete" } });
    expect(await paymentsOf(session)).toEqual(["captured"]);
    expect(await confirm(session, null)).toMatchObject({ kind: "paid" });
    expect(await confirm(session, CARD)).toMatchObject({ kind: "paid" });
    expect(await takenFor(world, (await stored(world, payment.id)).operations)).toHaveLength(1);
  });

  it("waits for an authorization that is on its way when the payer comes back, in whatever process", async () => {
    const [acquirer] = world.payments.sandboxes;
    const session = await open();
    const payment = asked(await confirm(session, CARD));
    await acquirer?.faults([{ match: { operation: "sale" }, times: 1, fault: { kind: "delay", ms: 400 } }]);
    await answerChallenge(challengeOf(payment), "1234");
    expect(await viewSession(world.deps, world.merchant, session)).toMatchObject({ status: "processing" });
    expect(await confirm(session, null, { deps: world.another() })).toMatchObject({ kind: "paid" });
    expect(await paymentsOf(session)).toEqual(["captured"]);
  });

  it("says pending while the authorization's outcome is not known, and takes no second card meanwhile", async () => {
    const [acquirer] = world.payments.sandboxes;
    const session = await open();
    const payment = asked(await confirm(session, CARD));
    await acquirer?.faults([{ match: { operation: "sale" }, times: 1, fault: { kind: "lose_response" } }]);
    await answerChallenge(challengeOf(payment), "1234");
    expect(await confirm(session, null)).toMatchObject({ kind: "pending", view: { status: "processing" } });
    expect(await confirm(session, CARD)).toMatchObject({ kind: "pending" });
    await world.payments.database.owner`update payments.in_flight set resolve_after = now()`;
    await createRecovery(world.another()).sweep();
    expect(await confirm(session, null)).toMatchObject({ kind: "paid" });
    expect(await paymentsOf(session)).toEqual(["captured"]);
    expect(await takenFor(world, (await stored(world, payment.id)).operations)).toHaveLength(1);
  });

  it("shows the same challenge again to a page that is loaded again, or a second click", async () => {
    const session = await open();
    const payment = asked(await confirm(session, CARD));
    const reloaded = await viewSession(world.another(), world.merchant, session);
    expect(reloaded).toMatchObject({ status: "requires_action", payment: { action: payment.action } });
    const again = await Promise.all([
      confirm(session, null),
      confirm(session, CARD),
      confirm(session, magicNumber("visa", "01"), { deps: world.another() }),
    ]);
    for (const outcome of again)
      expect(asked(outcome)).toMatchObject({ id: payment.id, action: payment.action });
    const { operations } = await stored(world, payment.id);
    expect(operations).toHaveLength(1);
    expect(await world.directory.authentications(operations[0]?.reference)).toHaveLength(1);
    await answerChallenge(challengeOf(payment), "1234");
    await eventually(async () => expect(await confirm(session, null)).toMatchObject({ kind: "paid" }));
    expect(await paymentsOf(session)).toEqual(["captured"]);
  });

  it("clicked often at once asks one directory once", async () => {
    const session = await open();
    const other = world.another();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, at) => confirm(session, CARD, { deps: at % 2 ? other : world.deps })),
    );
    for (const { kind } of outcomes) expect(["requires_action", "pending"]).toContain(kind);
    const payment = asked(await confirm(session, null));
    expect(await paymentsOf(session)).toEqual(["requires_action"]);
    expect((await stored(world, payment.id)).operations).toHaveLength(1);
  });

  it("whose tab is closed is paid when the results come; a later visit finds it so", async () => {
    const session = await open();
    world.inbox.take = NOBODY;
    const payment = asked(await confirm(session, CARD));
    await answerChallenge(challengeOf(payment), "1234");
    expect(asked(await confirm(session, null)).id).toBe(payment.id);
    world.inbox.take = (headers, body) => receiveResults(world.deps, headers, body);
    await eventually(async () =>
      expect(await viewSession(world.deps, world.merchant, session)).toMatchObject({ status: "complete" }),
    );
    expect(await confirm(session, null)).toMatchObject({ kind: "paid" });
  });

  it("that the issuer refuses opens the next attempt; a late repetition of the first is answered as it ended", async () => {
    const session = await open();
    const payment = asked(await confirm(session, CARD));
    await answerChallenge(challengeOf(payment), "cancel");
    expect(await confirm(session, null)).toMatchObject({
      kind: "ended",
      outcome: { decline: { code: "authentication_failed" } },
      view: { status: "open", session: { attempt: 1 } },
    });
    expect(await confirm(session, null, { attempt: 1 })).toMatchObject({
      kind: "invalid",
      issues: [{ path: ["token"], code: "REQUIRED" }],
    });
    const second = asked(await confirm(session, CARD, { attempt: 1 }));
    expect(second.id).not.toBe(payment.id);
    expect(await confirm(session, CARD)).toMatchObject({ kind: "pending" });
    expect(await paymentsOf(session)).toEqual(["declined", "requires_action"]);
    await answerChallenge(challengeOf(second), "1234");
    expect(await confirm(session, null, { attempt: 1 })).toMatchObject({ kind: "paid" });
    expect(await paymentsOf(session)).toEqual(["declined", "captured"]);
  });

  it("whose payer never comes opens the next attempt by its time", async () => {
    const session = await open();
    asked(await confirm(session, CARD));
    await world.payments.database.owner`update payments.in_flight set resolve_after = now()`;
    world.payments.clock.aheadMs = 11 * 60_000;
    await createRecovery(world.another()).sweep();
    world.payments.clock.aheadMs = 0;
    expect(await viewSession(world.deps, world.merchant, session)).toMatchObject({
      status: "open",
      session: { attempt: 1, status: "open" },
      payment: { phase: "declined", decline: { code: "payer_absent" } },
    });
    expect(await confirm(session, magicNumber("visa", "01"), { attempt: 1 })).toMatchObject({ kind: "paid" });
  });
});

describe("a key that is repeated", () => {
  it("answers with the same challenge, then with what became of it", async () => {
    const key = newKey();
    const token = world.payments.vault.tokenize(CARD);
    const same = { key, source: { type: "token", token, customer: null, store: null } } as const;
    const { payment, challenge } = await waits(world, CARD, same);
    for (const deps of [world.deps, world.another()])
      expect(await pay(world, CARD, { ...same, deps })).toMatchObject({
        kind: "requires_action",
        payment: { id: payment.id, action: challenge },
      });
    await answerChallenge(challenge, "1234");
    expect(await pay(world, CARD, same)).toMatchObject({ kind: "succeeded", payment: { id: payment.id } });
    const { operations } = await stored(world, payment.id);
    expect(await takenFor(world, operations)).toHaveLength(1);
    expect(await pay(world, CARD, { ...same, minor: 1n })).toEqual({ kind: "key_reused" });
  });
});
