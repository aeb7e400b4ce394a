import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestEdge, type TestEdge } from "../testing/harness.ts";

/** What a region says that has too much to do, as a merchant's server sees it. */
let edge: TestEdge;
let secretKey: string;

beforeAll(async () => {
  edge = await startTestEdge({ api: { REGION_TIMEOUT_MS: "700" } });
  secretKey = await edge.region.issueKey("secret", edge.region.newMerchant());
});
afterAll(() => edge.close());

it.each([503, 429])(
  "%s passes with Retry-After and what the region says, and is not sent again",
  async (status) => {
    const body = '{"errors":[{"message":"Later.","extensions":{"code":"OVERLOADED","retryAfterMs":1200}}]}';
    edge.region.requests.length = 0;
    edge.region.answer = () => ({
      status,
      body,
      headers: { "content-type": "application/json", "retry-after": "2" },
    });
    const answer = await edge.graphql(secretKey, '{"query":"mutation { pay }"}');
    expect([answer.status, answer.headers.get("retry-after"), await answer.text()]).toEqual([
      status,
      "2",
      body,
    ]);
    expect(edge.region.requests).toHaveLength(1);
  },
);

it("a region that is away is asked again at a time of one's own", async () => {
  edge.region.answer = () => "reset" as const;
  const answers = await Promise.all([1, 2, 3, 4].map(() => edge.graphql(secretKey, "{}")));
  const times: number[] = [];
  for (const answer of answers) {
    const { errors } = (await answer.json()) as { errors: { extensions: { retryAfterMs: number } }[] };
    const [error] = errors;
    const { retryAfterMs = 0 } = error?.extensions ?? {};
    expect(answer.headers.get("retry-after")).toBe(String(Math.ceil(retryAfterMs / 1_000)));
    times.push(retryAfterMs);
  }
  expect(Math.min(...times)).toBeGreaterThanOrEqual(1_000);
  expect(new Set(times).size).toBeGreaterThan(1);
});
