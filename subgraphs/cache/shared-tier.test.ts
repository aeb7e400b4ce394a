import { randomBytes } from "node:crypto";
import { Redis } from "@upstash/redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RedisSandboxControl } from "../../test/sandbox/redis/control-client.ts";
import { type RunningRedis, startRedisSandbox } from "../../test/sandbox/redis/server.ts";
import { createCache } from "./cache.ts";
import { ManualTime, type Sample, Source, sampleCodec, sampleOptions } from "./samples.ts";
import { createSealer } from "./seal.ts";
import { openSharedTier, type SharedOptions, type SharedTier } from "./shared-tier.ts";

const token = "shared-cache-token";
/** Another one for each test: none meets what the one before has written late. */
let secret = "";
let running: RunningRedis;
let control: RedisSandboxControl;
let open: SharedTier[] = [];

beforeAll(async () => {
  running = await startRedisSandbox({ port: 0, token });
  control = new RedisSandboxControl(running.url);
});
beforeEach(async () => {
  secret = randomBytes(32).toString("hex");
  await control.reset();
});
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()));
  open = [];
});
afterAll(() => running.stop());

function tier(overrides: Partial<SharedOptions> = {}): SharedTier {
  const opened = openSharedTier({ url: running.url, token, secret, timeoutMs: 500, ...overrides });
  open.push(opened);
  return opened;
}

/** A process of its own: a memory and a way to Redis. */
function processOf(overrides: Parameters<typeof sampleOptions>[0] & { tier?: Partial<SharedOptions> } = {}) {
  const { tier: tierOptions, ...options } = overrides;
  const shared = tier(tierOptions);
  return { shared, cache: createCache<Sample>(sampleOptions({ shared, ...options })) };
}

/** Waits until what a process writes on the side is in Redis. */
const kept = async (key = "k", merchant = "m") => {
  const name = tier().nameOf("sample 1", merchant, key);
  return (await control.keys()).keys.find((one) => one.key === name);
};
const written = async (key?: string, merchant?: string) => {
  await expect.poll(() => kept(key, merchant)).toBeDefined();
  return (await kept(key, merchant)) as NonNullable<Awaited<ReturnType<typeof kept>>>;
};

describe("processes share values", () => {
  it("one loads, the other reads it from Redis", async () => {
    const [a, b] = [processOf(), processOf()];
    const [first, second] = [new Source("v"), new Source("not asked")];
    await a.cache.get("m", "k", first.load);
    await written();
    expect(await b.cache.get("m", "k", second.load)).toEqual({ text: "v" });
    expect(await b.cache.get("m", "k", second.load)).toEqual({ text: "v" });
    expect(second.loads).toBe(0);
    expect(b.cache.counts()).toMatchObject({ shared: 1, memory: 1, loaded: 0 });
  });

  it("but not a merchant's with another, nor a version's with another", async () => {
    const [a, b] = [processOf(), processOf()];
    const next = processOf({ codec: sampleCodec(2) });
    await a.cache.get("m", "k", new Source("mine").load);
    await written();
    expect(await b.cache.get("n", "k", new Source("yours").load)).toEqual({ text: "yours" });
    expect(await next.cache.get("m", "k", new Source("new form").load)).toEqual({ text: "new form" });
  });

  it("a value's time is one, over both", async () => {
    const time = new ManualTime();
    const a = processOf({ ttlMs: 2_000 });
    const b = processOf({ ttlMs: 2_000, now: time.now, tier: { now: time.now } });
    await a.cache.get("m", "k", new Source("old").load);
    await written();
    await new Promise((resolve) => setTimeout(resolve, 600));
    const source = new Source("new");
    expect(await b.cache.get("m", "k", source.load)).toEqual({ text: "old" });
    // By b's own clock less time has passed since it has read it than a value may live.
    time.ms += 1_500;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await b.cache.get("m", "k", source.load)).toEqual({ text: "new" });
  });

  it("nobody who looks into Redis learns what it is, or whose", async () => {
    const a = processOf();
    await a.cache.get("mer_secret", "pm_secret", new Source("token tok_01_secret").load);
    const { key, value, expiresAt } = await written("pm_secret", "mer_secret");
    expect(key + value).not.toMatch(/secret/);
    expect(Buffer.from(value, "base64url").includes(Buffer.from("secret"))).toBe(false);
    expect(expiresAt).toBeGreaterThan(Date.now());
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
  });
});

