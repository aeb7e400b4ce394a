import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newApiKey } from "../../subgraphs/kernel/api-key.ts";
import { homeFor } from "../../subgraphs/kernel/ids.ts";
import { startTestEdge, type TestEdge } from "../testing/harness.ts";

/** API keys in workerd: what is refused without a look-up, looked up once, and forgotten in time. */
let edge: TestEdge;
let secretKey: string;
const merchant = "mer_01m82a22mpec9a0d99q639a087";

beforeAll(async () => {
  edge = await startTestEdge({ api: { KEY_CACHE_MS: "900" } });
  secretKey = await edge.region.issueKey("secret");
});
afterAll(() => edge.close());
afterEach(() => {
  edge.region.lookupAnswer = null;
  edge.region.requests.length = 0;
  edge.region.lookups.length = 0;
});

async function codeOf(answer: Awaited<ReturnType<TestEdge["graphql"]>>): Promise<string | undefined> {
  const { errors } = (await answer.json()) as { errors: { extensions: { code: string } }[] };
  return errors[0]?.extensions.code;
}

describe("keys", () => {
  it.each([
    ["no key", null],
    ["a mistyped key", (key: string) => `${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`],
    ["another scheme", () => "sk_live_123"],
    ["an invented key", () => `sk_0107_${"a".repeat(38)}`],
  ])("%s: 401 without a look-up", async (_name, make) => {
    const response = await edge.graphql(make === null ? null : make(secretKey), "{}");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await codeOf(response)).toBe("UNAUTHENTICATED");
    expect(edge.region.lookups).toHaveLength(0);
    expect(edge.region.requests).toHaveLength(0);
  });

  it("a well-formed key that does not exist: 401, and the region is asked once", async () => {
    const unknown = newApiKey("secret", homeFor(1, 7));
    for (let i = 0; i < 3; i++) expect((await edge.graphql(unknown, "{}")).status).toBe(401);
    expect(edge.region.lookups).toHaveLength(1);
  });

  it("asks once for many requests with one key, also at the same time", async () => {
    const key = await edge.region.issueKey("secret");
    edge.region.lookupAnswer = () => new Promise((resolve) => setTimeout(() => resolve(null), 100));
    const answers = await Promise.all(Array.from({ length: 20 }, () => edge.graphql(key, "{}")));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await edge.graphql(key, "{}")).status).toBe(200);
    expect(edge.region.lookups).toHaveLength(1);
  });

  it("a revoked key is dead once the cache's time is over", async () => {
    const key = await edge.region.issueKey("secret");
    expect((await edge.graphql(key, "{}")).status).toBe(200);
    await edge.region.revoke(key);
    expect((await edge.graphql(key, "{}")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 950));
    expect((await edge.graphql(key, "{}")).status).toBe(401);
  });

  it.each([
    ["fails", { status: 500, body: "{}" }],
    ["answers nonsense", { status: 200, body: '{"merchant":"x","scope":"secret"}' }],
  ])("a look-up that %s is UNAVAILABLE, not an answer about the key", async (_name, answer) => {
    const key = await edge.region.issueKey("secret");
    edge.region.lookupAnswer = async () => answer;
    const response = await edge.graphql(key, "{}");
    expect(response.status).toBe(503);
    expect(await codeOf(response)).toBe("UNAVAILABLE");
    edge.region.lookupAnswer = null;
    expect((await edge.graphql(key, "{}")).status).toBe(200);
  });

  it("refuses a key whose record has another scope than its prefix", async () => {
    const key = await edge.region.issueKey("publishable");
    const body = JSON.stringify({ merchant, scope: "secret" });
    edge.region.lookupAnswer = async () => ({ status: 200, body });
    expect((await edge.graphql(key, "{}")).status).toBe(401);
  });
});
