import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { AdyenSandboxControl } from "../../../../test/sandbox/adyen/control-client.ts";
import { adyen } from "../../../../test/sandbox/adyen/dialect.ts";
import { CAPTURE_FAILS_LATER, refusingCard } from "../../../../test/sandbox/adyen/test-cards.ts";
import { type AdyenWorld, SANDBOX_HMAC_KEY } from "../../../../test/sandbox/adyen/world.ts";
import { type RunningSandbox, startSandbox } from "../../../../test/sandbox/kit/server.ts";
import { DECLINE_CODES } from "../../domain/decline.ts";
import type { Operation, OperationKind, ProviderAnswer, ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation, samplePayment } from "../../domain/samples.ts";
import type { Send, WebhookAnswer, WebhookItem } from "../connector.ts";
import { directSend } from "../contract/direct-send.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../contract/receiver.ts";
import { newReference } from "../contract/story.ts";
import { adyenAccount, createAdyenConnector } from "./index.ts";

/** What only Adyen does, against the sandbox; the rest is in the contract. */

const connector = createAdyenConnector({
  merchantAccount: "TesseraECOM",
  returnUrl: "https://pay.tessera.example/return",
});
const API_KEY = "adyen_test_sandbox";

let sandbox: RunningSandbox<AdyenWorld>;
let control: AdyenSandboxControl;
let receiver: WebhookReceiver;
let send: Send;
let number: string;

beforeAll(async () => {
  receiver = await startWebhookReceiver({ status: 200, body: "[accepted]" });
  sandbox = await startSandbox(adyen, { port: 0, apiKey: API_KEY, webhookUrl: receiver.url });
  control = new AdyenSandboxControl(sandbox.url);
  const card = () => ({ number, expMonth: 3, expYear: 2030, cvc: "123" });
  send = directSend(adyenAccount({ baseUrl: `${sandbox.url}/v72`, apiKey: API_KEY }), card, 2_000);
});
beforeEach(async () => {
  number = "4242424242424242";
  await control.clearFaults();
  await control.settings({ lateFailureMs: 20, modificationDelayMs: 5, multiplePartialCaptures: true });
});
afterAll(async () => {
  await sandbox.stop();
  await receiver.stop();
});

type Asked = { readonly operation: Operation; readonly payment: Payment; readonly answer: ProviderAnswer };

async function ask(
  kind: OperationKind,
  payment: Payment,
  request: ProviderRequest,
  reference: string,
): Promise<Asked> {
  const operation = sampleOperation(payment, { kind, request, reference });
  const answer = connector.answer(operation, payment, await send(request, reference), true);
  return { operation, payment, answer };
}

function authorize(overrides: Partial<Payment> = {}): Promise<Asked> {
  const payment = samplePayment(overrides);
  const reference = newReference();
  const request = connector.authorize(payment, {
    reference,
    cvcAvailable: true,
    authentication: null,
    exemption: null,
    stored: null,
    returnUrl: null,
    webhookUrl: null,
    payer: { ip: null, country: null, email: null },
  });
  return ask("authorize", payment, request, reference);
}

async function authorized(overrides: Partial<Payment> = {}): Promise<Payment> {
  const { answer } = await authorize(overrides);
  if (answer.kind !== "done") throw new Error(`not authorized: ${JSON.stringify(answer, String)}`);
  const { providerPayment } = answer;
  return samplePayment({ ...overrides, phase: "open", authorized: 10_000n, providerPayment });
}

function capture(payment: Payment, amount = 10_000n): Promise<Asked> {
  const reference = newReference();
  return ask("capture", payment, connector.capture(payment, { amount, final: true, reference }), reference);
}

/** All news so far, oldest first; every delivery must be genuine. */
function heard(): readonly WebhookItem[] {
  return receiver.deliveries().flatMap(({ headers, body }) => {
    const read = connector.webhooks?.read(headers, body, [SANDBOX_HMAC_KEY], new Date());
    if (read === undefined || !read.ok) throw new Error(`refused: ${read?.error}`);
    return read.value;
  });
}

