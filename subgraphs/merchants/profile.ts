import type { Logger } from "pino";
import type { Sql } from "postgres";
import { z } from "zod";
import { type CacheCounts, type Codec, createCache } from "../cache/cache.ts";
import { createChangeFeed } from "../cache/change-feed.ts";
import { changesInDatabase } from "../cache/changes-in-database.ts";
import type { SharedTier } from "../cache/shared-tier.ts";
import { connectAs, type DatabaseUrl } from "../database/pool.ts";
import { createTenantReader, type TenantReader } from "../database/tenant-reader.ts";
import type { Clock } from "../kernel/clock.ts";
import type { KeyScope } from "../kernel/identity.ts";
import { type Home, homeOf, idFromUuid, type MerchantId, uuidOf } from "../kernel/ids.ts";
import { decodePrices, type PriceList } from "./prices.ts";

export type { PriceList } from "./prices.ts";

export type MerchantProfile = {
  readonly id: MerchantId;
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly active: boolean;
  readonly prices: PriceList;
  /** Business days from a capture to the day on which its money can be paid out. */
  readonly settlementDelayDays: number;
  readonly createdAt: Date;
};

export type ApiKeyOwner = { readonly merchant: MerchantId; readonly scope: KeyScope };

/** The merchants' door: what other subgraphs and the gateway may know of merchants and their keys. */
export interface Merchants {
  /**
   * Null if there is no such merchant. From a cache that hears of changes within about a second and is not used while it
   * cannot (docs/caching.md): never a guard for money.
   */
  profile(merchant: MerchantId): Promise<MerchantProfile | null>;
  /** Whose the key with this SHA-256 (hex) is, if it is neither revoked nor of an inactive merchant. */
  findApiKey(home: Home, hash: string): Promise<ApiKeyOwner | null>;
  /** What the cache of profiles did; for metrics. */
  cacheCounts(): CacheCounts;
  close(): Promise<void>;
}

const PROFILE_TTL_MS = 5 * 60_000;
const PROFILES_IN_MEMORY = { entries: 10_000, bytes: 16 * 1024 * 1024 };
const ABSENT_MERCHANTS = { ttlMs: 5_000, entries: 1_000 };

export type MerchantsOptions = {
  readonly url: DatabaseUrl;
  /** Not looked at: caches measure time by a clock that never goes back. */
  readonly clock?: Clock;
  readonly connections?: number;
  /** The region's Redis, if it has one. */
  readonly shared?: SharedTier | null;
  readonly log?: Logger;
};

export function createMerchants(options: MerchantsOptions): Merchants {
  const { url, connections = 2, shared = null, log } = options;
  const reader = createTenantReader("tessera_merchants", url, connections);
  const keys = connectAs("tessera_merchants", url, { connections });
  const profiles = createCache<MerchantProfile>({
    name: "merchant",
    codec: profileCodec,
    ttlMs: PROFILE_TTL_MS,
    memory: PROFILES_IN_MEMORY,
    absence: ABSENT_MERCHANTS,
    shared,
    isCurrent: () => feed.isCurrent(),
  });
  const feed = createChangeFeed({
    ...changesInDatabase(keys, "merchants", PROFILE_TTL_MS),
    onChange: ({ merchant }) => void profiles.drop(idFromUuid("mer", merchant), ""),
    onTooMany: () => profiles.dropAll(),
    log,
  });
  feed.start();

  return {
    profile: (merchant) => profiles.get(merchant, "", () => readProfile(reader, merchant)),
    findApiKey: (home, hash) => findApiKey(keys, home, hash),
    cacheCounts: () => profiles.counts(),
    async close() {
      await feed.stop();
      await Promise.all([reader.close(), keys.end({ timeout: 2 })]);
    },
  };
}

/** Names every member of a profile: one that is added there is missing here. */
const storedForm = z.strictObject({
  id: z.string(),
  name: z.string(),
  country: z.string(),
  active: z.boolean(),
  prices: z.record(z.string(), z.strictObject({ bps: z.number(), fixed: z.int() })),
  settlementDelayDays: z.int(),
  createdAt: z.iso.datetime(),
} satisfies Record<keyof MerchantProfile, z.ZodType>);

const profileCodec: Codec<MerchantProfile> = {
  version: 1,
  encode: ({ prices, ...profile }) =>
    JSON.stringify({ ...profile, prices }, (_, value: unknown) =>
      typeof value === "bigint" ? Number(value) : value,
    ),
  decode(text) {
    const { id, prices, createdAt, ...profile } = storedForm.parse(JSON.parse(text));
    return {
      ...profile,
      id: id as MerchantId,
      prices: decodePrices(prices),
      createdAt: new Date(createdAt),
    };
  },
};

async function readProfile(reader: TenantReader, merchant: MerchantId): Promise<MerchantProfile | null> {
  const [rows] = await reader.read(merchant, {
    text: "select * from merchants.merchant where shard = $1 and id = $2",
    parameters: [homeOf(merchant).shard, uuidOf(merchant)],
  });
  const row = rows?.[0];
  if (row === undefined) return null;
  return {
    id: merchant,
    name: row["name"] as string,
    country: row["country"] as string,
    active: row["active"] as boolean,
    prices: decodePrices(row["pricing"]),
    settlementDelayDays: row["settlement_delay_days"] as number,
    createdAt: row["created_at"] as Date,
  };
}

async function findApiKey(sql: Sql, home: Home, hash: string): Promise<ApiKeyOwner | null> {
  const [row] = await sql.unsafe<{ merchant: string; scope: KeyScope }[]>(
    "select merchant, scope from merchants.find_api_key($1, decode($2, 'hex'))",
    [home.shard, hash],
    { prepare: true },
  );
  return row === undefined ? null : { merchant: idFromUuid("mer", row.merchant), scope: row.scope };
}
