import type { Sql } from "postgres";
import { hashApiKey, newApiKey, parseApiKey } from "../kernel/api-key.ts";
import { type Home, homeOf, type MerchantId, newId, uuidOf } from "../kernel/ids.ts";
import { decodePrices } from "./prices.ts";

export type NewMerchant = {
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly home: Home;
  /** As stored, e.g. {"default": {"bps": 290, "fixed": 30}}. */
  readonly pricing: Readonly<Record<string, { readonly bps: number; readonly fixed: number }>>;
  readonly settlementDelayDays: number;
};

/** A merchant with its first keys, which are shown here and never again. */
export type CreatedMerchant = {
  readonly id: MerchantId;
  readonly secretKey: string;
  readonly publishableKey: string;
};

/** Makes a merchant. For the operator: takes a connection that owns the schema. */
export async function createMerchant(owner: Sql, merchant: NewMerchant, at: Date): Promise<CreatedMerchant> {
  decodePrices(merchant.pricing);
  const id = newId("mer", merchant.home, at);
  const { shard } = homeOf(id);
  const secretKey = newApiKey("secret", merchant.home);
  const publishableKey = newApiKey("publishable", merchant.home);
  await owner.begin(async (sql) => {
    await sql`
      insert into merchants.merchant (shard, id, name, country, pricing, settlement_delay_days, created_at)
      values (${shard}, ${uuidOf(id)}, ${merchant.name}, ${merchant.country},
              ${JSON.stringify(merchant.pricing)}::text::jsonb, ${merchant.settlementDelayDays}, ${at})`;
    for (const [scope, key] of [
      ["secret", secretKey],
      ["publishable", publishableKey],
    ] as const) {
      await sql`
        insert into merchants.api_key (shard, hash, merchant, scope, hint, created_at)
        values (${shard}, decode(${await hashApiKey(key)}, 'hex'), ${uuidOf(id)}, ${scope}, ${key.slice(-4)}, ${at})`;
    }
  });
  return { id, secretKey, publishableKey };
}

/** Revokes a key; the edge honours it within its cache's 30 s. Answers whether there was such a key. */
export async function revokeApiKey(owner: Sql, key: string, at: Date): Promise<boolean> {
  const shard = parseApiKey(key)?.home.shard;
  if (shard === undefined) return false;
  const rows = await owner`
    update merchants.api_key set revoked_at = ${at}
    where shard = ${shard} and hash = decode(${await hashApiKey(key)}, 'hex') and revoked_at is null returning 1`;
  return rows.length === 1;
}
