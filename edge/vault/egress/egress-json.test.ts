import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Change, EgressClient } from "../../testing/egress-client.ts";
import { cardForm, cardJson, VISA } from "../../testing/vault-client.ts";

/** The egress proxy with bodies in JSON, under the rules of Adyen, of an acquirer and of a directory server. */
let client: EgressClient;
const NUMBER = "4242424242424242";
const SPACED = '{ "amount":{"value":4.90e3, "currency" : "EUR"} ,"n":-0,"s":"\\u00e4\\/ä\\ud83d\\ude00",';

beforeAll(async () => {
  client = await EgressClient.start();
});
afterAll(() => client.edge.close());
beforeEach(() => client.reset());

const JSON_TYPE = { "content-type": "application/json", "x-api-key": "adyen-key" };
const at = (path: string) => client.edge.provider.url + path;
const send = ({ headers, ...change }: Change = {}) =>
  client.send({
    url: at("/v72/payments"),
    body: cardJson(),
    ...change,
    headers: { ...JSON_TYPE, ...headers },
  });
const received = () => client.edge.provider.requests.at(-1);

describe("swapping", () => {
  it("puts the card into its fields and leaves every other byte as it was", async () => {
    const token = await client.tokenize({ ...VISA, expMonth: 3 });
    const body = `${SPACED}"paymentMethod":{"number" : "{{card.number}}","expiryMonth":"{{card.exp_mm}}",
      "expiryYear":"{{card.exp_year}}","cvc":"{{card.cvc}}"}, "x":[1.0,{}]}\n`;
    client.edge.provider.answer = () => ({
      status: 422,
      body: '{"errorCode":"1"}',
      headers: {
        pspreference: "PSP1",
        "idempotency-key": "ref_1",
        "transient-error": "true",
        "x-other": "1",
      },
    });
    const answer = await send({ token, body });
    expect([answer.status, answer.outcome, answer.text]).toEqual([422, "forwarded", '{"errorCode":"1"}']);
    for (const [name, value] of [
      ["pspreference", "PSP1"],
      ["idempotency-key", "ref_1"],
      ["transient-error", "true"],
      ["x-other", null],
    ] as const)
      expect(answer.headers.get(name), name).toBe(value);
    expect(received()?.body).toBe(
      body
        .replace("{{card.number}}", NUMBER)
        .replace("{{card.exp_mm}}", "03")
        .replace("{{card.exp_year}}", "2030")
        .replace("{{card.cvc}}", "123"),
    );
    expect(received()?.headers).toMatchObject(JSON_TYPE);
  });

  it("writes month and year as an acquirer and a directory server have them", async () => {
    const token = await client.tokenize({ ...VISA, expMonth: 3 });
    const card = { pan: "{{card.number}}", expiry: "{{card.exp_yymm}}", cvc: "{{card.cvc}}" };
    const paid = { url: at("/v1/messages"), token, body: JSON.stringify({ amount: 4900, card }) };
    expect((await send(paid)).outcome).toBe("forwarded");
    expect(received()?.body).toBe(`{"amount":4900,"card":{"pan":"${NUMBER}","expiry":"3003","cvc":"123"}}`);
    const areq = { acctNumber: "{{card.number}}", cardExpiryDate: "{{card.exp_yymm}}", messageType: "AReq" };
    expect((await send({ url: at("/areq"), token, body: JSON.stringify(areq) })).outcome).toBe("forwarded");
    expect(received()?.body).toBe(`{"acctNumber":"${NUMBER}","cardExpiryDate":"3003","messageType":"AReq"}`);
  });
});

