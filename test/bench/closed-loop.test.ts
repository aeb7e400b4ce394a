import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { ClosedLoop } from "./closed-loop.ts";

it("keeps each client at one unit at a time, and ends when the last is done", async () => {
  let underWay = 0;
  let most = 0;
  const clients = new Set<number>();
  const loop = new ClosedLoop(3, 10, async (client) => {
    clients.add(client);
    most = Math.max(most, ++underWay);
    await sleep(2);
    underWay--;
  });
  await sleep(50);
  await loop.stop();
  expect([most, underWay, [...clients]]).toEqual([3, 0, [0, 1, 2]]);
  expect(loop.counted().units).toBeGreaterThan(3);
});

it("counts from where it is told, failures apart", async () => {
  let broken = true;
  const loop = new ClosedLoop(1, 10, async () => {
    await sleep(1);
    if (broken) throw new Error("out of order");
  });
  await sleep(30);
  expect(loop.counted()).toMatchObject({ units: 0, firstFailure: "out of order" });
  broken = false;
  await sleep(5);
  loop.count();
  await sleep(30);
  await loop.stop();
  expect(loop.counted()).toMatchObject({ failures: 0, firstFailure: null });
  expect(loop.counted().units).toBeGreaterThan(0);
});

it("ends by itself at its limit, and lets others run while everything fails at once", async () => {
  const loop = new ClosedLoop(2, 0.05, async () => Promise.reject(new Error("no")));
  await sleep(150);
  const { failures } = loop.counted();
  await loop.stop();
  expect(failures).toBeGreaterThan(0);
  expect(loop.counted().failures).toBe(failures);
});
