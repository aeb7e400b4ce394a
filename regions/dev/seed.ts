import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { hashApiKey, parseApiKey } from "../../subgraphs/kernel/api-key.ts";
import { uuidOf } from "../../subgraphs/kernel/ids.ts";
import { type CreatedMerchant, createMerchant, type NewMerchant } from "../../subgraphs/merchants/create.ts";
import { importBinRanges } from "../../subgraphs/risk/import-bin-ranges.ts";
import { regionNamed } from "../regions.ts";
import { writeWhole } from "./dev-secrets.ts";
import { projectRoot } from "./home.ts";

/** What a new platform on this machine begins with: a demo merchant, its keys, and the test cards' ranges. */
const DEMO_REGION = "eu-1";
const DEMO: NewMerchant = {
  name: "Tessera Demo Shop",
  country: "DE",
  home: { region: regionNamed(DEMO_REGION).number, shard: 7 },
  pricing: {
    default: { bps: 290, fixed: 0 },
    EUR: { bps: 150, fixed: 25 },
    USD: { bps: 290, fixed: 30 },
  },
  settlementDelayDays: 2,
};
/** A person looks at payments above this. Minor units. */
const REVIEW_ABOVE = [
  ["EUR", 500_000],
  ["USD", 500_000],
] as const;

/** The demo merchant of this folder and database, made if it is not there. */
export async function seedDemo(databaseUrl: string, home: string): Promise<CreatedMerchant> {
  const owner = postgres(databaseUrl, { max: 2, onnotice: () => {} });
  try {
    const file = join(home, "demo-merchant.json");
    if (existsSync(file)) {
      const known = JSON.parse(readFileSync(file, "utf8")) as CreatedMerchant;
      if (await isThere(owner, known)) return known;
    }
    await importBinRanges(owner, readFileSync(join(projectRoot, "test/sandbox/bin-ranges.csv"), "utf8"));
    const merchant = await createMerchant(owner, DEMO, new Date());
    for (const [currency, reviewAbove] of REVIEW_ABOVE) {
      await owner`
        insert into risk.amount_limit (shard, merchant, currency, review_above)
        values (${DEMO.home.shard}, ${uuidOf(merchant.id)}, ${currency}, ${reviewAbove})`;
    }
    writeWhole(file, merchant);
    return merchant;
  } finally {
    await owner.end({ timeout: 2 });
  }
}

/** Whether this database, which may be another one than last time, has the merchant's key. */
async function isThere(owner: Sql, { secretKey }: CreatedMerchant): Promise<boolean> {
  const shard = parseApiKey(secretKey)?.home.shard ?? 0;
  const rows = await owner`
    select 1 from merchants.find_api_key(${shard}, decode(${await hashApiKey(secretKey)}, 'hex'))`;
  return rows.length === 1;
}
