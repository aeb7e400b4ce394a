import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { projectRoot } from "../../../regions/dev/home.ts";
import { readLog } from "../../../regions/dev/log-file.ts";
import { type Cache, type CacheOptions, createCache } from "../../../subgraphs/cache/cache.ts";
import { openSharedTier, type SharedTier } from "../../../subgraphs/cache/shared-tier.ts";
import { createTenantReader, type TenantReader } from "../../../subgraphs/database/tenant-reader.ts";
import { homeOf, type MerchantId, uuidOf } from "../../../subgraphs/kernel/ids.ts";
import type { Bench } from "../bench.ts";
import { ownMeter, processMeter } from "../cpu-time.ts";
import { createDatabase, databaseUrl } from "../databases.ts";
import { openMerchants } from "../merchants.ts";
import type { Row, RowGroup } from "../row.ts";

/**
 * What it costs to read a merchant's row from each tier: this process's memory, Redis (the sandbox, a process of its own,
 * over HTTP), and the database. In the last two the memory holds one entry, so that the 32 merchants miss it.
 */
const [MEMORY, SHARED, DATABASE_ROW] = ["cache.memory", "cache.shared", "cache.database"] as const;
const DATABASE = "bench_cache";
const CLIENTS = 16;
const READ_CONNECTIONS = 4;
/** Of one unit from memory: a single one is too short to be measured. */
const MANY = 1_000;
const TTL_MS = 24 * 60 * 60_000;

export const cacheTiers: RowGroup = {
  names: [MEMORY, SHARED, DATABASE_ROW],
  async open(bench) {
    const url = await createDatabase(bench, DATABASE);
    const merchants = (await openMerchants(url.href)).map(({ id }) => id);
    let reader = createTenantReader("tessera_merchants", url.href, READ_CONNECTIONS);
    const redis = await startRedis(bench);
    const load = (merchant: MerchantId) => () => readRow(reader, merchant);
    const inMemory = createCache(options(MERCHANTS_FIT, null));
    const inRedis = createCache(options(ONE_FITS, redis.tier));
    const nowhere = createCache(options(ONE_FITS, null));
    await fill(redis.tier, inRedis, merchants, load);

    let next = 0;
    const read = async (cache: Cache<ReadRow>) => {
      const merchant = merchants[next++ % merchants.length] as MerchantId;
      if ((await cache.get(merchant, "", load(merchant))) === null) throw new Error("a merchant is missing");
    };
    const fromRedis = async () => {
      await read(inRedis);
      if (redis.tier.counts().failures > 0) throw new Error("Redis did not answer");
    };
    const node = ownMeter("node");
    const one = { units: "reads", clients: CLIENTS, processes: [bench.meters.postgres, redis.meter, node] };
    const rows: Row[] = [
      {
        ...one,
        name: MEMORY,
        units: "thousand reads",
        clients: 1,
        ours: ["node"],
        database: null,
        async run() {
          for (let i = 0; i < MANY; i++) await read(inMemory);
        },
      },
      { ...one, name: SHARED, ours: ["node"], database: null, run: fromRedis },
      {
        ...one,
        name: DATABASE_ROW,
        ours: ["node", "postgres"],
        database: DATABASE,
        run: () => read(nowhere),
      },
    ];
    return {
      rows,
      async reconnect(through) {
        await reader.close();
        reader = createTenantReader(
          "tessera_merchants",
          databaseUrl(through, DATABASE).href,
          READ_CONNECTIONS,
        );
      },
      async close() {
        await Promise.all([reader.close(), redis.tier.close()]);
        await redis.stop();
      },
    };
  },
};

const readForm = z.strictObject({ name: z.string(), country: z.string(), pricing: z.unknown() });
type ReadRow = z.infer<typeof readForm>;

const MERCHANTS_FIT = { entries: 1_000, bytes: 10_000_000 };
const ONE_FITS = { entries: 1, bytes: 10_000 };

const options = (memory: CacheOptions<ReadRow>["memory"], shared: SharedTier | null) => ({
  name: "bench",
  codec: {
    version: 1,
    encode: (row: ReadRow) => JSON.stringify(row),
    decode: (text: string) => readForm.parse(JSON.parse(text)),
  },
  ttlMs: TTL_MS,
  memory,
  absence: { ttlMs: 1, entries: 1 },
  shared,
});

async function readRow(reader: TenantReader, merchant: MerchantId): Promise<ReadRow | null> {
  const [rows] = await reader.read(merchant, {
    text: "select name, country, pricing from merchants.merchant where shard = $1 and id = $2",
    parameters: [homeOf(merchant).shard, uuidOf(merchant)],
  });
  return rows?.[0] === undefined ? null : readForm.parse({ ...rows[0] });
}

async function startRedis(bench: Bench) {
  const token = randomBytes(16).toString("hex");
  const service = await bench.launcher.spawnService({
    name: "redis",
    command: process.execPath,
    args: ["test/sandbox/redis/main.ts"],
    cwd: projectRoot,
    env: { ...process.env, SANDBOX_PORT: "0", SANDBOX_API_KEY: token },
    logFile: join(bench.home, "redis.log"),
    ready: /^ready on /m,
  });
  const url = /^ready on (\S+)/m.exec(readLog(service.logFile))?.[1] ?? "";
  const secret = randomBytes(32).toString("hex");
  return {
    // Patient: what is measured is what an answer costs.
    tier: openSharedTier({ url, token, secret, timeoutMs: 5_000 }),
    meter: processMeter("redis", () => service.pid),
    stop: () => service.stop(),
  };
}

/** Until Redis answers for every merchant. */
async function fill(
  tier: SharedTier,
  cache: Cache<ReadRow>,
  merchants: readonly MerchantId[],
  load: (merchant: MerchantId) => () => Promise<ReadRow | null>,
): Promise<void> {
  const before = tier.counts().hits;
  for (let round = 0; round < 100 && tier.counts().hits - before < merchants.length; round++)
    for (const merchant of merchants) await cache.get(merchant, "", load(merchant));
}
