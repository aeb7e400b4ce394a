/**
 * Webhooks, and each way in which they go wrong.
 */

import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SandboxControl } from "./control-client.ts";
import { type ExampleWorld, example } from "./example.ts";
import { type RunningSandbox, startSandbox } from "./server.ts";
import { eventually, type Merchant, payer, startMerchant } from "./test-merchant.ts";

const apiKey = "key";
let merchant: Merchant;
let running: RunningSandbox<ExampleWorld>;
let control: SandboxControl<ExampleWorld>;
let pay: ReturnType<typeof payer>;
beforeEach(async () => {
  merchant = await startMerchant();
  running = await startSandbox(example, { port: 0, apiKey, webhookUrl: merchant.url });
  control = new SandboxControl(running.url);
  pay = payer(running.url, apiKey);
});
afterEach(async () => {
  await running.stop();
  await merchant.stop();
});

const types = (): string[] => merchant.heard.map(({ type }) => type);
const quiet = () =>
  eventually(
    () => control.webhooks(),
    ({ waiting, received }) => waiting === 0 && received > 0,
  );
const payMany = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, order) => pay(`order ${order}`)));

test("an event is delivered once, signed, and listed", async () => {
  const { body } = await pay("1");
  expect((await quiet()).deliveries).toMatchObject([
    { type: "held", payment: body.id, copy: 1, attempt: 1, outcome: 200, accepted: true },
  ]);
  expect(merchant.heard).toHaveLength(1);
  const [{ signature, text } = { signature: "", text: "" }] = merchant.heard;
  expect(signature).toBe(createHmac("sha256", "sandbox-webhook-secret").update(text).digest("hex"));
  expect(running.sandbox.store.undelivered.size).toBe(0);
});

test("a request that is refused tells nobody, and a replay tells nobody again", async () => {
  const { body } = await pay("1");
  await pay("1");
  await pay("c", `/payments/${body.id}/capture`);
  expect((await pay("d", `/payments/${body.id}/capture`)).status).toBe(409);
  await quiet();
  expect(types()).toEqual(["held", "captured"]);
});

test("without an address nobody is told", async () => {
  await control.settings({ webhooks: { url: null } });
  await pay("1");
  await control.settings({ webhooks: { url: merchant.url } });
  await pay("2");
  await quiet();
  expect(merchant.heard).toHaveLength(1);
});

describe("tried again", () => {
  test("until it is accepted, each time after twice the wait", async () => {
    await control.settings({ webhooks: { retryDelayMs: 40 } });
    merchant.answers.push(500, 0, 302);
    await pay("1");
    const { deliveries } = await quiet();
    expect(deliveries.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      [500, 1],
      ["no_answer", 2],
      [302, 3],
      [200, 4],
    ]);
    const waits = deliveries.slice(1).map(({ at }, index) => at - (deliveries[index]?.at ?? 0));
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(40 * 2 ** index - 2);
    expect(new Set(merchant.heard.map(({ id }) => id)).size).toBe(1);
  });

  test("so many times and no more", async () => {
    await control.settings({ webhooks: { retryDelayMs: 1, maxAttempts: 3 } });
    merchant.answers.push(500, 500, 500);
    await pay("1");
    expect((await quiet()).deliveries).toHaveLength(3);
    expect(running.sandbox.store.undelivered.size).toBe(0);
  });

  test("an answer that does not come in time is none", async () => {
    await control.settings({ webhooks: { retryDelayMs: 1, timeoutMs: 30 } });
    merchant.answers.push(-1);
    await pay("1");
    expect((await quiet()).deliveries.map(({ outcome }) => outcome)).toEqual(["no_answer", 200]);
  });
});

