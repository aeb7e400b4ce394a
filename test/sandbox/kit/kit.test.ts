/**
 * The kit on its smallest provider: what the Stripe sandbox's tests do not reach.
 */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SandboxControl } from "./control-client.ts";
import { type ExampleWorld, example } from "./example.ts";
import { canonicalJson } from "./idempotency.ts";
import { SeededRandom } from "./random.ts";
import { RateLimit } from "./rate-limit.ts";
import { Router } from "./router.ts";
import { type RunningSandbox, startSandbox } from "./server.ts";
import { address, changeSettings, choice, count, group, initialOf, probability } from "./settings.ts";
import { Table } from "./table.ts";
import { eventually, payer } from "./test-merchant.ts";
import { startTimers } from "./timers.ts";
import type { Work } from "./work.ts";

const apiKey = "key";
let running: RunningSandbox<ExampleWorld>;
let control: SandboxControl<ExampleWorld>;
let pay: ReturnType<typeof payer>;
beforeEach(async () => {
  running = await startSandbox(example, { port: 0, apiKey });
  control = new SandboxControl(running.url);
  pay = payer(running.url, apiKey);
});
afterEach(() => running.stop());

test("a payment, its capture, and the book", async () => {
  const { body } = await pay("1");
  await pay("c", `/payments/${body.id}/capture`);
  const book = await control.book({ metadata: { order: "1" } });
  expect(book.movements.map(({ kind, idempotencyKey }) => [kind, idempotencyKey])).toEqual([
    ["authorized", "1 /payments"],
    ["captured", `c /payments/${body.id}/capture`],
  ]);
  expect(book.payments[body.id]).toMatchObject({ held: 0, net: 500, currency: "EUR" });
  expect((await control.book({ payment: "another" })).movements).toEqual([]);
  expect((await control.book({ since: 1 })).movements).toHaveLength(1);
});

test("a hold is released by itself, under the key of the request that made it", async () => {
  await control.settings({ holdMs: 30 });
  await pay("1");
  const { movements } = await eventually(
    () => control.book(),
    (book) => book.movements.length === 2,
  );
  expect(movements[1]).toMatchObject({ kind: "released", idempotencyKey: "1 /payments" });
});

test("a decision that is weeks away is waited for, and one that moves is waited for anew", () => {
  vi.useFakeTimers({ now: 0 });
  try {
    const payments = new Table<ExampleWorld["kinds"]["payments"]>();
    const decided: number[] = [];
    const timers = startTimers<ExampleWorld>(
      { payments: { next: (payment) => payment.decision, decide: () => decided.push(Date.now()) } },
      { payments },
      Date.now,
      (_key, decide) => decide(undefined as never),
    );
    const due = (atMs: number) => {
      const decision = { atMs, idempotencyKey: null };
      const payment = {
        id: "p",
        created: 0,
        state: "held",
        amount: 1,
        currency: "EUR",
        card: "",
        last4: "",
        order: "",
        decision,
      };
      payments.put(payment);
      timers.watch({ staged: () => ({ payments: [payment] }) } as Work<ExampleWorld>);
    };
    const day = 86_400_000;
    due(2 * day);
    due(1 * day);
    vi.advanceTimersByTime(1.5 * day);
    expect(decided.splice(0)).toEqual([1 * day]);
    due(40 * day);
    due(30 * day);
    vi.advanceTimersByTime(27.5 * day);
    expect(decided).toEqual([]);
    vi.advanceTimersByTime(2 * day);
    expect(decided).toEqual([30 * day]);
    timers.stop();
  } finally {
    vi.useRealTimers();
  }
});

test("a rate limit refuses what is above it, in the provider's words, before a key is used", async () => {
  await control.settings({ rateLimitPerSecond: 3 });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, order) => pay(`order ${order}`)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(5);
  expect(refused[0]).toMatchObject({ retryAfter: "1", body: { error: "slow down" } });
  const { requests } = await control.requests();
  expect(requests.filter(({ fault }) => fault === "rate_limit")).toHaveLength(refused.length);
  await control.settings({ rateLimitPerSecond: 0 });
  const again = await Promise.all(Array.from({ length: 10 }, (_, order) => pay(`order ${order}`)));
  expect(again.every(({ status }) => status === 200)).toBe(true);
  expect((await control.book()).movements).toHaveLength(10);
});

