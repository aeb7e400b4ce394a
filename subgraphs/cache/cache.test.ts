import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCache } from "./cache.ts";
import { ManualTime, type Sample, Source, sampleOptions } from "./samples.ts";
import { SingleFlight, scopeId } from "./single-flight.ts";

const withTime = (overrides: Parameters<typeof sampleOptions>[0] = {}) => {
  const time = new ManualTime();
  return { time, cache: createCache<Sample>(sampleOptions({ now: time.now, ...overrides })) };
};

describe("a value", () => {
  it("is loaded once, and then remembered", async () => {
    const { cache } = withTime();
    const source = new Source("one");
    for (let i = 0; i < 3; i++) expect(await cache.get("mer_1", "k", source.load)).toEqual({ text: "one" });
    expect(source.loads).toBe(1);
    expect(cache.counts()).toMatchObject({ memory: 2, loaded: 1, entries: 1 });
  });

  it("is a merchant's own", async () => {
    const { cache } = withTime();
    const [mine, yours] = [new Source("mine"), new Source("yours")];
    const both = [
      cache.get("mer_1", "k", mine.load),
      cache.get("mer_2", "k", yours.load),
      cache.get("mer_1k", "", yours.load),
    ];
    expect(await Promise.all(both)).toEqual([{ text: "mine" }, { text: "yours" }, { text: "yours" }]);
    expect(await cache.get("mer_1", "k", yours.load)).toEqual({ text: "mine" });
    expect(await cache.get("mer_2", "k", mine.load)).toEqual({ text: "yours" });
    await cache.drop("mer_2", "k");
    expect(await cache.get("mer_1", "k", yours.load)).toEqual({ text: "mine" });
  });

  it("ends with its time, counted from before it was read", async () => {
    const { time, cache } = withTime();
    const source = new Source("old");
    let release = () => {};
    source.hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = cache.get("m", "k", source.load);
    time.ms += 50_000;
    release();
    expect(await slow).toEqual({ text: "old" });
    source.value = { text: "new" };
    time.ms += 9_999;
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "old" });
    time.ms += 2;
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "new" });
  });

  it("that is read often ends with its time, too", async () => {
    const { time, cache } = withTime();
    const source = new Source("old");
    for (let i = 0; i < 7; i++) {
      await cache.get("m", "k", source.load);
      time.ms += 10_000;
    }
    await cache.get("m", "k", source.load);
    expect(source.loads).toBe(2);
  });

  it("never lives longer for the jitter, and up to a tenth less", async () => {
    for (const [random, lifeMs] of [
      [0, 60_000],
      [0.5, 57_000],
      [1, 54_000],
    ] as const) {
      const { time, cache } = withTime({ random: () => random });
      const source = new Source("v");
      await cache.get("m", "k", source.load);
      time.ms += lifeMs;
      await cache.get("m", "k", source.load);
      expect(source.loads).toBe(1);
      time.ms += 1;
      await cache.get("m", "k", source.load);
      expect(source.loads).toBe(2);
    }
  });

  it("that may change unheard is not kept", async () => {
    const { cache } = withTime({ keeps: ({ text }) => text !== "pending" });
    const source = new Source("pending");
    await cache.get("m", "k", source.load);
    source.value = { text: "active" };
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "active" });
  });
});

describe("an absence", () => {
  it("is remembered, shortly", async () => {
    const { time, cache } = withTime();
    const source = new Source(null);
    expect(await cache.get("m", "k", source.load)).toBeNull();
    source.value = { text: "there" };
    expect(await cache.get("m", "k", source.load)).toBeNull();
    time.ms += 5_001;
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "there" });
    expect(source.loads).toBe(2);
  });

  it("of many keys neither grows nor displaces what is there", async () => {
    const { cache } = withTime({ memory: { entries: 3, bytes: 100_000 } });
    const [there, nothing] = [new Source("there"), new Source(null)];
    await cache.get("m", "k", there.load);
    for (let i = 0; i < 1_000; i++) await cache.get("m", `guess-${i}`, nothing.load);
    await cache.get("m", "k", there.load);
    expect(there.loads).toBe(1);
    for (let i = 0; i < 1_000; i++) await cache.get("m", `guess-${i}`, nothing.load);
    expect(nothing.loads).toBeGreaterThan(1_980);
  });
});

