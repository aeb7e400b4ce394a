import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type RunningRedis, startRedisSandbox } from "../../test/sandbox/redis/server.ts";
import { freshDatabase, type TestDatabase } from "../../test/support/database.ts";
import { openSharedTier } from "../cache/shared-tier.ts";
import { connectAs } from "../database/pool.ts";
import { moneyOf } from "../kernel/money.ts";
import { openReferenceRates, parseReferenceRates, storeReferenceRates } from "./reference-rates.ts";

let database: TestDatabase;
let redis: RunningRedis;

beforeAll(async () => {
  database = await freshDatabase();
  redis = await startRedisSandbox({ port: 0, token: "t" });
});
beforeEach(() => database.owner`delete from rates.reference_rate`);
afterAll(async () => {
  await redis.stop();
  await database.drop();
});

const NOW = new Date("2026-11-20T16:00:00Z");
const seed = (rate: string, asOf = "2026-11-20T15:00:00Z") =>
  parseReferenceRates(JSON.stringify([{ base: "EUR", quote: "USD", rate, source: "configuration", asOf }]));
const dollars = async (rates: ReturnType<typeof openReferenceRates>) =>
  (await rates.latest()).convert(moneyOf(100n, "EUR"), "USD")?.money.minor;

it("rates are read once in 60 s, and anew after it", async () => {
  let ms = 0;
  const rates = openReferenceRates({ url: database.url, now: () => ms });
  expect((await rates.latest()).rates).toEqual([]);
  ms += 60_001;
  await storeReferenceRates(database.owner, seed("1.25"), NOW);
  expect(await dollars(rates)).toBe(125n);
  await storeReferenceRates(database.owner, seed("1.5"), NOW);
  ms += 50_000;
  expect(await dollars(rates)).toBe(125n);
  expect(rates.cacheCounts().loaded).toBe(2);
  ms += 10_001;
  expect(await dollars(rates)).toBe(150n);
  await rates.close();
});

it("are none when their time is over and the database is away", async () => {
  let ms = 0;
  await storeReferenceRates(database.owner, seed("1.25"), NOW);
  const rates = openReferenceRates({ url: database.url, now: () => ms });
  expect(await dollars(rates)).toBe(125n);
  await rates.close();
  expect(await dollars(rates)).toBe(125n);
  ms += 60_001;
  await expect(rates.latest()).rejects.toThrow();
});

it("are shared through Redis, exactly", async () => {
  const shared = () => openSharedTier({ url: redis.url, token: "t", secret: "s".repeat(32), timeoutMs: 500 });
  const tiers = [shared(), shared()];
  await storeReferenceRates(database.owner, seed("123456789012.000000000001"), NOW);
  const [first, second] = tiers.map((tier) =>
    openReferenceRates({ url: database.url, shared: tier, role: "tessera_risk" }),
  ) as [ReturnType<typeof openReferenceRates>, ReturnType<typeof openReferenceRates>];
  const table = await first.latest();
  await expect.poll(() => redis.redis.keys.entries().length).toBe(1);
  expect((await second.latest()).rates).toEqual(table.rates);
  expect(second.cacheCounts()).toMatchObject({ shared: 1, loaded: 0 });
  await Promise.all([first, second, ...tiers].map((one) => one.close()));
});

it("the youngest of a pair stays, in whatever order they come", async () => {
  const rates = openReferenceRates({ url: database.url });
  await storeReferenceRates(database.owner, seed("1.3", "2026-11-20T15:30:00Z"), NOW);
  await storeReferenceRates(database.owner, seed("1.2", "2026-11-20T15:00:00Z"), NOW);
  expect(await dollars(rates)).toBe(130n);
  await rates.close();
});

it("one of the future is refused, and with it all", async () => {
  const future = seed("1.3", "2026-11-21T15:30:00Z");
  await expect(storeReferenceRates(database.owner, [...future], NOW)).rejects.toThrow("of the future");
  expect(await database.owner`select * from rates.reference_rate`).toEqual([]);
});

it("readers cannot change them", async () => {
  const sql = connectAs("tessera_payments", database.url, { connections: 1 });
  await expect(sql.unsafe("delete from rates.reference_rate")).rejects.toMatchObject({ code: "42501" });
  await sql.end();
});
