import { readFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { projectRoot } from "../../regions/dev/home.ts";
import { migrate } from "../../regions/dev/migrate.ts";
import { type CreatedMerchant, createMerchant } from "../../subgraphs/merchants/create.ts";
import { importBinRanges } from "../../subgraphs/risk/import-bin-ranges.ts";

/** Enough that payments of one merchant, who share an account's row, seldom wait for each other. */
export const MERCHANTS = 32;
const SHARDS = 256;
const REGION = 1;

/** Migrates the database and makes merchants, each on a shard of its own, spread over all of them. */
export async function openMerchants(databaseUrl: string): Promise<readonly CreatedMerchant[]> {
  await migrate(databaseUrl);
  const owner = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await importBinRanges(owner, readFileSync(join(projectRoot, "test/sandbox/bin-ranges.csv"), "utf8"));
    const made: CreatedMerchant[] = [];
    for (let index = 0; index < MERCHANTS; index++) {
      // Odd and even ones: a lane of the committer has every so many-th.
      const home = { region: REGION, shard: index * (SHARDS / MERCHANTS) + (index % (SHARDS / MERCHANTS)) };
      const merchant = { name: `Bench Shop ${index}`, country: "DE", home, settlementDelayDays: 2 };
      made.push(
        await createMerchant(
          owner,
          { ...merchant, pricing: { default: { bps: 290, fixed: 30 } } },
          new Date(),
        ),
      );
    }
    return made;
  } finally {
    await owner.end({ timeout: 1 });
  }
}
