import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { payByCard } from "./control-client.ts";
import { type Harness, pause, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterEach(() => harness.control.reset());
afterAll(() => harness.running.stop());

const eur = (value: string) => ({ currency: "EUR", value });
const VISA = "4242424242424242";

async function paid(number: string, overrides: object = {}): Promise<string> {
  const { body } = await harness.create(overrides);
  await payByCard(body._links.checkout.href, { number });
  return body.id;
}

const refund = (id: string, value: string, key = `${id} ${value}`) =>
  harness.call("POST", `/v2/payments/${id}/refunds`, { amount: eur(value) }, { "idempotency-key": key });
const totals = async (id: string) => (await harness.control.book({ payment: id })).payments[id];

async function refundUntil(id: string, refundId: string, status: string): Promise<void> {
  for (const end = Date.now() + 3_000; ; await pause(10)) {
    const { body } = await harness.call("GET", `/v2/payments/${id}/refunds/${refundId}`);
    if (body.status === status) return;
    if (Date.now() > end) throw new Error(`the refund is ${body.status}, not ${status}`);
  }
}

describe("a refund", () => {
  it("goes through its statuses, and money leaves with processing", async () => {
    const id = await paid(VISA);
    const { status, body } = await refund(id, "4.00");
    expect([status, body.status]).toEqual([201, "pending"]);
    expect(await totals(id)).toMatchObject({ refunded: 0 });
    await refundUntil(id, body.id, "processing");
    expect(await totals(id)).toMatchObject({ refunded: 400, net: 600 });
    await refundUntil(id, body.id, "refunded");
    const payment = (await harness.call("GET", `/v2/payments/${id}?embed=refunds`)).body;
    expect(payment).toMatchObject({ amountRefunded: eur("4.00"), amountRemaining: eur("6.00") });
    expect(payment._embedded.refunds).toHaveLength(1);
  });

  it("comes back from the bank of the card for it", async () => {
    const id = await paid("4000000000005126");
    const { body } = await refund(id, "10.00");
    await refundUntil(id, body.id, "failed");
    expect(await totals(id)).toMatchObject({ refunded: 1000, refund_failed: 1000, net: 1000 });
  });

  it("never is more than remains, and only of what is paid", async () => {
    const id = await paid(VISA);
    expect((await refund(id, "6.00")).status).toBe(201);
    expect((await refund(id, "4.01")).body.field).toBe("amount");
    expect((await refund(id, "4.00")).status).toBe(201);
    const held = await paid(VISA, { captureMode: "manual" });
    expect((await refund(held, "1.00")).status).toBe(422);
    expect((await refund("tr_none", "1.00")).status).toBe(404);
  });

  it("is made once under a key; a twin in short succession is a conflict", async () => {
    await harness.control.settings({ duplicateRefundWindowMs: 60_000 });
    const id = await paid(VISA);
    const [first, again] = [await refund(id, "4.00", "a"), await refund(id, "4.00", "a")];
    expect(again.body.id).toBe(first.body.id);
    expect((await refund(id, "4.00", "b")).status).toBe(409);
    expect((await refund(id, "3.00", "c")).status).toBe(201);
  });

  it("can be called off while it is queued", async () => {
    await harness.control.settings({ queueRefunds: true });
    const id = await paid(VISA);
    const { body } = await refund(id, "4.00");
    expect(body.status).toBe("queued");
    expect((await harness.call("DELETE", `/v2/payments/${id}/refunds/${body.id}`)).status).toBe(204);
    expect((await harness.call("GET", `/v2/payments/${id}/refunds/${body.id}`)).status).toBe(404);
    expect(await totals(id)).toMatchObject({ refunded: 0 });
    expect((await refund(id, "10.00")).status).toBe(201);
  });
});

describe("a stored card", () => {
  async function customerWith(number: string): Promise<string> {
    const { body } = await harness.call("POST", "/v2/customers", { name: "A. Payer" });
    await paid(number, { sequenceType: "first", customerId: body.id });
    return body.id;
  }
  const charge = (customerId: string, more: object = {}) =>
    harness.create({
      redirectUrl: undefined,
      cancelUrl: undefined,
      sequenceType: "recurring",
      customerId,
      ...more,
    });

  it("is charged without its payer", async () => {
    const customer = await customerWith(VISA);
    const { body } = await charge(customer);
    expect(body).toMatchObject({ status: "paid", sequenceType: "recurring", customerId: customer });
    expect(body._links.checkout).toBeUndefined();
    expect(await totals(body.id)).toMatchObject({ captured: 1000 });
  });

  it("is declined, or no longer there", async () => {
    const customer = await customerWith("4000000000000341");
    const { body } = await charge(customer);
    expect([body.status, body.details.failureReason]).toEqual(["failed", "card_declined"]);
    const [mandate] = (await harness.call("GET", `/v2/customers/${customer}/mandates`)).body._embedded
      .mandates;
    expect((await harness.call("DELETE", `/v2/customers/${customer}/mandates/${mandate.id}`)).status).toBe(
      204,
    );
    expect((await charge(customer)).body.field).toBe("customerId");
    expect((await charge(customer, { mandateId: mandate.id })).body.field).toBe("mandateId");
    expect((await charge("cst_none")).body.field).toBe("customerId");
  });
});

describe("a list of payments", () => {
  it("is newest first, in pages, from a payment on", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.unshift((await harness.create()).body.id);
    const first = await harness.call("GET", "/v2/payments?limit=2");
    const shown = (answer: typeof first) =>
      answer.body._embedded.payments.map(({ id }: { id: string }) => id);
    expect(shown(first)).toEqual(ids.slice(0, 2));
    const next = new URL(first.body._links.next.href);
    expect(shown(await harness.call("GET", next.pathname + next.search))).toEqual(ids.slice(2, 4));
    expect(shown(await harness.call("GET", "/v2/payments?sort=asc&limit=1"))).toEqual(ids.slice(-1));
    for (const query of ["limit=0", "limit=251", "sort=up", "from=tr_none"]) {
      expect((await harness.call("GET", `/v2/payments?${query}`)).status).toBe(400);
    }
  });

  it("can lag behind", async () => {
    await harness.control.settings({ listLagMs: 60_000 });
    await harness.create();
    expect((await harness.call("GET", "/v2/payments")).body.count).toBe(0);
  });
});
