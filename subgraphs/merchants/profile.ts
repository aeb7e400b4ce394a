import type { Sql } from "postgres";
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
  /** Null if there is no such merchant. Up to `PROFILE_MAX_AGE_MS` old: never a guard for money. */
  profile(merchant: MerchantId): Promise<MerchantProfile | null>;
  /** Whose the key with this SHA-256 (hex) is, if it is neither revoked nor of an inactive merchant. */
  findApiKey(home: Home, hash: string): Promise<ApiKeyOwner | null>;
  close(): Promise<void>;
}

const PROFILE_MAX_AGE_MS = 5_000;
const PROFILE_CACHE_SIZE = 10_000;

export function createMerchants(options: {
  readonly url: DatabaseUrl;
  readonly clock: Clock;
  readonly connections?: number;
}): Merchants {
  const connections = options.connections ?? 2;
  const reader = createTenantReader("tessera_merchants", options.url, connections);
  const keys = connectAs("tessera_merchants", options.url, { connections });
  const cache = new Map<
    MerchantId,
    { readonly until: number; readonly profile: Promise<MerchantProfile | null> }
  >();

  return {
    profile(merchant) {
      const now = options.clock.now().getTime();
      const cached = cache.get(merchant);
      if (cached !== undefined && cached.until > now) return cached.profile;
      if (cache.size >= PROFILE_CACHE_SIZE) cache.clear();
      const profile = readProfile(reader, merchant);
      cache.set(merchant, { until: now + PROFILE_MAX_AGE_MS, profile });
      profile.catch(() => cache.delete(merchant));
      return profile;
    },
    findApiKey: (home, hash) => findApiKey(keys, home, hash),
    async close() {
      await Promise.all([reader.close(), keys.end({ timeout: 2 })]);
    },
  };
}

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
