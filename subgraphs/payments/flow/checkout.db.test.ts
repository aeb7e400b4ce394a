import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testMerchant } from "../../../test/support/database.ts";
import { newKey, type PaymentWorld, startPaymentWorld } from "../../../test/support/payments.ts";
import { type MerchantId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { type CheckoutSession, MAX_ATTEMPTS } from "../domain/checkout-session.ts";
import {
  type ConfirmOutcome,
  clientSecretOf,
  confirmCheckout,
  openCheckout,
  sessionOfSecret,
  viewSession,
} from "./checkout.ts";
import { createRecovery } from "./recover.ts";

let world: PaymentWorld;
let merchant: MerchantId;

beforeAll(async () => {
  world = await startPaymentWorld({ providerDeadlineMs: 400 });
  merchant = (await testMerchant(world.database.owner)).id;
});
afterAll(() => world.stop());

const command = (overrides: object = {}) => ({
  merchant,
  key: newKey(),
  amount: moneyOf(4_900n, "EUR"),
  captureMethod: "automatic" as const,
  description: null,
  reference: null,
  returnUrl: null,
  ...overrides,
});

async function open(overrides: object = {}): Promise<CheckoutSession> {
  const opened = await openCheckout(world.deps, command(overrides));
  if (opened.kind !== "opened") throw new Error(opened.kind);
  return opened.session;
}

const payer = { ip: null, country: null, email: null };
const confirm = (
  session: CheckoutSession,
  attempt = 0,
  number?: string,
  deps = world.deps,
): Promise<ConfirmOutcome> =>
  confirmCheckout(deps, {
    merchant,
    session: session.id,
    token: world.vault.tokenize(number),
    attempt,
    payer,
    browser: null,
  });

const charges = async (session: CheckoutSession) => {
  const rows = await world.database.owner`
    select count(*) filter (where state = 'captured')::int as captured, count(*)::int as payments
    from payments.payment p join payments.payment_terms t using (shard, merchant, id) where t.checkout_session = ${uuidOf(session.id)}`;
  return rows[0];
};
describe("opening", () => {
  it("under one key is one session, with the same secret", async () => {
    const asked = command();
    const [a, b] = await Promise.all([openCheckout(world.deps, asked), openCheckout(world.another(), asked)]);
    if (a.kind !== "opened" || b.kind !== "opened") throw new Error("not opened");
    expect(a.session.id).toBe(b.session.id);
    expect(clientSecretOf(world.deps, a.session.id)).toBe(clientSecretOf(world.deps, b.session.id));
    expect(await openCheckout(world.deps, { ...asked, amount: moneyOf(1n, "EUR") })).toEqual({
      kind: "key_reused",
    });
  });

  it("gives a secret that only this platform can make", async () => {
    const session = await open();
    const secret = clientSecretOf(world.deps, session.id);
    expect(sessionOfSecret(world.deps, secret)).toBe(session.id);
    const other = { checkoutSecret: "x".repeat(32) };
    for (const wrong of [
      `${secret}x`,
      secret.slice(0, -1),
      session.id,
      clientSecretOf(other, session.id),
      "",
      "_secret_",
    ]) {
      expect(sessionOfSecret(world.deps, wrong), wrong).toBeNull();
    }
  });
});

describe("confirming", () => {
  it("pays once, however often and with whatever tokens it is repeated", async () => {
    const session = await open();
    const other = world.another();
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => confirm(session, 0, undefined, i % 2 ? other : world.deps)),
    );
    expect(new Set(outcomes.map(({ kind }) => kind)).size).toBeLessThanOrEqual(2);
    for (const { kind } of outcomes) expect(["paid", "pending"]).toContain(kind);
    expect(await confirm(session)).toMatchObject({ kind: "paid", view: { status: "complete" } });
    expect(await charges(session)).toEqual({ captured: 1, payments: 1 });
  });

  it("after a decline is a new attempt, and the late repetition of the old one is not", async () => {
    const session = await open();
    expect(await confirm(session, 0, "4000000000000002")).toMatchObject({
      kind: "ended",
      view: { status: "open", session: { attempt: 1 } },
    });
    expect(await confirm(session, 0)).toMatchObject({ kind: "ended" });
    expect(await charges(session)).toEqual({ captured: 0, payments: 1 });
    expect(await confirm(session, 1)).toMatchObject({ kind: "paid" });
    expect(await confirm(session, 0)).toMatchObject({ kind: "paid" });
    expect(await charges(session)).toEqual({ captured: 1, payments: 2 });
  });

  it("of an attempt that is not there yet is refused", async () => {
    const session = await open();
    expect(await confirm(session, 1)).toMatchObject({
      kind: "invalid",
      issues: [{ code: "INVALID_ATTEMPT" }],
    });
    expect(await confirm(session, -1)).toMatchObject({ kind: "invalid" });
  });

  it("whose answer is lost is pending, stays one attempt, and completes by recovery", async () => {
    const session = await open();
    await world.sandbox.faults({
      match: { operation: "create" },
      times: 1,
      fault: { kind: "lose_response" },
    });
    expect(await confirm(session)).toMatchObject({ kind: "pending", view: { status: "processing" } });
    expect(await confirm(session)).toMatchObject({ kind: "pending" });
    await world.database.owner`update payments.in_flight set resolve_after = now()`;
    await createRecovery(world.another()).sweep();
    expect(await viewSession(world.deps, merchant, session.id)).toMatchObject({ status: "complete" });
    expect(await charges(session)).toEqual({ captured: 1, payments: 1 });
  });

  it("is over after too many attempts, and after its time", async () => {
    const session = await open();
    await world.database
      .owner`update payments.checkout_session set attempt = ${MAX_ATTEMPTS} where id = ${uuidOf(session.id)}`;
    expect(await confirm(session, MAX_ATTEMPTS)).toMatchObject({ kind: "expired" });
    const old = await open();
    world.clock.aheadMs = 25 * 3_600_000;
    expect(await confirm(old)).toMatchObject({ kind: "expired", view: { status: "expired" } });
    world.clock.aheadMs = 0;
  });

  it("of another merchant's session finds nothing", async () => {
    const session = await open();
    const stranger = (await testMerchant(world.database.owner)).id;
    const asked = {
      merchant: stranger,
      session: session.id,
      token: world.vault.tokenize(),
      attempt: 0,
      payer,
      browser: null,
    };
    expect(await confirmCheckout(world.deps, asked)).toEqual({ kind: "not_found" });
  });
});
