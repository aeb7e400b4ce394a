import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { WebhookAnswer, WebhookItem } from "../connector.ts";
import { createStripeConnector } from "./index.ts";
import { markOf } from "./requests.ts";

const { webhooks } = createStripeConnector();
const NOW = new Date("2026-11-22T12:00:00Z");
const AT = NOW.getTime() / 1_000;
const secret = "whsec_now";
const authorization = `ref_0107_${"a".repeat(40)}`;
const own = `ref_0107_${"b".repeat(40)}`;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const sign = (body: string, by = secret, at = AT): string =>
  createHmac("sha256", by).update(`${at}.${body}`).digest("hex");
const eventOf = (type: string, object: object, key: string | null = null): string =>
  JSON.stringify({
    object: "event",
    id: "evt_1",
    type,
    created: AT - 5,
    data: { object },
    request: { id: null, idempotency_key: key },
  });
const intent = (overrides: object = {}) => ({
  object: "payment_intent",
  id: "pi_1",
  status: "requires_capture",
  amount: 10_000,
  amount_received: 0,
  amount_capturable: 10_000,
  latest_charge: "ch_1",
  metadata: { tessera_reference: authorization },
  ...overrides,
});
const refund = (status: string) => ({
  object: "refund",
  id: "re_1",
  status,
  amount: 4_000,
  failure_reason: "lost_or_stolen_card",
  payment_intent: "pi_1",
  metadata: { tessera_reference: own },
});

function read(body: string, header?: string, secrets: readonly string[] = [secret]) {
  const signature = header ?? `t=${AT},v1=${sign(body)}`;
  return webhooks?.read({ "stripe-signature": signature }, bytes(body), secrets, NOW);
}

function itemOf(body: string): WebhookItem {
  const result = read(body);
  if (!result?.ok) throw new Error(`refused: ${result?.error}`);
  const [item] = result.value;
  if (item === undefined) throw new Error("nothing of interest");
  return item;
}

describe("a signature", () => {
  const body = eventOf("payment_intent.succeeded", intent());

  it("holds with any of our secrets, and beside others' signatures", () => {
    expect(read(body, undefined, ["whsec_old", secret])?.ok).toBe(true);
    const header = `t=${AT},v1=${"0".repeat(64)},v1=${sign(body)},v0=${"1".repeat(64)}`;
    expect(read(body, header)?.ok).toBe(true);
  });

  it.each([
    ["none", ""],
    ["another scheme", `t=${AT},v0=${sign(body)}`],
    ["no time", `v1=${sign(body)}`],
    ["two times", `t=${AT},t=${AT - 1},v1=${sign(body)}`],
    ["a time that was not signed", `t=${AT - 1},v1=${sign(body)}`],
    ["a secret that is empty", `t=${AT},v1=${sign(body, "")}`],
    ["too old", `t=${AT - 301},v1=${sign(body, secret, AT - 301)}`],
    ["not yet", `t=${AT + 301},v1=${sign(body, secret, AT + 301)}`],
  ])("is refused: %s", (_, header) => {
    expect(read(body, header, [secret, ""])?.ok).toBe(false);
  });

  it("holds for five minutes", () => {
    expect(read(body, `t=${AT - 299},v1=${sign(body, secret, AT - 299)}`)?.ok).toBe(true);
  });
});

