import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import { expectBooksToAgree } from "../support/agreement.ts";
import { type Platform, payments, startPlatform } from "../support/platform.ts";

/**
 * The region is killed with SIGKILL at every named point around the provider's call. After its restart every
 * payment reaches a final state, and provider, payments and ledger agree to the cent.
 */
let platform: Platform;

beforeAll(async () => {
  // Recovery leaves an operation alone until its own flow must have ended: a short deadline makes that soon.
  platform = await startPlatform({ regionEnv: { PROVIDER_DEADLINE_MS: "1500" } });
});
afterAll(() => platform?.stop());

const POINTS = [
  "before-commit-1",
  "after-commit-1",
  "after-provider",
  "before-commit-2",
  "after-commit-2",
] as const;

/** Sends the request to a region that will die over it; the edge answers that it is unavailable. */
async function untilItDies(request: () => Promise<unknown>): Promise<void> {
  const died = platform.stack.region.exited;
  await expect(request()).rejects.toThrow(/same idempotencyKey/);
  expect((await died).signal).toBe("SIGKILL");
}

const final = async (id: string) => (await payments(platform).settled(id)).state as string;

async function paymentOf(reference: string): Promise<string | undefined> {
  const api = await platform.request("query { payments(first: 100) { nodes { id reference } } }");
  return api.data.payments.nodes.find((node: { reference: string | null }) => node.reference === reference)
    ?.id;
}

describe.each(["MANUAL", "AUTOMATIC"] as const)(
  "an authorization with capture method %s",
  (captureMethod) => {
    it.each(POINTS)("survives kill -9 %s", async (point) => {
      const token = await platform.token();
      const input = { idempotencyKey: randomUUID(), token, captureMethod, reference: randomUUID() };
      await platform.stack.restartRegion({ TESSERA_CRASH_AT: `authorize.${point}` });
      await untilItDies(() => payments(platform).authorize(input));
      await platform.stack.restartRegion();

      const expected = captureMethod === "MANUAL" ? "AUTHORIZED" : "CAPTURED";
      const id = await paymentOf(input.reference);
      if (point === "before-commit-1") expect(id).toBeUndefined();
      else expect(await final(id as string)).toBe(expected);

      // The client repeats its request: the same payment, not another one.
      const repeated = await payments(platform).authorize(input);
      expect([repeated.__typename, repeated.state]).toEqual(["Payment", expected]);
      if (id !== undefined) expect(repeated.id).toBe(id);
      await expectBooksToAgree(platform);
    });
  },
);

describe.each([
  ["capture", "CAPTURED"],
  ["void", "VOIDED"],
  ["refund", "REFUNDED"],
] as const)("a %s", (kind, expected) => {
  it.each(POINTS)("survives kill -9 %s", async (point) => {
    const api = payments(platform);
    const { id } = await api.authorize(kind === "refund" ? { captureMethod: "AUTOMATIC" } : {});
    const input = { idempotencyKey: randomUUID() };
    await platform.stack.restartRegion({ TESSERA_CRASH_AT: `${kind}.${point}` });
    await untilItDies(() => api[kind](id, input));
    await platform.stack.restartRegion();

    let repeated = await api[kind](id, input);
    const deadline = Date.now() + 40_000;
    while (repeated.__typename === "PaymentPending" && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      repeated = await api[kind](id, input);
    }
    expect([repeated.__typename, repeated.state]).toEqual(["Payment", expected]);
    await expectBooksToAgree(platform);
  });
});

it.each([
  ["audit:verify", /VERIFIED/],
  ["ledger:reconcile", /RECONCILED/],
])("after all of it, npm run %s finds nothing", async (command, verdict) => {
  const { stdout } = await promisify(execFile)("npm", ["run", "-s", command], {
    cwd: projectRoot,
    env: { ...process.env, TESSERA_DATA_DIR: platform.home },
  });
  expect(stdout).toMatch(verdict);
});

it("crash points are ignored in production", async () => {
  await platform.stack.restartRegion({
    TESSERA_CRASH_AT: "authorize.after-commit-1",
    NODE_ENV: "production",
  });
  const payment = await payments(platform).authorize();
  expect(payment.state).toBe("AUTHORIZED");
});