test("the bucket refills steadily, and never beyond a second's worth", () => {
  const limit = new RateLimit();
  const admitted = (times: number, atMs: number): number =>
    Array.from({ length: times }, () => limit.admits(10, atMs)).filter(Boolean).length;
  expect(admitted(20, 0)).toBe(10);
  expect(admitted(20, 250)).toBe(2);
  expect(admitted(20, 60_000)).toBe(10);
  expect(new RateLimit().admits(0.5, 0)).toBe(true);
});

test("draws are even, and depend on seed, name and turn only", () => {
  const random = new SeededRandom(1);
  const draws = Array.from({ length: 10_000 }, (_, name) => random.draw(`name ${name}`));
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = draws.filter((draw) => Math.floor(draw * 10) === tenth).length / draws.length;
    expect(share).toBeGreaterThan(0.085);
    expect(share).toBeLessThan(0.115);
  }
  const other = new SeededRandom(1);
  other.draw("b");
  const fresh = new SeededRandom(1);
  const [a, b, b2] = [fresh.draw("a"), fresh.draw("b"), fresh.draw("b")];
  other.reseed(1);
  expect([other.draw("b"), other.draw("b"), other.draw("a")]).toEqual([b, b2, a]);
  expect(b).not.toBe(b2);
});

test("settings: groups change in part, and what makes no sense is refused", () => {
  const spec = {
    many: count(3),
    mode: choice("a", ["a", "b"]),
    hooks: group({ url: address(null), chance: probability(0) }),
  };
  const initial = initialOf(spec);
  const changed = changeSettings(spec, initial, { hooks: { url: "http://127.0.0.1:1/" } });
  expect(changed).toEqual({ many: 3, mode: "a", hooks: { url: "http://127.0.0.1:1/", chance: 0 } });
  expect(changeSettings(spec, changed, { hooks: { chance: 0.5 } }).hooks).toEqual({
    url: "http://127.0.0.1:1/",
    chance: 0.5,
  });
  for (const wrong of [
    { many: -1 },
    { many: "3" },
    { mode: "c" },
    { hooks: 1 },
    { hooks: { url: "ftp://x" } },
    { hooks: { chance: 2 } },
    { more: 1 },
    { hooks: { more: 1 } },
    null,
    [],
  ]) {
    expect(() => changeSettings(spec, initial, wrong)).toThrow(TypeError);
  }
});

test("fault rules name only what the provider has", async () => {
  await expect(
    control.faults({ match: { operation: "refund" as never }, fault: { kind: "hang" } }),
  ).rejects.toThrow("unknown operation: refund");
  await expect(control.faults({ fault: { kind: "quirk", quirk: "moody" } })).rejects.toThrow(
    "unknown quirk: moody",
  );
});

test("a router gives every id of a path", () => {
  const router = new Router([
    ["GET", "/payments/search", "search"],
    ["GET", "/payments/:id", "payment"],
    ["GET", "/payments/:id/refunds/:refund", "refund"],
  ] as const);
  expect(router.find("GET", "/payments/search")?.value).toBe("search");
  expect(router.find("GET", "/payments/p1/refunds/r1")).toEqual({ value: "refund", ids: ["p1", "r1"] });
  expect(router.find("GET", "/payments/")).toBeUndefined();
  expect(router.find("POST", "/payments/p1")).toBeUndefined();
});

test("canonical JSON does not depend on the order of members, at any depth", () => {
  expect(canonicalJson({ b: [{ y: 1, x: 2 }], a: null })).toBe(
    canonicalJson({ a: null, b: [{ x: 2, y: 1 }] }),
  );
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});
