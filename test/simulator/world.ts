import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { migrate } from "../../regions/dev/migrate.ts";
import { startScratchPostgres } from "../../regions/dev/scratch-postgres.ts";
import { idFromUuid } from "../../subgraphs/kernel/ids.ts";
import { type ProviderSandbox, startProvider } from "../support/provider-sandboxes.ts";
import { type SimulatedEdge, startEdge } from "./edge.ts";
import type { Plan } from "./plan.ts";
import { RegionLink } from "./region-link.ts";
import { type SimulatedVault, startVault } from "./vault.ts";

/** Everything that a run needs, started: Postgres, providers, vault, edge, and a region as a process of its own. */
export type SimulatedWorld = {
  readonly databaseUrl: string;
  readonly owner: Sql;
  readonly auditStore: string;
  readonly vault: SimulatedVault;
  readonly edge: SimulatedEdge;
  readonly providers: ReadonlyMap<string, ProviderSandbox>;
  readonly region: RegionLink;
  /** Ids of the plan's merchants, by their number. */
  readonly merchants: readonly string[];
  stop(): Promise<void>;
};

export type WorldOptions = {
  readonly providerDeadlineMs: number;
  /** How long Mollie waits for a payer, in ms. */
  readonly payersHaveMs: number;
};

export async function startWorld(plan: Plan, options: WorldOptions): Promise<SimulatedWorld> {
  const ending: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of ending.reverse()) await end();
  };
  try {
    return await open(plan, options, ending, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(
  plan: Plan,
  options: WorldOptions,
  ending: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<SimulatedWorld> {
  const database = await startScratchPostgres({ settings: { shared_buffers: "128MB", max_wal_size: "1GB" } });
  ending.push(() => database.stop());
  await migrate(database.url);
  const owner = postgres(database.url, {
    max: 4,
    types: { bigint: postgres.BigInt },
    onnotice: () => {},
  }) as unknown as Sql;
  ending.push(() => owner.end({ timeout: 2 }));
  const merchants = await createMerchants(owner, plan.merchants);
  const auditStore = mkdtempSync(join(tmpdir(), "tessera-simulated-audit-"));
  ending.push(() => rmSync(auditStore, { recursive: true, force: true }));
  const vault = await startVault();
  ending.push(vault.stop);
  const edge = await startEdge(plan.seed);
  ending.push(edge.stop);
  const providers = new Map<string, ProviderSandbox>();
  for (const name of plan.providers) {
    const provider = await startProvider(name, `${edge.webhookBase}/${name}`);
    providers.set(name, provider);
    ending.push(provider.stop);
    await provider.settings({ seed: plan.seed, latencyMs: 3, latencyJitterMs: 10 });
  }
  await providers.get("mollie")?.settings({ openMs: options.payersHaveMs, listLagMs: 700 });
  await providers.get("stripe")?.settings({ searchLagMs: 1_500 });
  await providers.get("acquirer")?.settings({ lookupLagMs: 700 });
  const region = await RegionLink.open({
    databaseUrl: database.url,
    providers: Object.fromEntries([...providers.values()].map(({ name, url }) => [name, url])),
    vaultUrl: vault.url,
    webhookBase: edge.webhookBase,
    auditStore,
    providerDeadlineMs: options.providerDeadlineMs,
    logLevel: process.env["TEST_LOG"] ?? "silent",
  });
  ending.push(() => region.stop());
  edge.connect(region);
  return { databaseUrl: database.url, owner, auditStore, vault, edge, providers, region, merchants, stop };
}

const REGION = 1;
/** So that a merchant's rows lie in different shards, and two merchants share some. */
const SHARDS_APART = 37;

/** The same merchants in every run: references, and so the providers' chance, are made from their ids. */
async function createMerchants(owner: Sql, count: number): Promise<string[]> {
  const uuids = Array.from({ length: count }, (_, number) => {
    const shard = (number * SHARDS_APART) % 256;
    return { shard, uuid: `01900000-0000-7000-8000-${hex(number, 8)}${hex(REGION, 2)}${hex(shard, 2)}` };
  });
  const pricing = JSON.stringify({ default: { bps: 290, fixed: 30 } });
  for (const [number, { shard, uuid }] of uuids.entries())
    await owner`
      insert into merchants.merchant (shard, id, name, country, pricing, settlement_delay_days, created_at)
      values (${shard}, ${uuid}, ${`Merchant ${number}`}, 'NL', ${pricing}::text::jsonb, 2, now())`;
  return uuids.map(({ uuid }) => idFromUuid("mer", uuid));
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
