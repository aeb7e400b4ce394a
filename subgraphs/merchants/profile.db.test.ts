import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RedisSandboxControl } from "../../test/sandbox/redis/control-client.ts";
import { type RunningRedis, startRedisSandbox } from "../../test/sandbox/redis/server.ts";
import { freshDatabase, type TestDatabase, testMerchant } from "../../test/support/database.ts";
import { createSealer } from "../cache/seal.ts";
import { openSharedTier, type SharedTier } from "../cache/shared-tier.ts";
import { type MerchantId, newId, uuidOf } from "../kernel/ids.ts";
import { createMerchants, type Merchants } from "./profile.ts";

const SECRET = "s".repeat(32);
let database: TestDatabase;
let redis: RunningRedis;
let control: RedisSandboxControl;
let merchant: MerchantId;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  redis = await startRedisSandbox({ port: 0, token: "t" });
  control = new RedisSandboxControl(redis.url);
});
beforeEach(async () => {
  await control.reset();
  merchant = (await testMerchant(database.owner)).id;
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  closing = [];
});
afterAll(async () => {
  await redis.stop();
  await database.drop();
});

/** A region process: its own memory, the database, and Redis if the region has one. */
function processOf(withRedis: boolean): Merchants {
  const shared: SharedTier | null = withRedis
    ? openSharedTier({ url: redis.url, token: "t", secret: SECRET, timeoutMs: 500 })
    : null;
  const merchants = createMerchants({ url: database.url, shared });
  closing.push(async () => {
    await shared?.close();
    await merchants.close();
  });
  return merchants;
}

/** Asks until what it asks comes from a cache. */
async function warm(merchants: Merchants): Promise<void> {
  const before = merchants.cacheCounts();
  await expect
    .poll(async () => {
      await merchants.profile(merchant);
      const { memory, shared } = merchants.cacheCounts();
      return memory + shared - before.memory - before.shared;
    })
    .toBeGreaterThan(0);
}

const inRedis = async () => {
  const name = createSealer(SECRET).nameOf("merchant 1", merchant, "");
  return (await control.keys()).keys.find(({ key }) => key === name);
};

const reprice = (bps: number) =>
  database.owner`
    update merchants.merchant set pricing = jsonb_build_object('default', jsonb_build_object('bps', ${bps}::int, 'fixed', 30))
    where id = ${uuidOf(merchant)}`;
const bpsOf = async (merchants: Merchants) => (await merchants.profile(merchant))?.prices.default.bps;

describe.each([
  ["with Redis", true],
  ["without Redis", false],
])("%s", (_, withRedis) => {
  it("a profile is read once", async () => {
    const merchants = processOf(withRedis);
    await warm(merchants);
    const { loaded } = merchants.cacheCounts();
    const profiles = await Promise.all(Array.from({ length: 50 }, () => merchants.profile(merchant)));
    expect(new Set(profiles).size).toBe(1);
    expect(profiles[0]).toMatchObject({
      id: merchant,
      country: "DE",
      active: true,
      prices: { default: { bps: 290, fixed: 30n } },
      settlementDelayDays: 2,
    });
    expect(merchants.cacheCounts().loaded).toBe(loaded);
  });

  it("a change, made by hand, is known in every process within seconds", async () => {
    const processes = [processOf(withRedis), processOf(withRedis)];
    for (const one of processes) await warm(one);
    await reprice(100);
    const from = performance.now();
    for (const one of processes) await expect.poll(() => bpsOf(one), { timeout: 5_000 }).toBe(100);
    expect(performance.now() - from).toBeLessThan(2_500);
    // And stays so: nobody brings the old one back.
    for (let i = 0; i < 5; i++) for (const one of processes) expect(await bpsOf(one)).toBe(100);
  });

  it("a process that starts after a change does not see what was before", async () => {
    await warm(processOf(withRedis));
    await reprice(150);
    const late = processOf(withRedis);
    await expect.poll(() => bpsOf(late), { timeout: 5_000 }).toBe(150);
  });
});

it("a process that starts reads from Redis what another has read, in full", async () => {
  const first = processOf(true);
  await warm(first);
  await expect.poll(inRedis).toBeDefined();
  const second = processOf(true);
  await warm(second);
  expect(second.cacheCounts().shared).toBe(1);
  expect(await second.profile(merchant)).toEqual(await first.profile(merchant));
});

it("a change while nobody ran is heard of by the first that starts", async () => {
  const first = processOf(true);
  await warm(first);
  await expect.poll(inRedis).toBeDefined();
  await Promise.all(closing.map((close) => close()));
  closing = [];
  await reprice(175);
  const next = processOf(true);
  await warm(next);
  expect(await bpsOf(next)).toBe(175);
});

it("a merchant that is not there is not there, and may come", async () => {
  const merchants = processOf(true);
  await warm(merchants);
  const unknown = newId("mer", { region: 1, shard: 7 }, new Date());
  expect(await merchants.profile(unknown)).toBeNull();
  expect(await merchants.profile(unknown)).toBeNull();
  expect(merchants.cacheCounts().absent).toBe(1);
});