/** Waits for news that `matches`. */
const news = (matches: (item: WebhookItem) => boolean): Promise<WebhookItem> =>
  vi.waitFor(
    () => {
      const item = heard().find(matches);
      if (item === undefined) throw new Error("not told yet");
      return item;
    },
    { timeout: 3_000, interval: 10 },
  );

const tells = ({ operation, payment }: Asked, kind: WebhookAnswer["kind"], change: Partial<Operation> = {}) =>
  news(
    (item) =>
      item.reference === operation.reference &&
      item.answer({ ...operation, ...change }, payment).kind === kind,
  );

describe("what is decided later", () => {
  it("is accepted, and then told", async () => {
    await control.faults({ fault: { kind: "processing", afterMs: 30 }, times: 1 });
    const asked = await authorize();
    expect(asked.answer.kind).toBe("accepted");
    const item = await tells(asked, "done");
    expect(item.answer(asked.operation, asked.payment)).toMatchObject({
      amount: 10_000n,
      details: {
        networkTransactionId: expect.stringMatching(/^\d{15}$/),
        issuerCountry: "US",
        funding: "credit",
      },
    });
  });

  it("is the same for each kind of modification, and is told under its reference and Adyen's id", async () => {
    const payment = await authorized();
    const asked = await capture(payment);
    if (asked.answer.kind !== "accepted") throw new Error("not accepted");
    const item = await tells(asked, "done");
    expect([item.providerPayment, item.providerOperation]).toEqual([
      payment.providerPayment,
      asked.answer.providerOperation,
    ]);
  });

  it("fails where the payment does not allow it", async () => {
    const payment = await authorized();
    await tells(await capture(payment), "done");
    const again = await capture(payment, 1n);
    const item = await tells(again, "failed");
    expect(item.answer(again.operation, payment)).toMatchObject({
      decline: { providerCode: "CAPTURE:Insufficient balance on payment" },
    });
    const reference = newReference();
    await tells(await ask("void", payment, connector.void(payment, { reference }), reference), "failed");
  });

  it("with one capture only, a partial one releases the rest", async () => {
    await control.settings({ multiplePartialCaptures: false });
    const payment = await authorized();
    await tells(await capture(payment, 6_000n), "done");
    const { payments } = await control.book({ payment: payment.providerPayment ?? "" });
    expect(Object.values(payments)).toMatchObject([{ captured: 6_000, released: 4_000, held: 0 }]);
  });
});

describe("what comes undone", () => {
  it("a capture that the scheme rejects is reversed, whichever news is first", async () => {
    number = CAPTURE_FAILS_LATER;
    await control.settings({ webhooks: { reorder: true, reorderWindowMs: 100 } });
    const asked = await capture(await authorized());
    const isAbout = (item: WebhookItem) => item.reference === asked.operation.reference;
    await vi.waitFor(() => expect(heard().filter(isAbout)).toHaveLength(2), { timeout: 3_000 });
    await control.settings({ webhooks: { reorder: false } });
    // Applied as they came: done and reversed, or failed and nothing more.
    let state: Operation["state"] = "claimed";
    let failure: Operation["failure"] = null;
    for (const item of heard().filter(isAbout)) {
      const answer = item.answer({ ...asked.operation, state, failure }, asked.payment);
      if (answer.kind === "done") state = "succeeded";
      if (answer.kind === "failed" || answer.kind === "reversed") {
        state = answer.kind;
        failure = answer.decline;
      }
    }
    expect(["failed", "reversed"]).toContain(state);
  });

  it("a refund that the bank returns is reversed", async () => {
    await control.faults({
      match: { operation: "refund" },
      fault: { kind: "quirk", quirk: "refund_reversed" },
    });
    const payment = await authorized({ captureMethod: "automatic" });
    const reference = newReference();
    const refund = await ask(
      "refund",
      payment,
      connector.refund(payment, { amount: 300n, reference }),
      reference,
    );
    await tells(refund, "done");
    const item = await tells(refund, "reversed", { state: "succeeded" });
    expect(item.answer({ ...refund.operation, state: "succeeded" }, payment)).toMatchObject({
      decline: { code: "refund_returned", providerCode: "REFUNDED_REVERSED:Closed account" },
    });
  });
});

