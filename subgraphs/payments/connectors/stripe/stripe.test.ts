import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { StripeSandboxControl } from "../../../../test/sandbox/stripe/control-client.ts";
import { startStripeSandbox } from "../../../../test/sandbox/stripe/server.ts";
import type { DeclineCode } from "../../domain/decline.ts";
import type { Card } from "../../domain/payment.ts";
import { sampleOperation, sampleTerms } from "../../domain/samples.ts";
import { directSend, type FullCard } from "../contract/direct-send.ts";
import { startWebhookReceiver } from "../contract/receiver.ts";
import { authorizeOptions, newPayment, newReference, Story } from "../contract/story.ts";
import { type ContractWorld, connectorContract } from "../contract.ts";
import { createStripeConnector, stripeAccount } from "./index.ts";
import { REFERENCE_FIELD } from "./requests.ts";

/** Against the sandbox: the contract, and what is Stripe's own. */

const API_KEY = "sk_test_sandbox";
const DEADLINE_MS = 300;

const APPROVED: Readonly<Record<string, string>> = {
  visa: "4242424242424242",
  mastercard: "5555555555554444",
  amex: "378282246310005",
  discover: "6011111111111117",
};
const REFUND_RETURNED = "4000000000005126";

const DECLINES: readonly (readonly [number: string, code: DeclineCode])[] = [
  ["4000000000000002", "generic_decline"],
  ["4000000000009995", "insufficient_funds"],
  ["4000000000009987", "lost_card"],
  ["4000000000009979", "stolen_card"],
  ["4000000000000069", "expired_card"],
  ["4000000000000127", "incorrect_cvc"],
  ["4000000000000119", "processing_error"],
  ["4000000000006975", "limit_exceeded"],
  ["4100000000000019", "suspected_fraud"],
  ["4000008400001280", "generic_decline"],
  // The payer is asked first, and then the issuer.
  ["4000008260003178", "insufficient_funds"],
  ["4000008400001629", "generic_decline"],
];

/** Cards by the token that stands for them. */
const numbers = new Map<string, string>();

function cardOf(number: string, brand = "visa"): Card {
  const token = `tok_01_${number.padStart(32, "0")}`;
  numbers.set(token, number);
  return { ...sampleTerms().card, token, brand, bin: number.slice(0, 8), last4: number.slice(-4) };
}

function fullCard(token: string): FullCard {
  const number = numbers.get(token) ?? APPROVED["visa"] ?? "";
  return { number, expMonth: 3, expYear: 2030, cvc: /^3[47]/.test(number) ? "1234" : "123" };
}

type StripeTestWorld = ContractWorld & { readonly control: StripeSandboxControl };

async function startStripeWorld(): Promise<StripeTestWorld> {
  const connector = createStripeConnector();
  const receiver = await startWebhookReceiver({ status: 200, body: "" });
  const sandbox = await startStripeSandbox({ port: 0, apiKey: API_KEY, webhookUrl: receiver.url });
  const control = new StripeSandboxControl(sandbox.url);
  const secret = "whsec_contract";
  await control.settings({ webhooks: { secret }, searchLagMs: 50, refundDelayMs: 100 });
  return {
    control,
    connector,
    send: directSend(stripeAccount({ baseUrl: sandbox.url, secretKey: API_KEY }), fullCard, DEADLINE_MS),
    deadlineMs: DEADLINE_MS,
    card(character, brand = "visa") {
      const number = character === "approved" ? APPROVED[brand] : REFUND_RETURNED;
      return number === undefined ? null : cardOf(number, brand);
    },
    declines: DECLINES.map(([number, code]) => ({ card: cardOf(number), code })),
    fault: async (fault) => void (await control.faults({ fault, times: 1, match: { method: "POST" } })),
    clearFaults: () => control.clearFaults(),
    async book(reference) {
      const { payments } = await control.book({ metadata: { [REFERENCE_FIELD]: reference } });
      const all = Object.values(payments);
      const sum = (pick: (totals: (typeof all)[number]) => number): bigint =>
        BigInt(all.reduce((total, totals) => total + pick(totals), 0));
      return {
        authorizations: all.length,
        authorized: sum(({ authorized }) => authorized),
        captured: sum(({ captured }) => captured),
        released: sum(({ released }) => released),
        refunded: sum(({ refunded, refund_failed }) => refunded - refund_failed),
      };
    },
    async payer(action, does) {
      if (action.type !== "redirect") throw new Error("Stripe redirects");
      const body = new URLSearchParams({ outcome: does === "pays" ? "succeed" : "fail" });
      await fetch(action.url, { method: "POST", body, redirect: "manual" });
    },
    webhooks: {
      url: receiver.url,
      secrets: [secret],
      signed: true,
      signsTime: true,
      deliveries: receiver.deliveries,
      twice: async (on) => void (await control.settings({ webhooks: { duplicateProbability: on ? 1 : 0 } })),
    },
    async stop() {
      await sandbox.stop();
      await receiver.stop();
    },
  };
}

