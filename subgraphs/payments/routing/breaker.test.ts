import { describe, expect, it } from "vitest";
import { BREAKER_LIMITS, Breaker, type BreakerLimits } from "./breaker.ts";
import type { Observation } from "./router.ts";

const LIMITS: BreakerLimits = { ...BREAKER_LIMITS, openMs: 1_000, longestMs: 5_000, probes: 2 };
type Outcome = Observation["outcome"];

/** A breaker at a time that the test moves; outcomes come from a merchant each, unless it says whose. */
function breakerAt(limits: Partial<BreakerLimits> = {}) {
  const breaker = new Breaker({ ...LIMITS, ...limits });
  let now = 0;
  let merchants = 0;
  return {
    breaker,
    wait: (ms: number) => {
      now += ms;
    },
    health: () => breaker.health(now),
    saw: (outcome: Outcome, times = 1, merchant?: string) => {
      for (let i = 0; i < times; i++) breaker.saw(outcome, merchant ?? `m${merchants++}`, now);
    },
    probe: (outcome: Outcome | null) => {
      expect(breaker.health(now)).toBe("probe");
      breaker.beginProbe();
      expect(breaker.health(now)).toBe("open");
      breaker.endProbe();
      if (outcome !== null) breaker.saw(outcome, "m", now);
    },
  };
}

function opened() {
  const world = breakerAt();
  world.saw("unknown", LIMITS.inARow);
  expect(world.health()).toBe("open");
  return world;
}

describe("a closed breaker", () => {
  it.each(["failed", "unknown"] as const)("opens on %s so often in a row", (outcome) => {
    const world = breakerAt();
    world.saw(outcome, LIMITS.inARow - 1);
    expect(world.health()).toBe("closed");
    world.saw(outcome);
    expect(world.health()).toBe("open");
  });

  it.each(["succeeded", "declined"] as const)("does not, if one %s comes between", (outcome) => {
    const world = breakerAt();
    for (let i = 0; i < 3; i++) {
      world.saw("succeeded", 6);
      world.saw("unknown", LIMITS.inARow - 1);
      world.saw(outcome);
    }
    expect(world.health()).toBe("closed");
  });

  it("never opens on declines", () => {
    const world = breakerAt();
    world.saw("declined", 1_000);
    expect(world.health()).toBe("closed");
  });

  it("opens on a share of bad ones among enough, within their time", () => {
    const alternating = (spacing: number, pairs: number) => {
      const world = breakerAt();
      for (let i = 0; i < pairs; i++) {
        world.wait(spacing);
        world.saw("succeeded");
        world.saw("failed");
      }
      return world.health();
    };
    const { of, withinMs } = LIMITS.rate;
    expect(alternating(1, of / 2 - 1)).toBe("closed");
    expect(alternating(1, of / 2)).toBe("open");
    expect(alternating(withinMs / 5, 100)).toBe("closed");
  });

  it("bears more definite failures where all are one merchant's, but not unknown outcomes", () => {
    const world = breakerAt();
    world.saw("failed", LIMITS.ofOneMerchant - 1, "m");
    expect(world.health()).toBe("closed");
    world.saw("failed", 1, "m");
    expect(world.health()).toBe("open");
    for (const [outcome, merchant] of [
      ["failed", "another"],
      ["unknown", "m"],
    ] as const) {
      const other = breakerAt();
      other.saw("failed", LIMITS.inARow - 1, "m");
      other.saw(outcome, 1, merchant);
      expect(other.health()).toBe("open");
    }
    const silent = breakerAt();
    silent.saw("unknown", LIMITS.inARow, "m");
    expect(silent.health()).toBe("open");
  });
});

describe("an open breaker", () => {
  it("lets one probe at a time through after its time", () => {
    const world = opened();
    world.wait(LIMITS.openMs - 1);
    expect(world.health()).toBe("open");
    world.wait(1);
    world.probe(null);
    expect(world.health()).toBe("probe");
  });

  it("closes after enough probes that came out well, a decline among them", () => {
    const world = opened();
    world.wait(LIMITS.openMs);
    world.probe("declined");
    expect(world.health()).toBe("probe");
    world.probe("succeeded");
    expect(world.health()).toBe("closed");
    world.saw("unknown", LIMITS.inARow - 1);
    expect(world.health()).toBe("closed");
  });

  it.each(["failed", "unknown"] as const)(
    "stays open twice as long after a probe that was %s, up to a limit",
    (outcome) => {
      const world = opened();
      for (const openMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
        world.wait(openMs - 1);
        expect(world.health()).toBe("open");
        world.wait(1);
        world.probe(outcome);
      }
      world.wait(5_000);
      world.probe("succeeded");
      world.probe("succeeded");
      expect(world.health()).toBe("closed");
      world.saw("unknown", LIMITS.inARow);
      world.wait(LIMITS.openMs);
      expect(world.health()).toBe("probe");
    },
  );

  it("does not open for longer by what was under way when it opened", () => {
    const world = opened();
    world.wait(LIMITS.openMs / 2);
    world.saw("unknown", 50);
    world.saw("succeeded", 50);
    expect(world.health()).toBe("open");
    world.wait(LIMITS.openMs / 2);
    expect(world.health()).toBe("probe");
  });
});
