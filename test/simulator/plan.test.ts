import { describe, expect, it } from "vitest";
import { makePlan } from "./plan.ts";
import { CRASH_POINTS } from "./plan-weather.ts";

describe("a plan", () => {
  it("is the same for the same seed, and another for another", () => {
    const plan = makePlan({ seed: 7, payments: 300 });
    expect(makePlan({ seed: 7, payments: 300 })).toEqual(plan);
    expect(makePlan({ seed: 8, payments: 300 }).payments).not.toEqual(plan.payments);
  });

  it("stays what it is when it is saved and read", () => {
    const plan = makePlan({ seed: 7, payments: 50 });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("begins as a longer one does", () => {
    const payments = (count: number) => makePlan({ seed: 7, payments: count }).payments.slice(0, 100);
    expect(payments(400).map(({ steps }) => steps)).toEqual(payments(2_000).map(({ steps }) => steps));
  });

  it("kills the region at every named point, takes every provider down, and cuts the database", () => {
    const { weather, providers } = makePlan({ seed: 1, payments: 500, crashes: 1 });
    const points = weather.flatMap((one) => (one.kind === "crash" ? [one.point] : []));
    expect(points.sort()).toEqual([...CRASH_POINTS].sort());
    const down = weather.flatMap((one) => (one.kind === "down" ? [one.provider] : []));
    expect(down.sort()).toEqual([...providers].sort());
    expect(weather.some(({ kind }) => kind === "database_cut")).toBe(true);
    expect(weather.map(({ at }) => at)).toEqual(weather.map(({ at }) => at).sort((a, b) => a - b));
  });

  it("has every kind of step and every way to repeat a request", () => {
    const steps = makePlan({ seed: 1, payments: 500 }).payments.flatMap((payment) => payment.steps);
    expect([...new Set(steps.map(({ does }) => does))].sort()).toEqual([
      "authorize",
      "capture",
      "increment",
      "refund",
      "void",
    ]);
    expect([...new Set(steps.map(({ twist }) => twist))].sort()).toEqual([
      "at_once",
      "beside_next",
      "none",
      "other_arguments",
      "repeated",
      "rivals",
    ]);
    expect(new Set(steps.map(({ key }) => key)).size).toBe(steps.length);
  });
});
