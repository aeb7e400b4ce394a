import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createAdmission } from "./admission.ts";
import type { LoadClass } from "./load-class.ts";
import { ask, fixed, inside, turn, waiting } from "./testing/asked.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("who waits", () => {
  it("is told so in time, at different times", async () => {
    const admission = fixed(1, { maxWaitMs: 250, random: () => 0.5 });
    ask(admission, "follow_up");
    ask(admission, "authorization");
    const [capture, authorization] = [ask(admission, "follow_up"), ask(admission, "authorization")];
    await vi.advanceTimersByTimeAsync(249);
    expect(authorization.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(2);
    expect([authorization.state, authorization.retryAfterMs, capture.state]).toEqual([
      "overloaded",
      1_500,
      "waiting",
    ]);
    await vi.advanceTimersByTimeAsync(751);
    expect(capture.state).toBe("overloaded");
    expect([admission.crowded, admission.inFlight]).toEqual([false, 2]);
  });

  it("is let in if there is room once the process goes on after a pause, however late", async () => {
    vi.useRealTimers();
    const admission = fixed(1, { maxWaitMs: 20 });
    const answered = Promise.withResolvers<void>();
    const first = admission.admit(() => answered.promise);
    const second = admission.admit(async () => "let in");
    await new Promise<void>((resolve) => setImmediate(resolve));
    // Its answer is there while nothing runs, and is only seen after the timers that are over.
    randomBytes(16, () => answered.resolve());
    for (const until = performance.now() + 60; performance.now() < until; );
    expect([await second, await first]).toEqual(["let in", undefined]);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(
      Object.entries(admission.figures()).filter(([name, value]) => /turned_away/.test(name) && value > 0),
    ).toEqual([]);
  });

  it("for a provider leaves its room to others, and needs none to come back", async () => {
    const admission = fixed(1);
    const first = ask(admission, "follow_up");
    const second = ask(admission, "follow_up");
    await turn();
    expect(second.state).toBe("waiting");
    first.goAway();
    await turn();
    expect([second.state, inside(admission), admission.inFlight]).toEqual(["inside", 1, 2]);
    first.comeBack();
    await turn();
    expect(inside(admission)).toBe(2);
    const third = ask(admission, "follow_up");
    first.end();
    await turn();
    expect([third.state, inside(admission)]).toEqual(["waiting", 1]);
    second.end();
    await turn();
    expect(third.state).toBe("inside");
  });

  it("for a provider after its request has ended changes nothing any more", async () => {
    const admission = fixed(1);
    const back = Promise.withResolvers<void>();
    let call: Promise<void> | undefined;
    await admission.admit(async () => {
      call = admission.away(() => back.promise);
    });
    back.resolve();
    await call;
    expect([admission.inFlight, inside(admission)]).toEqual([0, 0]);
  });

  it("for a slow provider is not taken for our being slow", async () => {
    const limits = await Promise.all(
      ["away", "here"].map(async (where) => {
        const admission = createAdmission(1_000, {
          atOnce: { initial: 20, least: 1, targetMs: 50 },
          paymentsAtOnce: { initial: 20, least: 1, most: 99, targetMs: 5_000 },
          maxWaiting: 0,
          now: Date.now,
        });
        const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 1_000));
        for (let time = 0; time < 200; time++) {
          for (let one = 0; one < 3; one++)
            void admission.admit(() => (where === "away" ? admission.away(pause) : pause()));
          await vi.advanceTimersByTimeAsync(50);
        }
        return admission.figures()["tessera_admission_limit"] ?? 0;
      }),
    );
    expect(limits[0]).toBeGreaterThanOrEqual(20);
    expect(limits[1]).toBeLessThan(10);
  });

  it("for a provider does so in bounded company, which a slow one makes smaller; reads need none", async () => {
    const paymentsAtOnce = { initial: 10, least: 4, most: 99, targetMs: 500 };
    const admission = createAdmission(1_000, { paymentsAtOnce, maxWaiting: 0, now: Date.now });
    const call = (ms: number) => () =>
      admission.away(() => new Promise<void>((resolve) => setTimeout(resolve, ms)));
    const send = (count: number, ms: number, name: LoadClass = "follow_up") =>
      Array.from({ length: count }, () => admission.admit(call(ms), { class: name, merchant: "m" }));
    const first = send(12, 100);
    await turn();
    expect(admission.figures()).toMatchObject({ tessera_admission_away: 10, tessera_admission_inside: 0 });
    expect(await admission.admit(async () => "read", { class: "read", merchant: "m" })).toBe("read");
    expect(await admission.admit(async () => "capture", { class: "follow_up", merchant: "m" })).toBeNull();
    await vi.advanceTimersByTimeAsync(100);
    expect((await Promise.all(first)).filter((outcome) => outcome === null)).toHaveLength(2);
    expect(admission.figures()["tessera_admission_away"]).toBe(0);
    for (let time = 0; time < 40; time++) {
      send(20, 900);
      await vi.advanceTimersByTimeAsync(450);
    }
    expect(admission.figures()["tessera_admission_payments_limit"]).toBeLessThan(6);
  });

  it.each([
    ["authorization", 10],
    ["follow_up", 40],
  ] as const)("has company only of as many as can be let in in time: %s", async (name, inTime) => {
    const admission = createAdmission(1_000, {
      atOnce: { initial: 4, least: 4, targetMs: 0 },
      maxWaitMs: 250,
      now: Date.now,
    });
    const work = () => new Promise<void>((resolve) => setTimeout(resolve, 100)); // so 40 a second
    for (let time = 0; time < 2_000; time++) {
      void admission.admit(work, { class: name, merchant: String(time % 7) });
      await vi.advanceTimersByTimeAsync(2);
    }
    expect(waiting(admission)).toBeGreaterThanOrEqual(inTime * 0.8);
    expect(waiting(admission)).toBeLessThanOrEqual(inTime * 1.2);
  });

  it("inside another's work has a place already", async () => {
    const admission = createAdmission(1);
    const inner = await admission.enter({ class: "authorization", merchant: "m" }, () =>
      admission.admit(async () => admission.inFlight),
    );
    expect(inner).toEqual({ ok: true, value: 1 });
  });

  it("work that outlives its request asks anew", async () => {
    const admission = createAdmission(1);
    const later = Promise.withResolvers<void>();
    let outcome: Promise<number | null> | undefined;
    await admission.admit(async () => {
      outcome = later.promise.then(() => admission.admit(async () => admission.inFlight));
    });
    later.resolve();
    expect(await outcome).toBe(1);
    expect(admission.inFlight).toBe(0);
  });
});
