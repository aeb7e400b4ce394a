import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { createTestHarness } from "wrangler";
import { answersOf, rowsFrom } from "./testing/answers.ts";

describe("the same text means the same in workerd", () => {
  // wrangler does not offer to keep quiet about itself in another way.
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  process.env["WRANGLER_LOG"] = "error";
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name: "expression",
          main: fileURLToPath(new URL("testing/worker.ts", import.meta.url)),
          compatibility_date: "2026-11-01",
        },
      },
    ],
  });
  afterAll(() => harness.close(), 60_000);

  it("for 2,000 random expressions and facts", async () => {
    await harness.listen();
    const rows = rowsFrom(4, 2_000);
    const answer = await harness.fetch("/", { method: "POST", body: JSON.stringify(rows) });
    const inNode = answersOf(rows);
    expect(await answer.json()).toEqual(inNode);
    // The rows make expressions worth comparing: of every outcome there are many, and hardly any has a mistake.
    for (const outcome of ['"holds"', '"does not hold"', '"unknown"'])
      expect(inNode.filter((each) => each.includes(`,${outcome},`)).length).toBeGreaterThan(100);
  }, 60_000);
});
