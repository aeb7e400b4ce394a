import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Change, EgressClient } from "../../testing/egress-client.ts";
import { cardForm, cardJson } from "../../testing/vault-client.ts";

/** The egress proxy in workerd, with a provider that the test plays. */
let client: EgressClient;
const NUMBER = "4242424242424242";

beforeAll(async () => {
  client = await EgressClient.start({ EGRESS_TIMEOUT_MS: "500" });
});
afterAll(() => client.edge.close());
beforeEach(() => client.reset());

describe("swapping", () => {
  it("puts the card into its fields and leaves every other as it was", async () => {
    client.edge.provider.answer = () => ({
      status: 402,
      body: '{"error":{"code":"card_declined"}}',
      headers: {
        "request-id": "req_provider",
        "idempotent-replayed": "true",
        "retry-after": "2",
        "stripe-should-retry": "false",
        "set-cookie": "a=b",
        server: "nginx",
      },
    });
    const body = cardForm({
      description: "100% für dich & {{name}} +1",
      "metadata[order]": "4000056655665556",
    });
    const answer = await client.send({
      body,
      headers: { "stripe-version": "2026-01-28", cookie: "a=b", "x-other": "1" },
    });
    expect([answer.status, answer.outcome]).toEqual([402, "forwarded"]);
    expect(answer.text).toBe('{"error":{"code":"card_declined"}}');
    expect(answer.headers.get("request-id")).toBe("req_provider");
    expect(answer.headers.get("idempotent-replayed")).toBe("true");
    expect(answer.headers.get("retry-after")).toBe("2");
    expect(answer.headers.get("stripe-should-retry")).toBe("false");
    expect(answer.headers.get("set-cookie")).toBeNull();

    const [received] = client.edge.provider.requests;
    expect(received?.path).toBe("/v1/payment_intents");
    const expected = new URLSearchParams(body);
    expected.set("payment_method_data[card][number]", NUMBER);
    expected.set("payment_method_data[card][exp_month]", "12");
    expected.set("payment_method_data[card][exp_year]", "2030");
    expected.set("payment_method_data[card][cvc]", "123");
    expect(received?.body).toBe(expected.toString());
    expect(received?.headers).toMatchObject({
      authorization: "Bearer sk_test_provider",
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": "ref_1",
      "stripe-version": "2026-01-28",
    });
    const names = Object.keys(received?.headers ?? {});
    expect(
      names.filter((name) => name.startsWith("tessera-") || name === "cookie" || name === "x-other"),
    ).toEqual([]);
  });

  it("takes a path below the allowed one, and the fields of payment methods", async () => {
    expect((await client.send({ url: `${client.intents}/pi_1/confirm` })).outcome).toBe("forwarded");
    const body = new URLSearchParams({ type: "card", "card[number]": "{{card.number}}" }).toString();
    expect((await client.send({ url: `${client.edge.provider.url}/v1/payment_methods`, body })).outcome).toBe(
      "forwarded",
    );
    expect(client.edge.provider.requests.at(-1)?.body).toContain(NUMBER);
  });

  it("passes an answer without a body", async () => {
    client.edge.provider.answer = () => ({ status: 204 });
    expect(await client.send()).toMatchObject({ status: 204, outcome: "forwarded", text: "" });
  });
});