describe("a drop", () => {
  it("reaches who reads from Redis next", async () => {
    const [a, b] = [processOf(), processOf()];
    await a.cache.get("m", "k", new Source("old").load);
    await written();
    await a.cache.drop("m", "k");
    expect(await b.cache.get("m", "k", new Source("new").load)).toEqual({ text: "new" });
  });

  it("is not undone by a process that has read before, and writes after it", async () => {
    const [slow, quick, third] = [processOf(), processOf(), processOf()];
    const old = new Source("old");
    let release = () => {};
    old.hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reading = slow.cache.get("m", "k", old.load);
    await expect.poll(() => old.loads).toBe(1);
    await quick.cache.drop("m", "k");
    release();
    expect(await reading).toEqual({ text: "old" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await third.cache.get("m", "k", new Source("new").load)).toEqual({ text: "new" });
  });

  it("that Redis does not hear is tried again, and until then this process reads nothing there", async () => {
    const [a, b] = [processOf(), processOf({ tier: { limits: { openMs: 50 } } })];
    await a.cache.get("m", "k", new Source("old").load);
    await written();
    await control.settings({ down: true });
    await b.cache.drop("m", "k");
    expect(b.shared.counts().pendingDrops).toBe(1);
    await control.settings({ down: false });
    const source = new Source("new");
    expect(await b.cache.get("m", "k", source.load)).toEqual({ text: "new" });
    await expect.poll(() => b.shared.counts().pendingDrops, { timeout: 5_000 }).toBe(0);
    const later = processOf();
    expect(await later.cache.get("m", "k", source.load)).toEqual({ text: "new" });
  });

  it("of more than is known makes this process read nothing there for a value's time", async () => {
    const time = new ManualTime();
    const [a, b] = [processOf(), processOf({ now: time.now, tier: { now: time.now } })];
    await a.cache.get("m", "k", new Source("old").load);
    await written();
    b.cache.dropAll();
    expect(await b.cache.get("m", "k", new Source("new").load)).toEqual({ text: "new" });
    time.ms += 60_001;
    expect(await b.shared.read(b.shared.nameOf("sample 1", "m", "k"))).toMatchObject({
      text: '{"text":"old"}',
    });
  });
});

describe("Redis costs speed, never correctness:", () => {
  const quick = { timeoutMs: 60 };

  it("down", async () => {
    await control.settings({ down: true });
    const { cache, shared } = processOf({ tier: quick });
    const source = new Source("v");
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "v" });
    await cache.drop("m", "k");
    expect(await cache.get("m", "k", source.load)).toEqual({ text: "v" });
    expect(shared.counts().failures).toBeGreaterThan(0);
  });

  it.each(["latencyMs", "answerDelayMs"] as const)(
    "slow (%s): a read waits no longer than it may",
    async (how) => {
      await control.settings({ [how]: 2_000 });
      const { cache, shared } = processOf({ tier: quick });
      const source = new Source("v");
      const from = performance.now();
      for (let i = 0; i < 20; i++) expect(await cache.get("m", `${i}`, source.load)).toEqual({ text: "v" });
      // Five wait, the others do not: the breaker is open.
      expect(performance.now() - from).toBeLessThan(1_200);
      expect(shared.counts().notAsked).toBeGreaterThanOrEqual(10);
    },
  );

  it("answering late: a write that lands after a drop writes nothing", async () => {
    const [a, b] = [processOf({ tier: quick }), processOf()];
    await control.settings({ latencyMs: 300 });
    await a.cache.get("m", "k", new Source("old").load);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await control.settings({ latencyMs: 0 });
    await b.cache.drop("m", "k");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await b.cache.get("m", "k", new Source("new").load)).toEqual({ text: "new" });
    expect((await kept())?.value).toBe("dropped");
  });

  it.each(["bytes", "json", "values", "huge", "endless", "mixed_up"] as const)(
    "garbage: %s",
    async (garbage) => {
      const a = processOf();
      await a.cache.get("m", "k", new Source("v").load);
      await a.cache.get("m", "other", new Source("other's").load);
      await written();
      await written("other");
      await control.settings({ garbage });
      const b = processOf();
      for (const [key, text] of [
        ["k", "right"],
        ["other", "right, too"],
      ] as const)
        expect(await b.cache.get("m", key, new Source(text).load)).toEqual({ text });
      expect(b.cache.counts().shared).toBe(0);
      // Of an answer that is too large nothing is looked at; of one that has a form, whether it is ours.
      const { forged, failures } = b.shared.counts();
      expect(forged + failures).toBeGreaterThan(0);
      if (garbage === "huge") expect(forged).toBe(0);
    },
  );

  it("another's token", async () => {
    const { cache } = processOf({ tier: { token: "wrong" } });
    expect(await cache.get("m", "k", new Source("v").load)).toEqual({ text: "v" });
  });

  it("a value that somebody else has put there, also under a name of ours", async () => {
    const a = processOf();
    await a.cache.get("m", "k", new Source("v").load);
    const { key, value } = await written();
    const redis = new Redis({ url: running.url, token, enableTelemetry: false });
    const stranger = createSealer("x".repeat(32));
    for (const planted of [
      '{"text":"cheap"}',
      stranger.seal(key, '{"text":"cheap"}'),
      createSealer(secret).seal("tsr:another-name", '{"text":"cheap"}'),
      `${value.slice(0, -3)}AAA`,
    ]) {
      await redis.set(key, planted, { px: 60_000 });
      const b = processOf();
      expect(await b.cache.get("m", "k", new Source("v").load)).toEqual({ text: "v" });
      expect(b.shared.counts().forged).toBe(1);
      await expect.poll(async () => (await kept())?.value).toBe("dropped");
    }
  });

  it("a value of ours that is not of the form that it should be", async () => {
    const b = processOf();
    const name = b.shared.nameOf("sample 1", "m", "k");
    await b.shared.write(name, '{"txet":"v"}', 60_000);
    expect(await b.cache.get("m", "k", new Source("v").load)).toEqual({ text: "v" });
    expect(b.cache.counts().unreadable).toBe(1);
  });
});

