import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adyenScheme, REFUSALS, refusingCard } from "./test-cards.ts";
import { type Harness, newReference, payment, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const pay = async (number: string, extra: Record<string, unknown> = {}) =>
  (await harness.post("/payments", payment(number, extra))).body;
const bookOf = async (pspReference: string) =>
  (await harness.control.book({ payment: pspReference })).payments[pspReference];

const CAVV = Buffer.alloc(20, 1).toString("base64");
const mpi = (directoryResponse: string, rest: object = {}) => ({
  mpiData: { directoryResponse, cavv: CAVV, dsTransID: "ds", threeDSVersion: "2.2.0", eci: "05", ...rest },
});

describe("results", () => {
  test.each([
    ["4242424242424242", "Authorised", undefined],
    ["4000000000000002", "Refused", "2"],
    ["4000000000009995", "Refused", "12"],
    ["4000000000009987", "Refused", "5"],
    ["4000000000000069", "Refused", "6"],
    ["4000000000000127", "Refused", "24"],
    ["4000000000000119", "Error", "4"],
    ["4100000000000019", "Refused", "20"],
  ])("%s is %s", async (number, resultCode, refusalReasonCode) => {
    const body = await pay(number);
    expect([body.resultCode, body.refusalReasonCode]).toEqual([resultCode, refusalReasonCode]);
    expect(await bookOf(body.pspReference)).toEqual(
      resultCode === "Authorised" ? expect.objectContaining({ authorized: 1000, held: 1000 }) : undefined,
    );
    const told = await harness.news("AUTHORISATION", body.pspReference);
    expect(told).toMatchObject({
      success: String(resultCode === "Authorised"),
      merchantReference: body.merchantReference,
    });
  });

  test("every refusal has a card of its own, which is a card", async () => {
    const numbers = Object.keys(REFUSALS).map(refusingCard);
    expect(new Set(numbers).size).toBe(Object.keys(REFUSALS).length);
    expect(numbers.every((number) => adyenScheme(number) === "visa" && number.length === 16)).toBe(true);
    for (const code of ["3", "26", "46"])
      expect((await pay(refusingCard(code))).refusalReasonCode).toBe(code);
  });

  test("capture at once is the default, and by hand where asked for", async () => {
    const sale = await pay("5555555555554444", { additionalData: {} });
    expect(await bookOf(sale.pspReference)).toMatchObject({ authorized: 1000, captured: 1000, held: 0 });
    const delayed = await pay("5555555555554444", { additionalData: {}, captureDelayHours: 0 });
    expect(await bookOf(delayed.pspReference)).toMatchObject({ captured: 1000 });
    const held = await pay("5555555555554444");
    expect(await bookOf(held.pspReference)).toMatchObject({ captured: 0, held: 1000 });
  });

  test("an authorisation ends when its time is over, and says so", async () => {
    await harness.control.settings({ authorisationLifetimeMs: 20 });
    const body = await pay("4242424242424242");
    await harness.control.settings({ authorisationLifetimeMs: 86_400_000 });
    expect(await harness.news("EXPIRE", body.pspReference)).toMatchObject({ success: "true" });
    expect(await bookOf(body.pspReference)).toMatchObject({ released: 1000, held: 0 });
  });

  test("what is received is decided later", async () => {
    await harness.control.faults({ fault: { kind: "processing", afterMs: 30 }, times: 1 });
    const body = await pay("4000000000009995");
    expect([body.resultCode, body.refusalReasonCode]).toEqual(["Received", undefined]);
    const told = await harness.news("AUTHORISATION", body.pspReference);
    expect(told).toMatchObject({ success: "false", reason: "Not enough balance" });
  });
});

describe("3-D Secure", () => {
  const never = { authenticationData: { attemptAuthentication: "never" } };

  test("a card that insists is redirected, or softly refused where Adyen must not ask", async () => {
    expect((await pay("4000002760003184")).resultCode).toBe("RedirectShopper");
    expect((await pay("4000002760003184", never)).refusalReasonCode).toBe("38");
  });

  test.each([
    ["frictionless", mpi("Y"), "Authorised"],
    ["attempted", mpi("A"), "Authorised"],
    ["challenged", mpi("C", { authenticationResponse: "Y" }), "Authorised"],
    ["a failed challenge", mpi("C", { authenticationResponse: "N" }), "Refused"],
    ["a challenge without its end", mpi("C"), "Refused"],
    ["rejected", mpi("R"), "Refused"],
    ["a claim without a proof", mpi("Y", { cavv: undefined }), "Refused"],
  ])("of our own: %s", async (_, extra, resultCode) => {
    const body = await pay("4000002760003184", { ...extra, ...never });
    expect(body.resultCode).toBe(resultCode);
    if (resultCode === "Refused") expect(body.refusalReasonCode).toBe("11");
  });

  test("exempted, or charged without the shopper", async () => {
    const exempted = { additionalData: { scaExemption: "lowValue" }, ...never };
    expect((await pay("4000002500003155", exempted)).resultCode).toBe("Authorised");
    expect((await pay("4000002760003184", exempted)).resultCode).toBe("Refused");
    const charged = { shopperInteraction: "ContAuth", recurringProcessingModel: "Subscription", ...never };
    expect((await pay("4000002500003155", charged)).refusalReasonCode).toBe("38");
    const linked = { ...charged, additionalData: { networkTxReference: "123456789012345" } };
    expect((await pay("4000002500003155", linked)).resultCode).toBe("Authorised");
  });

  test("the bank says no, or the shopper has not come back yet", async () => {
    const { pspReference } = await pay("4000002760003184");
    const page = await fetch(`${harness.running.url}/_sandbox/bank/${pspReference}`);
    expect(await page.text()).toContain("Is this payment yours?");
    const location = await harness.control.bank(pspReference, "fail");
    const details = { redirectResult: new URL(location).searchParams.get("redirectResult") };
    const { body } = await harness.post("/payments/details", { details });
    expect([body.resultCode, body.refusalReasonCode]).toEqual(["Refused", "11"]);
    expect(await bookOf(pspReference)).toBeUndefined();
  });
});

describe("validation", () => {
  test.each([
    ["reference", { reference: undefined }, 422, "130"],
    ["return address", { returnUrl: undefined }, 422, "14_030"],
    ["amount", { amount: undefined }, 422, "100"],
    ["currency", { amount: { value: 1, currency: "XYZ" } }, 422, "138"],
    ["a negative amount", { amount: { value: -1, currency: "EUR" } }, 422, "137"],
    ["an amount that is no number", { amount: { value: "1", currency: "EUR" } }, 400, "702"],
    ["payment method", { paymentMethod: undefined }, 422, "14_004"],
    ["a field that does not exist", { colour: "red" }, 400, "702"],
    ["another merchant account", { merchantAccount: "Other" }, 403, "901"],
    ["too much metadata", { metadata: { a_name_of_more_than_20: "1" } }, 422, "177"],
  ])("%s", async (_, change, status, errorCode) => {
    const answer = await harness.post("/payments", payment("4242424242424242", change));
    expect([answer.status, answer.body.errorCode]).toEqual([status, errorCode]);
  });

  test.each([
    ["number", { number: "4242424242424241" }, "101"],
    ["scheme", { number: "9999999999999995" }, "102"],
    ["length of the security code", { cvc: "12" }, "103"],
    ["security code", { cvc: "1a3" }, "153"],
    ["month", { expiryMonth: "13" }, "140"],
    ["year", { expiryYear: "30" }, "141"],
  ])("a card's %s", async (_, change, errorCode) => {
    const request = payment("4242424242424242");
    const paymentMethod = { ...(request["paymentMethod"] as object), ...change };
    const answer = await harness.post("/payments", { ...request, paymentMethod });
    expect([answer.status, answer.body.errorCode]).toEqual([422, errorCode]);
  });
});

describe("idempotency keys", () => {
  test("answer with the first result, and charge once", async () => {
    const request = payment("4242424242424242");
    const headers = { "idempotency-key": newReference() };
    const first = await harness.post("/payments", request, headers);
    const again = await harness.post("/payments", request, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-key")).toBe(headers["idempotency-key"]);
    const { movements } = await harness.control.book({ reference: request["reference"] as string });
    expect(movements.map(({ kind }) => kind)).toEqual(["authorized"]);
  });

  test("under way, or of another request: 704", async () => {
    const request = payment("4242424242424242");
    const headers = { "idempotency-key": newReference() };
    await harness.control.faults({ fault: { kind: "delay", ms: 80 }, times: 1 });
    const first = harness.post("/payments", request, headers);
    await new Promise((resolve) => setTimeout(resolve, 25));
    const second = await harness.post("/payments", request, headers);
    expect([second.status, second.body.errorCode, second.headers.get("transient-error")]).toEqual([
      422,
      "704",
      "true",
    ]);
    expect((await first).body.resultCode).toBe("Authorised");
    const other = await harness.post("/payments", payment("5555555555554444"), headers);
    expect([other.status, other.body.errorCode]).toEqual([422, "704"]);
  });

  test("have at most 64 characters", async () => {
    const answer = await harness.post("/payments", payment("4242424242424242"), {
      "idempotency-key": "k".repeat(65),
    });
    expect(answer.status).toBe(400);
  });

  test("a rate limit is 429", async () => {
    await harness.control.settings({ rateLimitPerSecond: 1 });
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => harness.post("/payments", payment("4242424242424242"))),
    );
    await harness.control.settings({ rateLimitPerSecond: 0 });
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
  });
});
