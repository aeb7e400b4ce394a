import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserSample } from "../../subgraphs/payments/domain/three-ds/samples.ts";
import { ThreeDsSandboxControl } from "../sandbox/three-ds/control-client.ts";
import { decode } from "../sandbox/three-ds/messages.ts";
import { cresIn, Payer } from "../sandbox/three-ds/test-harness.ts";
import { eventually } from "../support/eventually.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

/** 3-D Secure through the whole platform: checkout, vault, directory, the issuer's page, and its results back. */
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform({ providers: ["stripe", "acquirer"], threeDs: true });
}, 90_000);
afterAll(() => platform?.stop());

/** Issued in Germany: its issuer asks. And one that passes without a question. */
const ASKED = "4000002760003184";
const PASSES = "4000002700000001";

const PAYMENT = `query ($id: ID!) { payment(id: $id) {
  state provider decline { code } action { type }
  authentication { version transStatus eci dsTransaction liabilityShift challenged }
  attempts { kind state provider attempt details { rawCode eci cvc liabilityShift }
    routing { because authentication { because by challenge exemption } } } } }`;
const OPEN = `mutation ($input: CreateCheckoutSessionInput!) { createCheckoutSession(input: $input) {
  ... on CheckoutSession { id clientSecret attempt } ... on UserError { message } } }`;
const SESSION = `query ($secret: String!) { checkoutSession(clientSecret: $secret) { status attempt } }`;
const LATEST = "{ payments(first: 1) { nodes { id } } }";
const CONFIRM = `mutation ($input: ConfirmCheckoutSessionInput!) { confirmCheckoutSession(input: $input) {
  __typename
  ... on CheckoutSession { status }
  ... on CheckoutDeclined { code session { status attempt } }
  ... on CheckoutActionRequired { action { type url acsUrl creq } session { status } }
  ... on UserError { message } } }`;