connectorContract("stripe", { start: startStripeWorld });

let world: StripeTestWorld;
beforeAll(async () => {
  world = await startStripeWorld();
});
afterEach(() => world.clearFaults());
afterAll(() => world.stop());

/** On every payment; on those with the payer only. */
const ASKS = "4000002760003184";
const ASKS_UNLESS_SET_UP = "4000002500003155";

const nobody = { returnUrl: null, cvcAvailable: false, payer: { ip: null, country: null, email: null } };

describe("a payer whose bank asks", () => {
  it("is sent to the bank's page, and has then paid", async () => {
    const story = new Story(world, { card: cardOf(ASKS) });
    const { first, last } = await story.authorize("pays");
    expect(first).toMatchObject({ kind: "requires_action", action: { type: "redirect" } });
    expect(last).toMatchObject({ kind: "done", details: { liabilityShift: true, eci: "05" } });
    await story.agrees({ authorizations: 1, held: 10_000n });
  });

  it("who does not prove who they are pays nothing", async () => {
    const story = new Story(world, { card: cardOf(ASKS) });
    const { last } = await story.authorize("fails");
    expect(last).toMatchObject({ kind: "declined", decline: { code: "authentication_failed" } });
    await story.agrees({ authorizations: 0 });
  });

  it("cannot pay what was called off", async () => {
    const { connector, send, payer } = world;
    const options = authorizeOptions(world);
    const payment = newPayment(world, {}, cardOf(ASKS));
    const request = connector.authorize(payment, options);
    const operation = sampleOperation(payment, { reference: options.reference, request });
    const asked = connector.answer(operation, payment, await send(request, options.reference), true);
    if (asked.kind !== "requires_action") throw new Error(asked.kind);
    const waiting = { ...payment, providerPayment: asked.providerPayment };
    const reference = newReference();
    const cancel = connector.cancelAction(operation, waiting, { reference });
    if (cancel === null) throw new Error("an attempt that waits can be called off");
    expect((await send(cancel, reference)).kind).toBe("http");
    await payer?.(asked.action, "pays");
    const lookup = connector.lookup(operation, waiting);
    if (lookup === null) throw new Error("an authorization can be looked up");
    const seen = connector.found(operation, waiting, await send(lookup, options.reference));
    expect(seen).toMatchObject({ kind: "failed", decline: { code: "payer_absent" } });
    expect(await world.book(options.reference)).toMatchObject({ authorizations: 0 });
  });

  it("and who is not there is declined, so that they can be asked", async () => {
    const story = new Story(world, { card: cardOf(ASKS), options: nobody });
    const { first } = await story.authorize();
    expect(first).toMatchObject({ kind: "declined", decline: { code: "authentication_required" } });
  });

  it("is not asked again after an authentication of ours", async () => {
    const authentication = {
      version: "2.2.0",
      transStatus: "Y",
      transStatusReason: null,
      eci: "05",
      cavv: "AAABBWcSNIdjeUZThmNHAAAAAAA=",
      dsTransaction: "f25084f0-5b16-4c0a-ae5d-b24808a95e4b",
      acsTransaction: null,
      serverTransaction: "a1b2c3d4-5b16-4c0a-ae5d-b24808a95e4b",
      liabilityShift: true,
      challenged: true,
    } as const;
    const story = new Story(world, { card: cardOf(ASKS), options: { authentication } });
    const { first } = await story.authorize();
    expect(first).toMatchObject({ kind: "done", details: { liabilityShift: true, eci: "05" } });
  });

  it("is not asked where the scheme's transaction id shows what was agreed", async () => {
    const stored = { initiator: "merchant", reason: "recurring", first: false } as const;
    const pay = async (networkTransactionId: string | null) => {
      const options = { ...nobody, stored: { ...stored, networkTransactionId } };
      return (await new Story(world, { card: cardOf(ASKS_UNLESS_SET_UP), options }).authorize()).first;
    };
    expect(await pay("412345678901234")).toMatchObject({ kind: "done" });
    expect(await pay(null)).toMatchObject({ decline: { code: "authentication_required" } });
  });
});