describe("news", () => {
  const payment = samplePayment({ phase: "open", authorized: 10_000n, providerPayment: "pi_1" });
  const tells = (body: string, overrides: Partial<Operation>, of: Payment = payment): WebhookAnswer =>
    itemOf(body).answer(sampleOperation(of, overrides), of);

  it("of other things is none", () => {
    expect(read(eventOf("customer.created", { object: "customer" }))).toEqual({ ok: true, value: [] });
    expect(read(eventOf("payment_intent.succeeded", { object: "payment_intent" }))?.ok).toBe(false);
  });

  it("is about the operation whose request caused it, or else the payment's authorization", () => {
    const captured = (key: string | null) => itemOf(eventOf("payment_intent.succeeded", intent(), key));
    expect(captured(own)).toMatchObject({ id: "evt_1", reference: own, providerPayment: "pi_1", kind: null });
    expect(captured(null).reference).toBe(authorization);
    expect(captured("a-key-from-the-dashboard").reference).toBe(authorization);
    expect(captured(`${own}:cancel`).reference).toBe(authorization);
    expect(itemOf(eventOf("refund.updated", refund("succeeded"), "x"))).toMatchObject({
      reference: own,
      kind: "refund",
      providerOperation: "re_1",
      at: new Date((AT - 5) * 1_000),
    });
  });

  it("of an authorization's success is asked for: only the whole charge tells until when it holds", () => {
    const told = eventOf("payment_intent.amount_capturable_updated", intent(), authorization);
    expect(tells(told, { reference: authorization }).kind).toBe("ask");
    expect(tells(told, { reference: authorization, state: "succeeded" }).kind).toBe("nothing");
  });

  it("of the success of an attempt that had failed is told as it is", () => {
    const told = eventOf("payment_intent.amount_capturable_updated", intent(), authorization);
    for (const state of ["declined", "failed"] as const)
      expect(tells(told, { reference: authorization, state }).kind).toBe("done");
  });

  it("of a decline or of a cancellation is believed while the attempt is live", () => {
    const declined = eventOf(
      "payment_intent.payment_failed",
      intent({
        status: "requires_payment_method",
        last_payment_error: { type: "card_error", code: "card_declined", decline_code: "lost_card" },
      }),
      authorization,
    );
    expect(tells(declined, { reference: authorization })).toMatchObject({ decline: { code: "lost_card" } });
    const canceled = eventOf("payment_intent.canceled", intent({ status: "canceled", latest_charge: null }));
    expect(tells(canceled, { state: "requires_action" })).toMatchObject({
      kind: "failed",
      decline: { code: "payer_absent" },
    });
    // The hold of an authorization that had succeeded: whatever is under way is asked for.
    expect(tells(canceled, { state: "succeeded" }).kind).toBe("ask");
    const void_ = { kind: "void", reference: own, amount: 10_000n } as const;
    const byUs = eventOf("payment_intent.canceled", intent({ status: "canceled" }), own);
    expect(tells(byUs, void_)).toMatchObject({ kind: "done", amount: 10_000n });
  });

  it("of a capture is believed by its mark, whatever else has happened since", () => {
    const capture = { kind: "capture", reference: own, amount: 2_000n } as const;
    const since = samplePayment({ ...payment, captured: 9_000n, capturing: 2_000n });
    const metadata = { tessera_reference: authorization, [markOf(own)]: own };
    const marked = intent({ amount_received: 2_000, metadata });
    const type = "payment_intent.amount_capturable_updated";
    expect(tells(eventOf(type, marked, own), capture, since)).toMatchObject({ kind: "done", amount: 2_000n });
    expect(tells(eventOf(type, intent({ amount_received: 2_000 }), own), capture, since).kind).toBe("ask");
    const short = intent({ amount_received: 1_999, metadata });
    expect(tells(eventOf(type, short, own), capture, since).kind).toBe("ask");
  });

  it("of a refund tells how it ended, once it has", () => {
    const of = (status: string, state: Operation["state"]) =>
      tells(eventOf("refund.updated", refund(status)), { kind: "refund", amount: 4_000n, state }).kind;
    expect(of("succeeded", "claimed")).toBe("done");
    expect(of("pending", "claimed")).toBe("accepted");
    expect(of("failed", "claimed")).toBe("failed");
    expect(of("failed", "succeeded")).toBe("reversed");
    // Out of order: it failed after it had succeeded.
    expect(of("succeeded", "failed")).toBe("nothing");
    expect(of("succeeded", "reversed")).toBe("nothing");
    const capture = { kind: "capture", reference: own } as const;
    expect(tells(eventOf("refund.updated", refund("succeeded")), capture).kind).toBe("nothing");
  });

  it("of charges only ever says that something should be asked for", () => {
    const charge = {
      object: "charge",
      payment_intent: "pi_1",
      metadata: { tessera_reference: authorization },
    };
    const told = eventOf("charge.captured", charge, own);
    expect(itemOf(told)).toMatchObject({ reference: own, providerPayment: "pi_1" });
    expect(tells(told, { kind: "capture", reference: own }).kind).toBe("ask");
    expect(tells(told, { kind: "capture", reference: own, state: "succeeded" }).kind).toBe("nothing");
  });
});
