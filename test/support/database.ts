import { randomBytes } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { inject } from "vitest";
import { type CreatedMerchant, createMerchant } from "../../subgraphs/merchants/create.ts";

/** A migrated database of its own, and a connection that owns everything in it. */
export type TestDatabase = { readonly url: string; readonly owner: Sql; drop(): Promise<void> };

export async function freshDatabase(): Promise<TestDatabase> {
  const server = new URL(inject("postgresUrl"));
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = postgres(server.toString(), { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name} template template_tessera`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const owner = postgres(url.toString(), { max: 4, types: { bigint: postgres.BigInt }, onnotice: () => {} });
  return {
    url: url.toString(),
    owner: owner as unknown as Sql,
    async drop() {
      await owner.end({ timeout: 2 });
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

export function testMerchant(owner: Sql, shard = 7): Promise<CreatedMerchant> {
  return createMerchant(
    owner,
    {
      name: "Test Shop",
      country: "DE",
      home: { region: 1, shard },
      pricing: { default: { bps: 290, fixed: 30 } },
      settlementDelayDays: 2,
    },
    new Date(),
  );
}
