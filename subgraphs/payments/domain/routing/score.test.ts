import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Standing, scores, shown } from "./score.ts";

const standing = fc.record<Standing>({
  success: fc.double({ min: 0, max: 1, noNaN: true }),
  latencyMs: fc.double({ min: 1, max: 60_000, noNaN: true }),
  cost: fc.bigInt(0n, 10n ** 9n),
});
const several = fc.array(standing, { minLength: 1, maxLength: 6 });
const PARTS = ["success", "latency", "cost"] as const;

describe("scores", () => {
  it("are half success, then latency and cost, each against the best", () => {
    const [fast, cheap] = scores([
      { success: 0.99, latencyMs: 200, cost: 90n },
      { success: 0.9, latencyMs: 400, cost: 45n },
    ]);
    expect(fast).toEqual({ success: 1, latency: 1, cost: 0.5, total: 0.5 + 0.3 + 0.1 });
    expect(shown(cheap as never)).toEqual({ success: 0.909, latency: 0.5, cost: 1, total: 0.805 });
  });

  it("lie between 0 and 1, and somebody is the best in each part", () => {
    fc.assert(
      fc.property(several, (standings) => {
        const all = scores(standings);
        for (const part of PARTS) {
          expect(Math.max(...all.map((score) => score[part]))).toBe(1);
          for (const score of all) expect(score[part]).toBeGreaterThanOrEqual(0);
        }
        for (const { total } of all) expect(total).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it("do not fall against the others' when somebody gets better in one part", () => {
    const better = fc.constantFrom<(s: Standing) => Standing>(
      (s) => ({ ...s, success: (s.success + 1) / 2 }),
      (s) => ({ ...s, latencyMs: s.latencyMs / 2 }),
      (s) => ({ ...s, cost: s.cost / 2n }),
    );
    fc.assert(
      fc.property(several, fc.nat(5), better, (standings, nth, improve) => {
        const at = nth % standings.length;
        const before = scores(standings);
        const after = scores(standings.map((s, index) => (index === at ? improve(s) : s)));
        const lead = (all: typeof before, other: number) => (all[at]?.total ?? 0) - (all[other]?.total ?? 0);
        for (const other of standings.keys())
          expect(lead(after, other)).toBeGreaterThanOrEqual(lead(before, other) - 1e-9);
      }),
    );
  });
});
