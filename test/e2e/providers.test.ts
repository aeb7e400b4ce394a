import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DevProvider } from "../../regions/dev/outside-world.ts";
import { payByCard } from "../sandbox/mollie/control-client.ts";
import { eventually } from "../support/eventually.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

/** Each provider through the whole platform: edge, vault, region, its sandbox, and its webhooks back. */

const FIELDS = `id state provider capturedAmount { amount } refundedAmount { amount } action { type url }
  attempts { provider state details { rawCode networkTransactionId } }
  operations { kind state providerReference failure { code } }`;
const PAYMENT = `query ($id: ID!) { payment(id: $id) { ${FIELDS} } }`;
const mutation = (name: string, input: string, members: readonly string[]) =>
  `mutation ($input: ${input}!) { ${name}(input: $input) {
    __typename
    ... on Payment { ${FIELDS} }
    ... on PaymentPending { payment { ${FIELDS} } }
    ... on ProviderRefused { reason { code providerCode } payment { ${FIELDS} } }
    ... on UserError { message }
    ${members.join("\n")}
  } }`;
const AUTHORIZE = mutation("authorizePayment", "AuthorizePaymentInput", [
  `... on PaymentActionRequired { action { type url } payment { ${FIELDS} } }`,
  `... on PaymentDeclined { reason { code } payment { ${FIELDS} } }`,
]);
const CAPTURE = mutation("capturePayment", "CapturePaymentInput", []);
const REFUND = mutation("refundPayment", "RefundPaymentInput", []);

const direct: readonly DevProvider[] = ["stripe", "adyen", "acquirer"];

describe.each(direct)("%s", (provider) => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform({ providers: [provider] });
  }, 60_000);
  afterAll(() => platform?.stop());

  const ask = async (query: string, variables: object) => {
    const answer = await platform.request(query, variables);
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  };
  const stateOf = async (id: string) => (await ask(PAYMENT, { id })).payment;
  const authorize = async (number = "4242424242424242", overrides: object = {}) =>
    (
      await ask(AUTHORIZE, {
        input: {
          idempotencyKey: randomUUID(),
          amount: { amount: 4_000, currency: "EUR" },
          token: await platform.token({ number }),
          captureMethod: "MANUAL",
          ...overrides,
        },
      })
    ).authorizePayment;

  it("authorizes, captures and refunds", async () => {
    const authorized = await authorize();
    expect(authorized).toMatchObject({ __typename: "Payment", state: "AUTHORIZED", provider });
    const { id } = authorized;
    const input = { payment: id, idempotencyKey: randomUUID() };
    await ask(CAPTURE, { input });
    await eventually(async () => expect((await stateOf(id)).state).toBe("CAPTURED"));
    await ask(REFUND, {
      input: { ...input, idempotencyKey: randomUUID(), amount: { amount: 1_000, currency: "EUR" } },
    });
    await eventually(async () =>
      expect(await stateOf(id)).toMatchObject({
        state: "PARTIALLY_REFUNDED",
        refundedAmount: { amount: 1_000 },
      }),
    );
  });

  it("declines in our words", async () => {
    const declined = await authorize("4000000000009995");
    expect(declined).toMatchObject({ __typename: "PaymentDeclined", reason: { code: "INSUFFICIENT_FUNDS" } });
  });
});

describe("several at once", () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform({ providers: ["stripe", "adyen", "mollie", "acquirer"] });
  }, 60_000);
  afterAll(() => platform?.stop());

  const ask = async (query: string, variables: object) => {
    const answer = await platform.request(query, variables);
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
    return answer.data;
  };
  const authorize = async (overrides: object = {}) =>
    (
      await ask(AUTHORIZE, {
        input: {
          idempotencyKey: randomUUID(),
          amount: { amount: 4_000, currency: "EUR" },
          token: await platform.token(),
          captureMethod: "MANUAL",
          ...overrides,
        },
      })
    ).authorizePayment;
  let version = 0;
  const rule = async (rules: string) => {
    const input = { idempotencyKey: randomUUID(), expectedVersion: version, rules };
    const set = await ask(
      `mutation ($input: SetRoutingRulesInput!) { setRoutingRules(input: $input) {
        __typename ... on RoutingRules { version } ... on InvalidRules { errors { shown } } ... on UserError { message } } }`,
      { input },
    );
    expect(set.setRoutingRules.__typename).toBe("RoutingRules");
    version = set.setRoutingRules.version;
    // Rules count within five seconds.
    await new Promise((resolve) => setTimeout(resolve, 5_100));
  };

  it("asks whom the merchant's rules name", async () => {
    await rule(`"big ones": only acquirer if amount >= 10000 EUR\nonly adyen if currency == "USD"`);
    expect((await authorize({ amount: { amount: 1_200_000, currency: "EUR" } })).provider).toBe("acquirer");
    expect((await authorize({ amount: { amount: 900, currency: "USD" } })).provider).toBe("adyen");
  }, 20_000);

  it("sends the payer to a page where the provider has one, and learns from its webhook", async () => {
    await rule("only mollie");
    const waiting = await authorize({ returnUrl: "https://shop.example/back" });
    expect(waiting).toMatchObject({ __typename: "PaymentActionRequired", action: { type: "REDIRECT" } });
    const { id } = waiting.payment;
    await payByCard(waiting.action.url, {
      number: "4242424242424242",
      expiry: "12/40",
      cvc: "123",
      holder: "A. Payer",
    });
    await eventually(async () =>
      expect((await ask(PAYMENT, { id })).payment).toMatchObject({ state: "AUTHORIZED", provider: "mollie" }),
    );
  }, 30_000);

  it("goes on to another when one fails for certain, once", async () => {
    await rule("prefer stripe, acquirer");
    await platform.sandbox.faults({
      match: { operation: "create" },
      fault: { kind: "status", status: 401, body: { error: { type: "invalid_request_error" } } },
    });
    const taken = await authorize();
    await platform.sandbox.clearFaults();
    expect(taken).toMatchObject({ __typename: "Payment", state: "AUTHORIZED", provider: "acquirer" });
    expect(
      taken.attempts.map(({ provider, state }: { provider: string; state: string }) => [provider, state]),
    ).toEqual([
      ["stripe", "FAILED"],
      ["acquirer", "SUCCEEDED"],
    ]);
  }, 20_000);

  it("says what is possible, and what other rules would have changed", async () => {
    const { capabilities, simulateRouting } = await ask(
      `query ($from: DateTime!, $to: DateTime!) {
        capabilities(method: "visa", currency: "EUR", operation: INCREMENT) { provider operations }
        simulateRouting(rules: "only adyen", from: $from, to: $to) { __typename }
      }`,
      {
        from: new Date(Date.now() - 3_600_000).toISOString(),
        to: new Date(Date.now() + 1_000).toISOString(),
      },
    );
    expect(capabilities.map(({ provider }: { provider: string }) => provider)).toContain("acquirer");
    expect(simulateRouting.__typename).not.toBe("InvalidRules");
  });
});