describe("quirks", () => {
  test("late", async () => {
    await control.settings({ webhooks: { delayMs: 120 } });
    const began = Date.now();
    await pay("1");
    expect(merchant.heard).toEqual([]);
    expect((await control.webhooks()).waiting).toBe(1);
    await quiet();
    expect(Date.now() - began).toBeGreaterThanOrEqual(118);
    expect(merchant.heard).toHaveLength(1);
  });

  test("twice", async () => {
    await control.settings({ webhooks: { duplicateProbability: 1 } });
    await pay("1");
    expect((await quiet()).deliveries.map(({ copy }) => copy)).toEqual([1, 2]);
    expect(new Set(merchant.heard.map(({ text }) => text)).size).toBe(1);
    expect(merchant.heard).toHaveLength(2);
  });

  test("twice, of which one is accepted: the event is not done before the other is", async () => {
    await control.settings({ webhooks: { duplicateProbability: 1, retryDelayMs: 60_000 } });
    merchant.answers.push(500);
    await pay("1");
    await eventually(
      () => control.webhooks(),
      ({ deliveries }) => deliveries.some(({ accepted }) => accepted),
    );
    expect((await control.webhooks()).waiting).toBe(1);
    expect(running.sandbox.store.undelivered.size).toBe(1);
  });

  test("never", async () => {
    await control.settings({ webhooks: { dropProbability: 1 } });
    await pay("1");
    expect((await quiet()).deliveries).toMatchObject([{ outcome: "dropped", attempt: 0 }]);
    expect(merchant.heard).toEqual([]);
    expect(running.sandbox.store.undelivered.size).toBe(0);
  });

  test("in another order, whatever the seed", async () => {
    for (const seed of [1, 2, 3, 4]) {
      merchant.heard.length = 0;
      await control.settings({ seed, webhooks: { reorder: true, reorderWindowMs: 60 } });
      const { body } = await pay(`order ${seed}`);
      await pay(`capture ${seed}`, `/payments/${body.id}/capture`);
      await eventually(types, (heard) => heard.length === 2);
      expect(types()).toEqual(["captured", "held"]);
    }
  });

  test("nothing leaves a provider that is down, and all of it leaves afterwards", async () => {
    await control.settings({ webhooks: { delayMs: 30 } });
    await pay("1");
    await control.settings({ down: true });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(merchant.heard).toEqual([]);
    await control.settings({ down: false });
    await quiet();
    expect(merchant.heard).toHaveLength(1);
  });
});

test("the same seed has the same luck, though payments come in another order; another seed has another", async () => {
  const luck = async (seed: number, orders: readonly number[]): Promise<string[]> => {
    await control.reset();
    merchant.heard.length = 0;
    await control.settings({ seed, webhooks: { duplicateProbability: 0.3, dropProbability: 0.3 } });
    await control.faults({ probability: 0.3, fault: { kind: "status", status: 503 } });
    const seen: string[] = [];
    for (const order of orders) {
      const { status, body } = await pay(`order ${order}`);
      const before = merchant.heard.length;
      const settled = () => control.webhooks().then(({ waiting }) => waiting);
      if (status === 200) await eventually(settled, (waiting) => waiting === 0);
      const heard = merchant.heard.filter(({ payment }) => payment === body.id).length;
      seen.push(`${order}: ${status} ${Math.max(heard, merchant.heard.length - before)}`);
    }
    return seen.sort();
  };
  const orders = Array.from({ length: 30 }, (_, order) => order);
  const first = await luck(7, orders);
  expect(new Set(first.map((line) => line.split(": ")[1]))).toEqual(
    new Set(["200 0", "200 1", "200 2", "503 0"]),
  );
  expect(await luck(7, orders.toReversed())).toEqual(first);
  expect(await luck(8, orders)).not.toEqual(first);
});

test("what was to be told is told after a restart, and what was told is not told again", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "kit-sandbox-"));
  try {
    const first = await startSandbox(example, { port: 0, apiKey, dataDir, webhookUrl: merchant.url });
    await payer(first.url, apiKey)("told");
    await eventually(
      () => merchant.heard.length,
      (count) => count === 1,
    );
    await eventually(
      () => first.sandbox.store.undelivered.size,
      (count) => count === 0,
    );
    await new SandboxControl<ExampleWorld>(first.url).settings({ webhooks: { delayMs: 60_000 } });
    await payer(first.url, apiKey)("untold");
    await first.stop();
    const second = await startSandbox(example, { port: 0, apiKey, dataDir });
    // No address yet: settings do not outlive a process.
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(merchant.heard).toHaveLength(1);
    await new SandboxControl<ExampleWorld>(second.url).settings({ webhooks: { url: merchant.url } });
    await eventually(
      () => merchant.heard.length,
      (count) => count === 2,
    );
    await eventually(
      () => second.sandbox.store.undelivered.size,
      (count) => count === 0,
    );
    await second.stop();
    const third = await startSandbox(example, { port: 0, apiKey, dataDir, webhookUrl: merchant.url });
    expect(third.sandbox.store.undelivered.size).toBe(0);
    await third.stop();
    expect(merchant.heard).toHaveLength(2);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test("a burst is delivered whole; a reset drops what is waiting", async () => {
  await payMany(50);
  await eventually(
    () => merchant.heard.length,
    (count) => count === 50,
  );
  await quiet();
  await control.settings({ webhooks: { delayMs: 50 } });
  await pay("late");
  await control.reset();
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(merchant.heard).toHaveLength(50);
  expect((await control.webhooks()).received).toBe(0);
});