describe("the breaker", () => {
  it("asks no more after failures in a row, then once, and again when that comes back", async () => {
    const time = new ManualTime();
    await control.settings({ down: true });
    const shared = tier({ now: time.now, limits: { failuresInARow: 3, openMs: 1_000 } });
    const name = shared.nameOf("x");
    for (let i = 0; i < 10; i++) await shared.read(name);
    expect(shared.counts()).toMatchObject({ failures: 3, notAsked: 7 });
    time.ms += 1_000;
    await Promise.all([shared.read(name), shared.read(name)]);
    expect(shared.counts()).toMatchObject({ failures: 4, notAsked: 8 });
    await control.settings({ down: false });
    await shared.read(name);
    expect(shared.counts()).toMatchObject({ misses: 0 });
    time.ms += 1_000;
    await shared.read(name);
    await Promise.all([shared.read(name), shared.read(name)]);
    expect(shared.counts()).toMatchObject({ misses: 3 });
  });

  it("lets no more ask at once than it may", async () => {
    await control.settings({ latencyMs: 50 });
    const shared = tier({ limits: { concurrent: 4 } });
    await Promise.all(Array.from({ length: 20 }, (_, i) => shared.read(shared.nameOf(`${i}`))));
    expect(shared.counts()).toMatchObject({ misses: 4, notAsked: 16 });
  });
});

it("a secret that is too short is refused", () => {
  expect(() => createSealer("short")).toThrow("32 characters");
});
