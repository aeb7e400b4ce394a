import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GraphqlRequest } from "./api.ts";
import { createRunner } from "./runner.ts";

/** A platform of payments, as far as the runner's own requests go. */
class FakePlatform {
  readonly requests: (GraphqlRequest & { key: string })[] = [];
  readonly states = new Map<string, string>();
  status = 200;

  fetch = async (_: string, init: RequestInit): Promise<Response> => {
    const request = JSON.parse(String(init.body)) as GraphqlRequest;
    this.requests.push({ ...request, key: new Headers(init.headers).get("authorization") ?? "" });
    return Response.json(this.#answer(request), { status: this.status });
  };

  #answer({ query, variables }: GraphqlRequest): object {
    if (this.status === 401) return { errors: [{ message: "no" }] };
    if (query.includes("authorizePayment(")) {
      const id = `pay_${this.states.size + 1}`;
      const { captureMethod } = (variables as { input: { captureMethod: string } }).input;
      this.states.set(id, captureMethod === "MANUAL" ? "AUTHORIZED" : "CAPTURED");
      return { data: { authorizePayment: { __typename: "Payment", id } } };
    }
    if (query.includes("NewestPayment"))
      return { data: { payments: { nodes: [...this.states.keys()].slice(-1).map((id) => ({ id })) } } };
    const asked = [...query.matchAll(/(p\d+): payment\(id: "(\w+)"\)/g)];
    return {
      data: Object.fromEntries(
        asked.map(([, alias, id]) => [alias, { id, state: this.states.get(id ?? "") }]),
      ),
    };
  }
}

let platform: FakePlatform;
let filled: Record<string, string>[];
const onRefused = vi.fn();

beforeEach(() => {
  platform = new FakePlatform();
  filled = [];
  onRefused.mockClear();
  vi.stubGlobal("fetch", platform.fetch);
});
afterEach(() => vi.unstubAllGlobals());

const runner = (key = "sk_1", token = "tok_1") =>
  createRunner({
    key,
    token: () => token,
    onFilledIn: (all) => filled.push(Object.fromEntries(all.map(({ name, value }) => [name, value]))),
    onRefused,
  });
const CAPTURE = { query: "mutation Capture { x }", variables: { id: "{{authorizedPayment}}" } };
const AUTHORIZE = {
  query: "mutation Authorize { authorizePayment(input: $input) { id } }",
  variables: { input: { captureMethod: "MANUAL", idempotencyKey: "{{newKey}}" } },
};

describe("an operation that needs a payment", () => {
  it("makes one first if the page has none, and uses it as long as it is in that state", async () => {
    const run = runner();
    platform.states.set("pay_of_a_customer", "AUTHORIZED");
    await run(CAPTURE);
    await run(CAPTURE);
    expect(filled).toEqual([{ authorizedPayment: "pay_2" }, { authorizedPayment: "pay_2" }]);
    platform.states.set("pay_2", "VOIDED");
    await run(CAPTURE);
    expect(filled[2]).toEqual({ authorizedPayment: "pay_3" });
  });

  it("uses the one that was authorized on the page", async () => {
    const run = runner();
    await run(AUTHORIZE);
    await run(CAPTURE);
    expect(filled[1]).toEqual({ authorizedPayment: "pay_1" });
    expect(platform.states.size).toBe(1);
  });

  it("reads the newest of the account, whoever made it", async () => {
    platform.states.set("pay_of_a_customer", "CAPTURED");
    await runner()({ query: "query Q { x }", variables: { id: "{{payment}}" } });
    expect(filled).toEqual([{ payment: "pay_of_a_customer" }]);
  });

  it("says what is missing, without a stack", async () => {
    const { errors } = await runner("sk_1", "")(CAPTURE);
    expect(errors).toEqual([{ message: expect.stringContaining("Paste a card token") }]);
  });
});

it("makes a fresh key for every run", async () => {
  const run = runner();
  await run(AUTHORIZE);
  await run(AUTHORIZE);
  const keys = filled.map(({ newKey }) => newKey);
  expect(new Set(keys).size).toBe(2);
  expect(platform.requests.map(({ key }) => key)).toEqual(["Bearer sk_1", "Bearer sk_1"]);
});

it("sends an operation's name only if the document has it", async () => {
  const run = runner();
  await run({ query: "query A { x } query B { x }", operationName: "B" });
  await run({ query: "query A { x }", operationName: "OfTheLastTab" });
  await run({ query: "query {", operationName: "A" });
  expect(platform.requests.map(({ operationName }) => operationName)).toEqual(["B", undefined, undefined]);
});

it("tells the page when the key is refused, and asks nothing without one", async () => {
  platform.status = 401;
  await runner()({ query: "query A { x }" });
  expect(onRefused).toHaveBeenCalledOnce();
  const { errors } = await runner("")({ query: "query A { x }" });
  expect(errors?.[0]?.message).toContain("Paste a secret key");
  expect(platform.requests).toHaveLength(1);
});
