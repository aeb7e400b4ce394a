/**
 * The sandbox as a process of its own: how it starts and ends, and what it remembers.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clientsOf, eventually, type Harness, payment } from "./test-harness.ts";

type Started = Omit<Harness, "running"> & { readonly child: ChildProcess; readonly url: string };

const NUMBER = "5200828282828210";
let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stripe-sandbox-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) await end(child, "SIGKILL");
  rmSync(folder, { recursive: true });
});

async function start(env: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: {
      ...process.env,
      SANDBOX_PORT: "0",
      SANDBOX_DATA_DIR: folder,
      SANDBOX_API_KEY: "sk_test_sandbox",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  if (child.stdout === null) throw new Error("no output");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  expect(line).toMatch(/^ready on http:\/\/127\.0\.0\.1:\d+$/);
  const url = line.slice("ready on ".length);
  return { child, url, ...clientsOf(url) };
}

/** Ends the process; gives its exit code, or null where a signal killed it. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill(signal);
  return ((await exited) as [number | null])[0];
}

const journal = (): string => readFileSync(join(folder, "stripe-sandbox.jsonl"), "utf8");
const post = (at: Started, key: string, params: Parameters<Harness["bare"]>[2]) =>
  at.bare("POST", "/v1/payment_intents", params, { "idempotency-key": key });

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends it quickly, with open connections, and a restart forgets nothing",
  async (signal) => {
    const first = await start();
    const paid = await post(first, "k", payment(NUMBER, { metadata: { order: "9" } }));
    const refund = await first.bare("POST", "/v1/refunds", { payment_intent: paid.body.id, amount: 300 });
    await post(first, "declined", payment("4000000000000002"));
    const book = await first.control.book();
    const began = Date.now();
    expect(await end(first.child, signal)).toBe(0);
    expect(Date.now() - began).toBeLessThan(1_000);

    const second = await start();
    expect(await second.control.book()).toEqual(book);
    expect((await second.bare("GET", `/v1/refunds/${refund.body.id}`)).body).toEqual(refund.body);
    expect((await second.bare("GET", `/v1/payment_intents/${paid.body.id}`)).body).toEqual(paid.body);
    const replay = await post(second, "k", payment(NUMBER, { metadata: { order: "9" } }));
    expect(replay.text).toBe(paid.text);
    expect(replay.headers.get("idempotent-replayed")).toBe("true");
    const found = await second.bare("GET", "/v1/payment_intents/search", { query: "metadata['order']:'9'" });
    expect(found.body.data).toHaveLength(1);
  },
);

test("kill -9 in the middle of work: what was answered is remembered, and a torn line is cut off", async () => {
  const first = await start();
  const answered: string[] = [];
  const work = Array.from({ length: 400 }, (_, order) =>
    post(first, `k${order}`, payment(NUMBER)).then(
      ({ body }) => answered.push(body.id),
      () => undefined,
    ),
  );
  await eventually(
    async () => answered.length,
    (count) => count >= 50,
  );
  await end(first.child, "SIGKILL");
  await Promise.all(work);
  appendFileSync(join(folder, "stripe-sandbox.jsonl"), '{"put":{"paymentIntents":[{"id":"pi_to');

  const second = await start();
  const known = new Set((await second.control.book()).movements.map(({ paymentIntent }) => paymentIntent));
  expect(answered.length).toBeGreaterThanOrEqual(50);
  expect(answered.filter((id) => !known.has(id))).toEqual([]);
  expect((await post(second, "after", payment(NUMBER))).status).toBe(200);
  await end(second.child, "SIGTERM");
  for (const line of journal().trimEnd().split("\n")) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect((await (await start()).control.book()).movements.length).toBeGreaterThanOrEqual(102);
});

test("what was under way by itself goes on after a restart", async () => {
  const first = await start();
  await first.control.settings({ refundDelayMs: 400 });
  const paid = await post(first, "k", payment("4000000000007726"));
  const refund = await first.bare("POST", "/v1/refunds", { payment_intent: paid.body.id });
  expect(refund.body.status).toBe("pending");
  await end(first.child, "SIGKILL");
  const second = await start();
  const read = () => second.bare("GET", `/v1/refunds/${refund.body.id}`);
  expect((await eventually(read, ({ body }) => body.status !== "pending")).body.status).toBe("succeeded");
});

test("expired keys and a reset are remembered, too", async () => {
  const first = await start();
  await post(first, "k", payment(NUMBER));
  await first.control.expireKeys();
  await end(first.child, "SIGKILL");
  const second = await start();
  await post(second, "k", payment(NUMBER));
  expect((await second.control.book()).currencies["usd"]).toMatchObject({ authorized: 2000 });
  await second.control.reset();
  await end(second.child, "SIGKILL");
  expect((await (await start()).control.book()).movements).toEqual([]);
});

test("card numbers are in the request log, as sent, and nowhere else", async () => {
  const log = join(folder, "requests.log");
  const at = await start({ SANDBOX_REQUEST_LOG: log });
  const paid = await post(at, "k", payment(NUMBER));
  await post(at, "d", payment("4000000000000002"));
  await at.bare("POST", "/v1/payment_intents", { amount: NUMBER, currency: "usd" });
  const remembered = JSON.stringify([await at.control.book(), await at.control.requests()]);
  await at.control.flush();
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    method: "POST",
    path: "/v1/payment_intents",
    headers: { "idempotency-key": "k" },
    body: expect.stringContaining(NUMBER),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  await end(at.child, "SIGTERM");
  for (const text of [paid.text, remembered, journal()]) {
    expect(text).not.toMatch(/5200828282828210|4000000000000002/);
  }
});

test("without a port it says so and ends", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    env: { ...process.env, SANDBOX_PORT: "" },
    stdio: "ignore",
  });
  children.push(child);
  expect(((await once(child, "exit")) as [number])[0]).toBe(2);
});