describe("captures at the same time", () => {
  it.each(["lose_response", "status_after"] as const)("are told apart after %s", async (kind) => {
    const story = new Story(world);
    await story.authorize();
    const fault = kind === "status_after" ? ({ kind, status: 500 } as const) : ({ kind } as const);
    await world.control.faults({ fault, times: 3, match: { operation: "capture" } });
    const told = await Promise.all([1_000n, 1_000n, 2_500n].map((amount) => story.capture(amount, false)));
    expect(told.map(({ first }) => first.kind)).toEqual(["unknown", "unknown", "unknown"]);
    const amounts = told.map(({ last }) => (last.kind === "done" ? last.amount : last.kind));
    expect(amounts).toEqual([1_000n, 1_000n, 2_500n]);
    await story.agrees({ captured: 4_500n, held: 5_500n });
  });

  it("of which one never arrived are told apart from it", async () => {
    const story = new Story(world);
    await story.authorize();
    const before = story.payment;
    await story.capture(1_000n, false);
    const { connector, send } = world;
    const [reference, other] = [newReference(), newReference()];
    const request = connector.capture(before, { amount: 1_000n, final: false, reference: other });
    await send(request, other);
    const payment = { ...story.payment, capturing: 2_000n };
    const lost = sampleOperation(payment, { kind: "capture", amount: 1_000n, reference });
    const lookup = connector.lookup(lost, payment);
    if (lookup === null) throw new Error("a capture can be looked up");
    const response = await send(lookup, reference);
    expect(connector.found(lost, payment, response).kind).toBe("absent");
    const arrived = { ...lost, reference: other };
    expect(connector.found(arrived, payment, response)).toMatchObject({ kind: "done", amount: 1_000n });
  });
});

describe("what Stripe does by itself", () => {
  it("an authorization whose time is over is void already, and can no more be captured", async () => {
    await world.control.settings({ holdMs: 1_050 });
    const [voided, captured] = [new Story(world), new Story(world)];
    const { last } = await voided.authorize();
    expect(last.kind === "done" && last.expiresAt !== null).toBe(true);
    await captured.authorize();
    await world.control.settings({ holdMs: 60_000 });
    await captured.agrees({ held: 0n, released: 10_000n });
    expect((await voided.void()).first).toMatchObject({ kind: "done", amount: 10_000n });
    expect((await captured.capture(10_000n)).first).toMatchObject({
      kind: "failed",
      decline: { code: "authorization_expired" },
    });
  });

  it("a refund that is pending is accepted, and told of later", async () => {
    const card = cardOf("4000000000007726");
    const story = new Story(world, { card, payment: { captureMethod: "automatic" } });
    await story.authorize();
    const { first, last } = await story.refund(4_000n);
    expect(first).toMatchObject({ kind: "accepted" });
    expect(last).toMatchObject({ kind: "done", amount: 4_000n });
  });

  it.each([
    ["capture", "requires_payment_method"],
    ["cancel", "requires_capture"],
    ["cancel", "processing"],
  ] as const)("an answer to a %s that says %s is not believed; the books are", async (operation, status) => {
    const story = new Story(world);
    await story.authorize();
    const fault = { kind: "quirk", quirk: "contradict_status", parameters: { status } } as const;
    await world.control.faults({ fault, times: 1, match: { operation } });
    const { last } = operation === "capture" ? await story.capture(10_000n) : await story.void();
    expect(last.kind).toBe("done");
    await story.agrees(operation === "capture" ? { captured: 10_000n } : { released: 10_000n });
  });

  it("an increment that the issuer declines leaves the authorization as it was", async () => {
    const story = new Story(world);
    await story.authorize();
    const fault = { kind: "decline", declineCode: "insufficient_funds" } as const;
    await world.control.faults({ fault, times: 1, match: { operation: "increment" } });
    expect((await story.increment(500n)).last).toMatchObject({
      kind: "declined",
      decline: { code: "insufficient_funds" },
    });
    expect((await story.capture(10_000n)).last.kind).toBe("done");
    await story.agrees({ authorized: 10_000n, captured: 10_000n });
  });
});