describe("news that goes wrong", () => {
  it("without our reference is found by Adyen's ids", async () => {
    const payment = await authorized();
    await control.faults({
      match: { operation: "capture" },
      fault: { kind: "quirk", quirk: "forgets_reference" },
    });
    const asked = await capture(payment);
    if (asked.answer.kind !== "accepted") throw new Error("not accepted");
    const { providerOperation } = asked.answer;
    const item = await news((told) => told.providerOperation === providerOperation);
    expect([item.reference, item.kind]).toEqual([null, "capture"]);
    expect(item.answer(asked.operation, payment).kind).toBe("done");
  });

  it("that contradicts the answer changes nothing", async () => {
    await control.faults({
      match: { operation: "authorise" },
      fault: { kind: "quirk", quirk: "contradicts" },
    });
    const asked = await authorize();
    expect(asked.answer.kind).toBe("done");
    await tells(asked, "declined");
    await tells(asked, "nothing", { state: "succeeded" });
    await tells(asked, "done");
  });

  it("that comes twice has one id", async () => {
    await control.settings({ webhooks: { duplicateProbability: 1 } });
    const asked = await authorize();
    const own = () => heard().filter(({ reference }) => reference === asked.operation.reference);
    await vi.waitFor(() => expect(own()).toHaveLength(2));
    await control.settings({ webhooks: { duplicateProbability: 0 } });
    expect(new Set(own().map(({ id }) => id)).size).toBe(1);
  });
});

it("every refusal that Adyen knows is a decline, with its code kept", async () => {
  for (let code = 2; code <= 46; code++) {
    if ([13, 30].includes(code)) continue;
    number = refusingCard(String(code));
    const { answer } = await authorize();
    if (answer.kind !== "declined") throw new Error(`${code}: ${answer.kind}`);
    expect(Object.keys(DECLINE_CODES)).toContain(answer.decline.code);
    expect(answer.decline.providerCode).toMatch(new RegExp(`^(Refused|Cancelled|Error):${code}$`));
    expect(answer.details?.rawCode).toBe(answer.decline.providerCode);
  }
});

it("an authorization that waits is called off by our reference", async () => {
  await control.faults({ fault: { kind: "processing", afterMs: 10_000 }, times: 1 });
  const asked = await authorize();
  expect(asked.answer.kind).toBe("accepted");
  const reference = newReference();
  const request = connector.cancelAction(asked.operation, asked.payment, { reference });
  if (request === null) throw new Error("there is a way");
  expect((await ask("void", asked.payment, request, reference)).answer.kind).toBe("accepted");
  const item = await tells(asked, "failed");
  expect(item.kind).toBeNull();
});

it("a key that Adyen has forgotten would pay again: the window ends before", async () => {
  const asked = await authorize();
  const { request, reference } = asked.operation;
  if (request === null) throw new Error("no request");
  expect(connector.resolver.idempotencyWindowMs).toBeLessThan(sandbox.sandbox.settings.idempotencyKeyTtlMs);
  const again = connector.answer(asked.operation, asked.payment, await send(request, reference), false);
  expect(again).toMatchObject({
    kind: "done",
    providerPayment: (asked.answer as { providerPayment: string }).providerPayment,
  });
  await control.expireKeys();
  await send(request, reference);
  const { payments } = await control.book({ reference });
  expect(Object.keys(payments)).toHaveLength(2);
});