describe("refusing before anything is sent", () => {
  const cases: Record<string, [() => Change, number, string]> = {
    "another host": [
      () => ({ url: "https://api.stripe.com.evil.test/v1/payment_intents" }),
      403,
      "HOST_NOT_ALLOWED",
    ],
    "the right name at another port": [
      () => ({ url: "http://127.0.0.1:1/v1/payment_intents" }),
      403,
      "HOST_NOT_ALLOWED",
    ],
    "user info before the host": [
      () => ({ url: client.intents.replace("http://", "http://user:secret@") }),
      403,
      "HOST_NOT_ALLOWED",
    ],
    "no URL": [() => ({ url: "/v1/payment_intents" }), 403, "HOST_NOT_ALLOWED"],
    "another path": [() => ({ url: `${client.edge.provider.url}/v1/customers` }), 403, "PATH_NOT_ALLOWED"],
    "a path that only begins alike": [() => ({ url: `${client.intents}_other` }), 403, "PATH_NOT_ALLOWED"],
    "a way out of the path": [() => ({ url: `${client.intents}/../customers` }), 403, "PATH_NOT_ALLOWED"],
    "an escaped way out": [() => ({ url: `${client.intents}/%2e%2e%2fcustomers` }), 403, "PATH_NOT_ALLOWED"],
    "a query": [() => ({ url: `${client.intents}?note={{card.number}}` }), 403, "PATH_NOT_ALLOWED"],
    "a placeholder in another field": [
      () => ({ body: cardForm({ description: "{{card.number}}" }) }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder inside a text": [
      () => ({ body: cardForm({ description: "card {{card.number}}" }) }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder inside the right field": [
      () => ({ body: cardForm({ "payment_method_data[card][number]": " {{card.number}}" }) }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "the number's placeholder in the code's field": [
      () => ({ body: cardForm({ "payment_method_data[card][cvc]": "{{card.number}}" }) }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a field of another endpoint": [
      () => ({ body: cardForm({ "card[number]": "{{card.number}}" }) }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "a placeholder as a name": [
      () => ({ body: cardForm({ "{{card.number}}": "x" }) }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "an unknown placeholder": [() => ({ body: cardForm({ x: "{{card.owner}}" }) }), 403, "FIELD_NOT_ALLOWED"],
    "a placeholder in a header": [
      () => ({ headers: { "user-agent": "{{card.number}}" } }),
      403,
      "FIELD_NOT_ALLOWED",
    ],
    "no placeholder at all": [() => ({ body: "amount=1" }), 400, "NO_PLACEHOLDER"],
    "the number itself in a field": [
      () => ({ body: cardForm({ description: NUMBER }) }),
      403,
      "CARD_DATA_MISPLACED",
    ],
    "the number in groups": [
      () => ({ body: cardForm({ "metadata[x]": "no. 4242-4242 4242 4242!" }) }),
      403,
      "CARD_DATA_MISPLACED",
    ],
    "the number in a path": [() => ({ url: `${client.intents}/${NUMBER}` }), 403, "CARD_DATA_MISPLACED"],
    "the number in a header": [
      () => ({ headers: { "idempotency-key": `key-${NUMBER}` } }),
      403,
      "CARD_DATA_MISPLACED",
    ],
    "an unknown token": [() => ({ token: `tok_01_${"0".repeat(32)}` }), 404, "UNKNOWN_TOKEN"],
    "no token": [() => ({ token: "tok_" }), 404, "UNKNOWN_TOKEN"],
    "no reference": [() => ({ reference: "" }), 400, "INVALID_REFERENCE"],
    "a long reference": [() => ({ reference: "r".repeat(256) }), 400, "INVALID_REFERENCE"],
    "another encoding than the destination's": [
      () => ({ headers: { "content-type": "application/json" }, body: cardJson() }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    "an encoding that nobody has": [
      () => ({ headers: { "content-type": "text/plain" } }),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    "a large body": [() => ({ body: cardForm({ x: "x".repeat(65_536) }) }), 413, "PAYLOAD_TOO_LARGE"],
    "no word of the region": [() => ({ headers: { "tessera-vault-auth": "" } }), 401, "UNAUTHENTICATED"],
    "a browser": [() => ({ headers: { origin: "https://shop.example" } }), 403, "FORBIDDEN"],
  };

  it.each(Object.keys(cases))("%s", async (name) => {
    const [change, status, code] = cases[name] as [() => Change, number, string];
    const answer = await client.send(change());
    expect([answer.status, answer.code, answer.outcome]).toEqual([status, code, "refused"]);
    expect(answer.text).not.toContain(NUMBER);
    expect(client.edge.provider.requests).toHaveLength(0);
    // It did not use up the security code either.
    expect((await client.send({ reference: "ref_after" })).outcome).toBe("forwarded");
  });

  it("another merchant's token, exactly as an unknown one", async () => {
    const stranger = await client.edge.vaultAuth(client.edge.region.newMerchant());
    const theirs = await client.send({ headers: stranger });
    const none = await client.send({ headers: stranger, token: `tok_01_${"0".repeat(32)}` });
    expect([theirs.status, theirs.text, theirs.outcome]).toEqual([none.status, none.text, none.outcome]);
    expect(theirs.code).toBe("UNKNOWN_TOKEN");
    expect(client.edge.provider.requests).toHaveLength(0);
  });
});

describe("a provider that misbehaves", () => {
  // Redirects and broken connections are in served.test.ts: the harness sends what leaves a worker through Node,
  // which turns both into something else.
  it.each([
    ["is silent", () => "hang" as const, 504, "PROVIDER_TIMEOUT"],
    ["stops in the middle of its answer", () => "stall" as const, 504, "PROVIDER_TIMEOUT"],
    ["answers with megabytes", () => ({ body: "x".repeat(1_100_000) }), 502, "RESPONSE_TOO_LARGE"],
  ])("%s: failed, sent once, and the same request may be sent again", async (_name, answer, status, code) => {
    client.edge.provider.answer = answer;
    const failed = await client.send();
    expect([failed.status, failed.code, failed.outcome]).toEqual([status, code, "failed"]);
    expect(client.edge.provider.requests).toHaveLength(1);
    client.edge.provider.answer = () => ({ body: "{}" });
    expect((await client.send()).outcome).toBe("forwarded");
    const [first, second] = client.edge.provider.requests;
    expect(second?.body).toBe(first?.body);
  });

  it.each([
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242.4242.4242.4242",
    "42424242 42424242",
  ])("repeats the number as %s: masked", async (written) => {
    client.edge.provider.answer = () => ({
      body: JSON.stringify({ message: `declined: ${written}.`, ids: ["4242", "4000056655665556"] }),
      headers: { "request-id": `req_${NUMBER}` },
    });
    const answer = await client.send();
    expect(answer.text).toBe('{"message":"declined: 424242******4242.","ids":["4242","4000056655665556"]}');
    expect(answer.headers.get("request-id")).toBe("req_424242******4242");
  });
});

it("logs nothing of all this", () => {
  const logs = JSON.stringify(client.edge.harness.getLogs());
  for (const written of [
    NUMBER,
    "4242 4242",
    Buffer.from(NUMBER).toString("base64"),
    Buffer.from(NUMBER).toString("hex"),
  ])
    expect(logs).not.toContain(written);
});
