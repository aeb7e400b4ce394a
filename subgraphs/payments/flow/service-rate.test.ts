import { expect, it } from "vitest";
import { ServiceRate } from "./service-rate.ts";

const run = (rate: ServiceRate, everyMs: number, from: number, until: number, othersWait = true) => {
  for (let now = from; now < until; now += everyMs) rate.finished(othersWait, now);
};

it("is what is finished while others wait", () => {
  const rate = new ServiceRate();
  expect(rate.perMs(0)).toBeNull();
  run(rate, 4, 0, 2_000);
  expect(rate.perMs(2_000)).toBeCloseTo(0.25, 2);
  run(rate, 1, 2_000, 6_000);
  expect(rate.perMs(6_000)).toBeCloseTo(1, 2);
});

it("is not learnt where nobody waits, and not from a pause", () => {
  const rate = new ServiceRate();
  run(rate, 50, 0, 2_000, false);
  expect(rate.perMs(2_000)).toBeNull();
  run(rate, 4, 2_000, 3_000);
  rate.finished(false, 3_004);
  run(rate, 4, 8_000, 8_400);
  expect(rate.perMs(8_400)).toBeCloseTo(0.25, 1);
});

it("is forgotten after a while", () => {
  const rate = new ServiceRate();
  run(rate, 4, 0, 1_000);
  expect(rate.perMs(10_900)).not.toBeNull();
  expect(rate.perMs(11_100)).toBeNull();
});
