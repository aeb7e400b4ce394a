/**
 * Cards that are stored, payments without the customer, and 3D Secure that was carried out elsewhere.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cardData, type Harness, payment, QUICK, startHarness } from "./test-harness.ts";

const INTENTS = "/v1/payment_intents";
const ASKS_UNLESS_SET_UP = "4000002500003155";
const ASKS = "4000002760003184";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.running.stop());
beforeEach(async () => {
  await harness.control.reset();
  await harness.control.settings(QUICK);
});

const pay = (card: string, extra = {}, options = {}) =>
  harness.bare(
    "POST",
    INTENTS,
    payment(card, { expand: ["latest_charge"], payment_method_options: { card: options }, ...extra }),
  );
const cardOf = (answer: { body: { latest_charge: { payment_method_details: { card: object } } } }) =>
  answer.body.latest_charge.payment_method_details.card;

describe("a customer", () => {
  test("through the official client: created, stores a card, and pays with it while away", async () => {
    const { stripe, control } = harness;
    const customer = await stripe.customers.create({ name: "Ann Example", email: "ann@shop.example" });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ name: "Ann Example" });
    const first = await pay(ASKS_UNLESS_SET_UP, {
      customer: customer.id,
      setup_future_usage: "off_session",
      return_url: "https://shop.example/",
    });
    expect(first.body.status).toBe("requires_action");
    await control.authenticate(first.body.id, "succeed");
    const paid = await stripe.paymentIntents.retrieve(first.body.id);
    expect(paid).toMatchObject({ status: "succeeded", customer: customer.id });
    const again = {
      amount: 500,
      currency: "usd",
      confirm: true,
      off_session: true,
      customer: customer.id,
      payment_method: String(paid.payment_method),
    };
    expect((await stripe.paymentIntents.create(again)).status).toBe("succeeded");
    expect((await stripe.paymentIntents.create(again)).status).toBe("succeeded");
    // Who is there can be asked, and is.
    const present = { ...again, off_session: false, return_url: "https://shop.example/" };
    expect((await stripe.paymentIntents.create(present)).status).toBe("requires_action");
  });

  test("keeps what is attached, and nobody else may pay with it", async () => {
    const { bare } = harness;
    const { body: customer } = await bare("POST", "/v1/customers", {});
    const { body: method } = await bare("POST", "/v1/payment_methods", cardData("4242424242424242"));
    const attached = await bare("POST", `/v1/payment_methods/${method.id}/attach`, { customer: customer.id });
    expect(attached.body.customer).toBe(customer.id);
    const { body: all } = await bare("GET", `/v1/customers/${customer.id}/payment_methods`);
    expect(all.data).toMatchObject([{ id: method.id }]);
    const plain = { amount: 500, currency: "usd", confirm: true, payment_method: method.id };
    const card = { payment_method_types: ["card"] };
    const refused = await bare("POST", INTENTS, { ...plain, ...card });
    expect(refused.body.error.param).toBe("payment_method");
    const owned = { ...plain, ...card, customer: customer.id };
    expect((await bare("POST", INTENTS, owned)).body.status).toBe("succeeded");
    expect((await bare("POST", INTENTS, owned)).body.status).toBe("succeeded");
    await bare("POST", `/v1/payment_methods/${method.id}/detach`);
    expect((await bare("POST", INTENTS, owned)).status).toBe(400);
  });
});

describe("a payment without the customer", () => {
  test("is declined where the bank asks, and passes where the scheme's id shows the agreement", async () => {
    const away = { off_session: true };
    expect((await pay(ASKS_UNLESS_SET_UP, away)).body.error.code).toBe("authentication_required");
    const mit_exemption = { network_transaction_id: "412345678901234" };
    const agreed = await pay(ASKS_UNLESS_SET_UP, away, {
      mit_exemption,
      stored_credential_usage: "recurring",
    });
    expect(agreed.body.status).toBe("succeeded");
    expect(cardOf(agreed)).toMatchObject({ stored_credential_usage: "recurring" });
    const malformed = { mit_exemption: { network_transaction_id: "not an id!" } };
    expect((await pay(ASKS_UNLESS_SET_UP, away, malformed)).status).toBe(400);
  });

  test.each([
    ["4242424242424242", /^4\d{14}$/],
    ["5555555555554444", /^MCC[A-Z0-9]{6}\d{4}$/],
  ])("needs an id that the first payment told: %s", async (number, form) => {
    const told = cardOf(await pay(number)) as { network_transaction_id: string };
    expect(told.network_transaction_id).toMatch(form);
    const again = cardOf(await pay(number)) as { network_transaction_id: string };
    expect(again.network_transaction_id).not.toBe(told.network_transaction_id);
  });
});

describe("3D Secure that was carried out elsewhere", () => {
  const secure = {
    cryptogram: "AAABBWcSNIdjeUZThmNHAAAAAAA=",
    transaction_id: "f25084f0-5b16-4c0a-ae5d-b24808a95e4b",
    version: "2.2.0",
    electronic_commerce_indicator: "05",
  };
  const imported = (three_d_secure: object, card = ASKS) =>
    pay(card, { error_on_requires_action: true }, { three_d_secure: { ...three_d_secure } });

  test("satisfies a bank that asks, and is told with the charge", async () => {
    const paid = await imported({ ...secure, ares_trans_status: "C" });
    expect(paid.body.status).toBe("succeeded");
    expect(cardOf(paid)).toMatchObject({
      electronic_commerce_indicator: "05",
      three_d_secure: {
        result: "authenticated",
        authentication_flow: "challenge",
        transaction_id: secure.transaction_id,
        version: "2.2.0",
      },
    });
  });

  test("that was only attempted, or exempted, is told as that", async () => {
    const attempted = await imported({ ...secure, electronic_commerce_indicator: "06" });
    expect(cardOf(attempted)).toMatchObject({ three_d_secure: { result: "attempt_acknowledged" } });
    const exempt = { ...secure, exemption_indicator: "low_risk" };
    const exempted = await imported(exempt, "4242424242424242");
    expect(cardOf(exempted)).toMatchObject({ three_d_secure: { result: "exempted" } });
    expect((await imported(exempt)).body.error.code).toBe("authentication_required");
  });

  test.each([
    ["no cryptogram", { cryptogram: "" }, "cryptogram"],
    ["a cryptogram of another length", { cryptogram: "AAAA" }, "cryptogram"],
    ["no transaction", { transaction_id: "" }, "transaction_id"],
    ["a transaction that is no UUID", { transaction_id: "12345" }, "transaction_id"],
    ["a version that does not exist", { version: "2.4.0" }, "version"],
    [
      "an indicator that does not exist",
      { electronic_commerce_indicator: "08" },
      "electronic_commerce_indicator",
    ],
    [
      "an indicator without liability",
      { requestor_challenge_indicator: "00" },
      "requestor_challenge_indicator",
    ],
  ])("is refused: %s", async (_, change, param) => {
    const refused = await imported({ ...secure, ...change });
    expect(refused.status).toBe(400);
    expect(refused.body.error.param).toBe(`payment_method_options[card][three_d_secure][${param}]`);
  });
});