describe("an error", () => {
  it("is everybody's who waited, and nobody's afterwards", async () => {
    const { cache } = withTime();
    let fails = true;
    const load = async () => {
      if (fails) throw new Error("the database is away");
      return { text: "v" };
    };
    const tried = await Promise.allSettled([cache.get("m", "k", load), cache.get("m", "k", load)]);
    expect(tried.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    fails = false;
    expect(await cache.get("m", "k", load)).toEqual({ text: "v" });
  });

  it("brings no value back whose time is over", async () => {
    const { time, cache } = withTime();
    await cache.get("m", "k", async () => ({ text: "old" }));
    time.ms += 60_001;
    const away = cache.get("m", "k", async () => {
      throw new Error("the database is away");
    });
    await expect(away).rejects.toThrow("away");
  });
});

describe("a drop", () => {
  it("makes the next one load", async () => {
    const { cache } = withTime();
    const source = new Source("old");
    await cache.get("m", "k", source.load);
    source.value = { text: "new" };
    await cache.drop("m", "other");
    await cache.drop("mk", "");
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "old" });
    await cache.drop("m", "k");
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "new" });
  });

  it("ends an absence", async () => {
    const { cache } = withTime();
    const source = new Source(null);
    await cache.get("m", "k", source.load);
    source.value = { text: "new" };
    await cache.drop("m", "k");
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "new" });
  });

  it.each(["drop", "dropAll"] as const)(
    "(%s) while it is read: what was read before is not kept, and nobody joins",
    async (how) => {
      const { cache } = withTime();
      const source = new Source("old");
      let release = () => {};
      source.hold = new Promise<void>((resolve) => {
        release = resolve;
      });
      const before = cache.get("m", "k", source.load);
      await Promise.resolve();
      source.value = { text: "new" };
      await cache[how]("m", "k");
      source.hold = Promise.resolve();
      expect(await cache.get("m", "k", source.load)).toEqual({ text: "new" });
      release();
      expect(await before).toEqual({ text: "old" });
      expect(await cache.get("m", "k", source.load)).toEqual({ text: "new" });
      expect(source.loads).toBe(2);
    },
  );
});

describe("while changes are not heard of", () => {
  it("nothing is given out from memory, and nothing kept", async () => {
    let isCurrent = true;
    const { cache } = withTime({ isCurrent: () => isCurrent });
    const source = new Source("one");
    await cache.get("m", "k", source.load);
    isCurrent = false;
    source.value = { text: "two" };
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "two" });
    // Heard of again, the feed tells what has changed since; what it knew before is still right if it says nothing.
    source.value = { text: "three" };
    isCurrent = true;
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "one" });
  });

  it("no absence is given out either", async () => {
    let isCurrent = true;
    const { cache } = withTime({ isCurrent: () => isCurrent });
    const source = new Source(null);
    await cache.get("m", "k", source.load);
    isCurrent = false;
    source.value = { text: "there" };
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "there" });
  });
});

describe("the bounds", () => {
  it("hold for entries: the least recently read goes", async () => {
    const { cache } = withTime({ memory: { entries: 3, bytes: 1_000_000 } });
    const source = new Source("v");
    for (const key of ["a", "b", "c", "a", "d"]) await cache.get("m", key, source.load);
    expect(cache.counts().entries).toBe(3);
    source.loads = 0;
    for (const key of ["a", "c", "d"]) await cache.get("m", key, source.load);
    expect(source.loads).toBe(0);
    await cache.get("m", "b", source.load);
    expect(source.loads).toBe(1);
  });

  it("hold for bytes, whatever is kept", async () => {
    const sizes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 30_000 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (gets) => {
        const { cache } = withTime({ memory: { entries: 20, bytes: 50_000 } });
        for (const [key, length] of gets)
          await cache.get("m", `${key}`, async () => ({ text: "x".repeat(length) }));
        const { entries, bytes } = cache.counts();
        expect(entries).toBeLessThanOrEqual(20);
        expect(bytes).toBeLessThanOrEqual(50_000);
      }),
      { numRuns: 50 },
    );
  });

  it("let a value that is too large pass without keeping it", async () => {
    const { cache } = withTime({ memory: { entries: 20, bytes: 1_000 } });
    const large = new Source("x".repeat(10_000));
    for (let i = 0; i < 2; i++) expect((await cache.get("m", "k", large.load))?.text.length).toBe(10_000);
    expect(large.loads).toBe(2);
    expect(cache.counts().entries).toBe(0);
  });
});

describe("in-flight coalescing", () => {
  it("asks once for all who ask at the same time", async () => {
    const { cache } = withTime();
    const source = new Source("v");
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get("m", "k", source.load)));
    expect(source.loads).toBe(1);
    expect(new Set(answers).size).toBe(1);
  });

  it("is scoped by merchant, key and fingerprint", async () => {
    const flights = new SingleFlight<string>();
    const base = { merchant: "m", key: "k", fingerprint: "f" };
    const scopes = [
      base,
      { ...base },
      { ...base, merchant: "n" },
      { ...base, key: "l" },
      { ...base, fingerprint: "g" },
      { merchant: "mk", key: "", fingerprint: "f" },
      { merchant: "m", key: "kf", fingerprint: "" },
    ];
    let asked = 0;
    const answers = await Promise.all(scopes.map((scope) => flights.run(scope, async () => `${++asked}`)));
    expect(answers).toEqual(["1", "1", "2", "3", "4", "5", "6"]);
    expect(flights.size).toBe(0);
  });

  it("does not mistake one scope for another, whatever they contain", () => {
    const part = fc.string({ unit: fc.constantFrom("0", "1", ":", "a"), maxLength: 6 });
    const parts = fc.tuple(part, part, part);
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(scopeId(...a) === scopeId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it("forgets a flight that failed", async () => {
    const flights = new SingleFlight<string>();
    const scope = { merchant: "m", key: "k", fingerprint: "f" };
    const failing = flights.run(scope, async () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await flights.run(scope, async () => "yes")).toBe("yes");
  });
});
