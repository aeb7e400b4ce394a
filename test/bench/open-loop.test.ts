import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { OpenLoop } from "./open-loop.ts";

it("begins units at its rate though none of them ends", async () => {
  const release = Promise.withResolvers<void>();
  let begun = 0;
  const loop = new OpenLoop(1_000, 10, () => {
    begun++;
    return release.promise;
  });
  await sleep(300);
  release.resolve();
  await loop.stop();
  const { units, failures, p50Ms } = loop.counted();
  expect(units).toBe(begun);
  expect(failures).toBe(0);
  // How many depends on the machine's mood; a closed loop of one would have begun one.
  expect(begun).toBeGreaterThan(50);
  expect(p50Ms).toBeGreaterThan(20);
});

it("counts a unit's time from when it was due", async () => {
  const loop = new OpenLoop(100, 10, async () => {});
  const from = performance.now();
  while (performance.now() - from < 200); // the driver itself is late
  await sleep(20);
  await loop.stop();
  const { units, p50Ms } = loop.counted();
  expect(units).toBeGreaterThanOrEqual(20);
  expect(p50Ms).toBeGreaterThan(60);
});

it("counts what fails, and needs a rate", async () => {
  const loop = new OpenLoop(1_000, 10, async () => {
    throw new Error("refused");
  });
  await sleep(50);
  await loop.stop();
  expect(loop.counted()).toMatchObject({ units: 0, firstFailure: "refused" });
  expect(() => new OpenLoop(Number.NaN, 1, async () => {})).toThrow("needs a rate");
});
