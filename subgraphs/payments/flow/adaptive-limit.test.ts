import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AdaptiveLimit } from "./adaptive-limit.ts";

const OPTIONS = { initial: 64, least: 8, most: 500, targetMs: 100 };

/**
 * A server that does `perMs` whatever is asked of it, with always as many at once as the limit allows: by Little's law each
 * then takes limit / perMs. Gives the limit after `ms`.
 */
function saturate(limit: AdaptiveLimit, perMs: number, ms: number, from = 0): number {
  let owed = 0;
  for (let now = from; now < from + ms; now++) {
    for (owed += perMs; owed >= 1; owed--) limit.finished(limit.value / perMs, limit.value, now);
  }
  return limit.value;
}

describe("the limit", () => {
  it.each([0.2, 0.5, 1, 2])("finds what a server of %s requests a ms does in time", (perMs) => {
    const limit = new AdaptiveLimit(OPTIONS);
    saturate(limit, perMs, 60_000);
    const ideal = perMs * OPTIONS.targetMs;
    expect(limit.value).toBeGreaterThan(ideal * 0.7);
    expect(limit.value).toBeLessThan(ideal * 1.3);
  });

  it("follows a server that becomes slower, and one that becomes faster again", () => {
    const limit = new AdaptiveLimit(OPTIONS);
    saturate(limit, 2, 60_000);
    expect(saturate(limit, 0.5, 30_000, 60_000)).toBeLessThan(70);
    expect(saturate(limit, 2, 60_000, 90_000)).toBeGreaterThan(140);
  });

  it("stays where it is while nobody uses it", () => {
    const limit = new AdaptiveLimit(OPTIONS);
    for (let now = 0; now < 60_000; now += 20) limit.finished(10, 3, now);
    expect(limit.value).toBe(64);
  });

  it("is lowered once for what was begun before, not for each of it", () => {
    const limit = new AdaptiveLimit(OPTIONS);
    for (let now = 0; now <= 1_000; now += 5) limit.finished(2_000, 64, now);
    expect(limit.value).toBe(57);
  });

  it("takes what came far apart for no load", () => {
    const limit = new AdaptiveLimit(OPTIONS);
    for (let now = 0; now < 600_000; now += 3_000) limit.finished(5_000, 64, now);
    expect(limit.value).toBe(64);
  });

  it("goes no lower than its least, however slow it is", () => {
    const limit = new AdaptiveLimit(OPTIONS);
    saturate(limit, 0.01, 400_000);
    expect(limit.value).toBe(OPTIONS.least);
  });

  it("never leaves its bounds", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            ms: fc.integer({ min: 0, max: 500 }),
            own: fc.integer({ min: 0, max: 9_999 }),
            inside: fc.nat(600),
          }),
          {
            maxLength: 400,
          },
        ),
        (steps) => {
          const limit = new AdaptiveLimit(OPTIONS);
          let now = 0;
          for (const { ms, own, inside } of steps) {
            now += ms;
            limit.finished(own, inside, now);
            expect(limit.value).toBeGreaterThanOrEqual(OPTIONS.least);
            expect(limit.value).toBeLessThanOrEqual(OPTIONS.most);
          }
        },
      ),
    );
  });
});
