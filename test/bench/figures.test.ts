import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Histogram } from "./histogram.ts";
import { median, ratios, relativeSpread, spreadOf, sumOf } from "./statistics.ts";

describe("a histogram", () => {
  const of = (values: readonly number[]) => {
    const histogram = new Histogram();
    for (const value of values) histogram.record(value);
    return histogram;
  };

  it("gives every quantile to within 1 %", () => {
    const latencies = fc.array(fc.double({ min: 0.01, max: 100_000, noNaN: true }), {
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(latencies, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, quantile) => {
        const exact = values.toSorted((a, b) => a - b)[Math.ceil(values.length * quantile) - 1] as number;
        expect(Math.abs(of(values).quantileMs(quantile) / exact - 1)).toBeLessThanOrEqual(0.01);
      }),
    );
  });

  it("never says more than the largest value", () => {
    expect(of([5]).quantileMs(0.99)).toBeLessThanOrEqual(5);
  });

  it("takes what is out of its range as its ends, and is 0 when it is empty", () => {
    expect(of([0, 1e-9]).quantileMs(0.5)).toBeLessThanOrEqual(0.001);
    expect(of([1e12]).quantileMs(0.5)).toBeGreaterThan(400_000);
    expect(new Histogram().quantileMs(0.5)).toBe(0);
  });

  it("begins anew", () => {
    const histogram = of([100, 200]);
    histogram.clear();
    histogram.record(1);
    expect([histogram.count, Math.round(histogram.quantileMs(1))]).toEqual([1, 1]);
  });
});

describe("statistics", () => {
  it("take the middle value, or what lies between the two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("tell how far apart values are", () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(relativeSpread(spreadOf([3, 1, 2]))).toBe(1);
  });

  it("hold each round against its own baseline", () => {
    expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
    expect(() => ratios([1], [1, 2])).toThrow("in every round");
  });

  it("add up", () => {
    expect(sumOf({ a: 1, b: 2, c: 4 })).toBe(7);
    expect(sumOf({ a: 1, b: 2, c: 4 }, ["a", "c", "absent"])).toBe(5);
  });
});