async function ask(query: string, variables: object = {}, key?: string) {
  const { data, errors } = await platform.request(query, variables, key);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

async function open(amount = 10_000): Promise<string> {
  const input = {
    idempotencyKey: randomUUID(),
    amount: { amount, currency: "EUR" },
    captureMethod: "AUTOMATIC",
  };
  return (await ask(OPEN, { input })).createCheckoutSession.clientSecret;
}

/** As the checkout's page does it, with the key that everybody may know. */
async function confirm(clientSecret: string, card: string | null, attempt = 0) {
  const { accept: _, ip: __, ...browser } = browserSample();
  const token = card === null ? null : await platform.token({ number: card });
  const input = { clientSecret, token, attempt, browser };
  return (await ask(CONFIRM, { input }, platform.stack.merchant.publishableKey)).confirmCheckoutSession;
}

const latest = async (): Promise<string> => (await ask(LATEST)).payments.nodes[0].id;
const read = async (id: string) => (await ask(PAYMENT, { id })).payment;

async function challenged(card = ASKED, amount?: number) {
  const secret = await open(amount);
  const asked = await confirm(secret, card);
  expect(asked).toMatchObject({
    __typename: "CheckoutActionRequired",
    action: { type: "CHALLENGE", url: null },
    session: { status: "REQUIRES_ACTION" },
  });
  const { acsUrl, creq } = asked.action as { acsUrl: string; creq: string };
  const payer = new Payer(acsUrl);
  await payer.open(creq);
  const enter = (code: string) => payer.enter(String(decode(creq)?.["acsTransID"]), code);
  return {
    secret,
    asked,
    enter,
    id: await latest(),
    transaction: String(decode(creq)?.["threeDSServerTransID"]),
  };
}

describe("a checkout", () => {
  it("with a challenge is paid when the payer has answered", async () => {
    const { secret, asked, enter, id, transaction } = await challenged();
    expect(await confirm(secret, null)).toEqual(asked);
    expect(await read(id)).toMatchObject({ state: "REQUIRES_ACTION", action: { type: "CHALLENGE" } });
    expect(cresIn(await enter("1234"))).toMatchObject({ transStatus: "Y" });
    expect(await confirm(secret, null)).toMatchObject({ __typename: "CheckoutSession", status: "COMPLETE" });

    const directory = new ThreeDsSandboxControl(new URL(asked.action.acsUrl).origin);
    const [entry] = await directory.authentications(transaction);
    const payment = await read(id);
    const decision = { because: "DUE", by: "US", challenge: "NO_PREFERENCE", exemption: null };
    expect(payment).toMatchObject({
      state: "CAPTURED",
      action: null,
      authentication: {
        version: "2.2.0",
        transStatus: "Y",
        eci: "05",
        dsTransaction: entry?.dsTransaction,
        liabilityShift: true,
        challenged: true,
      },
      attempts: [
        {
          kind: "AUTHENTICATE",
          state: "SUCCEEDED",
          provider: "three-ds",
          details: { rawCode: "Y", eci: "05", liabilityShift: true },
          routing: { authentication: decision },
        },
        // The vault has kept the security code over the challenge, and the proof has reached the provider.
        {
          kind: "AUTHORIZE",
          state: "SUCCEEDED",
          provider: payment.provider,
          details: { eci: "05", cvc: "MATCH", liabilityShift: true },
          routing: { authentication: decision },
        },
      ],
    });
  });

  it("whose payer closes the tab is paid as well", async () => {
    const { secret, enter } = await challenged();
    await enter("1234");
    await eventually(async () =>
      expect((await ask(SESSION, { secret })).checkoutSession).toMatchObject({ status: "COMPLETE" }),
    );
  });

  it("whose payer cancels may try another card", async () => {
    const { secret, enter, id } = await challenged();
    await enter("cancel");
    expect(await confirm(secret, null)).toMatchObject({
      __typename: "CheckoutDeclined",
      code: "AUTHENTICATION_FAILED",
      session: { status: "OPEN", attempt: 1 },
    });
    expect(await read(id)).toMatchObject({ state: "DECLINED", attempts: [{ state: "DECLINED" }] });
    expect(await confirm(secret, PASSES, 1)).toMatchObject({ status: "COMPLETE" });
    expect(await read(await latest())).toMatchObject({
      authentication: { transStatus: "Y", challenged: false, liabilityShift: true },
    });
  });

  it("of low value asks for the exemption; an issuer that insists is answered with a challenge", async () => {
    const passes = await open(1_500);
    expect(await confirm(passes, PASSES)).toMatchObject({ status: "COMPLETE" });
    const exempt = { because: "EXEMPTION", by: null, challenge: null, exemption: "LOW_VALUE" };
    expect(await read(await latest())).toMatchObject({
      authentication: null,
      attempts: [{ kind: "AUTHORIZE", routing: { authentication: exempt } }],
    });
    const { secret, enter, id } = await challenged(ASKED, 1_500);
    await enter("1234");
    expect(await confirm(secret, null)).toMatchObject({ status: "COMPLETE" });
    const payment = await read(id);
    expect(payment.attempts).toMatchObject([
      { kind: "AUTHORIZE", state: "DECLINED", attempt: 0 },
      {
        kind: "AUTHENTICATE",
        routing: { authentication: { because: "SOFT_DECLINE", challenge: "MANDATED" } },
      },
      { kind: "AUTHORIZE", state: "SUCCEEDED", attempt: 1 },
    ]);
    expect(payment.attempts[2].provider).toBe(payment.attempts[0].provider);
  });
});

describe("results at the edge's door", () => {
  it("are refused without the directory's signature", async () => {
    const { id, transaction } = await challenged();
    const ids = { threeDSServerTransID: transaction, acsTransID: randomUUID(), dsTransID: randomUUID() };
    const answer = await fetch(`${platform.stack.urls.edge}/webhooks/three-ds`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-ds-signature": `sha256=${"0".repeat(64)}` },
      body: JSON.stringify({ messageType: "RReq", messageVersion: "2.2.0", transStatus: "Y", ...ids }),
    });
    expect(answer.status).toBe(401);
    expect(await read(id)).toMatchObject({ state: "REQUIRES_ACTION" });
  });
});