describe("refusing before anything is sent", () => {
  const placed = (members: object, card: object = {}) => ({ body: cardJson(members, card) });
  const refusals: Record<string, [() => Change, number, string]> = {
    "a placeholder in another field": [
      () => placed({ reference: "{{card.number}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder beside the card": [
      () => placed({}, { holderName: "{{card.number}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder inside a text": [
      () => placed({ reference: "card {{card.number}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder inside the right field": [
      () => placed({}, { number: "{{card.number}} " }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "the number's placeholder in the code's field": [
      () => placed({}, { cvc: "{{card.number}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "the card one level up": [() => placed({ number: "{{card.number}}" }), 403, "FIELD_NOT_ALLOWED"],
    "the card one level down": [
      () => placed({}, { number: { number: "{{card.number}}" } }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "the card in a list": [() => placed({}, { number: ["{{card.number}}"] }), 403, "FIELD_NOT_ALLOWED"],
    "a list of cards": [
      () => placed({ paymentMethod: [{ number: "{{card.number}}" }] }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a name with a dot in it": [
      () => placed({ "paymentMethod.number": "{{card.number}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a name that only looks alike": [
      () => placed({ paymentMеthod: { number: "{{card.number}}" } }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a name in other letters": [() => placed({}, { Number: "{{card.number}}" }), 403, "FIELD_NOT_ALLOWED"],
    "a field of another endpoint": [
      () => placed({ acctNumber: "{{card.number}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder that this provider has not": [
      () => placed({}, { expiryMonth: "{{card.exp_month}}" }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder as a name": [() => placed({ "{{card.number}}": 1 }), 403, "FIELD_NOT_ALLOWED"],
    "a placeholder as the name of nothing": [
      () => placed({ metadata: { "{{ \ncard.number}}": {} } }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder in escapes": [
      () => ({ body: cardJson({ reference: "X" }).replace('"X"', '"\\u007b\\u007bcard.number}}"') }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "an unknown placeholder": [() => placed({ x: "{{card.owner}}" }), 403, "FIELD_NOT_ALLOWED"],
    "a placeholder in a header": [
      () => ({ headers: { "x-api-key": "{{card.number}}" } }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "no placeholder at all": [() => ({ body: '{"amount":{"value":1}}' }), 400, "NO_PLACEHOLDER"],
    "the number itself": [() => placed({ reference: `no. ${NUMBER}` }), 403, "CARD_DATA_MISPLACED"],
    "the number as a number": [() => placed({ x: Number(NUMBER) }), 403, "CARD_DATA_MISPLACED"],
    "the number in groups": [() => placed({ x: ["4242-4242 4242 4242"] }), 403, "CARD_DATA_MISPLACED"],
    "the number in escapes": [
      () => ({ body: cardJson({ x: "X" }).replace('"X"', `"\\u0034${NUMBER.slice(1)}"`) }),
      403,
      "CARD_DATA_MISPLACED",
    ],
    "the number as a name": [() => placed({ [NUMBER]: {} }), 403, "CARD_DATA_MISPLACED"],
    "the number in a header": [
      () => ({ headers: { "x-api-key": `k-${NUMBER}` } }),
      403,
      "CARD_DATA_MISPLACED",
    ],
    "another path": [() => ({ url: at("/v72/paymentLinks") }), 403, "PATH_NOT_ALLOWED"],
    "another version's path": [() => ({ url: at("/v71/payments") }), 403, "PATH_NOT_ALLOWED"],
    "a way out of the path": [
      () => ({ url: at("/v72/payments/%2e%2e/paymentLinks") }),
      403,
      "PATH_NOT_ALLOWED",
    ],
    "a query": [() => ({ url: at("/v72/payments?x=1") }), 403, "PATH_NOT_ALLOWED"],
    "another host": [
      () => ({ url: "https://checkout-live.adyen.example.com.evil.test/v72/payments" }),
      403,
      "HOST_NOT_ALLOWED",
    ],
    "a form": [
      () => ({ body: cardForm(), headers: { "content-type": "application/x-www-form-urlencoded" } }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    "a form whose field has the allowed name": [
      () => ({
        body: "paymentMethod.number={{card.number}}",
        headers: { "content-type": "application/x-www-form-urlencoded" },
      }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    "another encoding": [
      () => ({ headers: { "content-type": "application/json; charset=utf-16" } }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    "what is not JSON": [() => ({ body: `${cardJson()},` }), 400, "INVALID_REQUEST"],
    "a list": [() => ({ body: `[${cardJson()}]` }), 400, "INVALID_REQUEST"],
    "a name twice": [
      () => ({ body: cardJson().replace('"number":', '"number":"x","number":') }),
      400,
      "INVALID_REQUEST",
    ],
    "the prototype": [
      () => ({ body: cardJson({ x: 1 }).replace('"x"', '"__proto__"') }),
      400,
      "INVALID_REQUEST",
    ],
    "depth without end": [
      () => ({ body: cardJson({ x: 1 }).replace('"x":1', `"x":${"[".repeat(20)}${"]".repeat(20)}`) }),
      400,
      "INVALID_REQUEST",
    ],
    "a large body": [() => placed({ x: "x".repeat(65_536) }), 413, "PAYLOAD_TOO_LARGE"],
  };

  it.each(Object.keys(refusals))("%s", async (name) => {
    const [change, status, code] = refusals[name] as [() => Change, number, string];
    const answer = await send(change());
    expect([answer.status, answer.code, answer.outcome]).toEqual([status, code, "refused"]);
    expect(answer.text).not.toContain(NUMBER);
    expect(client.edge.provider.requests).toHaveLength(0);
    // It did not use up the security code either.
    expect((await send({ reference: "ref_after" })).outcome).toBe("forwarded");
  });
});

it("masks the number in an answer, however JSON writes it", async () => {
  client.edge.provider.answer = () => ({
    body: `{"a":${NUMBER},"b":"\\u0034${NUMBER.slice(1)}","c":"4242\\/4242\\n4242\\u00a04242","ok":4242,"${NUMBER}":1.50}`,
  });
  const answer = await send();
  expect(answer.text).toBe(
    '{"a":"424242******4242","b":"424242******4242","c":"424242******4242","ok":4242,"424242******4242":1.50}',
  );
});

it("logs nothing of all this", () => {
  expect(JSON.stringify(client.edge.harness.getLogs())).not.toContain(NUMBER);
});
