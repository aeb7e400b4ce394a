import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { FolderInUseError } from "../../regions/dev/claim.ts";
import { freePort } from "../../regions/dev/ports.ts";
import { type RunningPostgres, startPostgres } from "../../regions/dev/postgres.ts";
import { type Launcher, openLauncher } from "../../regions/dev/processes.ts";
import type { CreatedMerchant } from "../../subgraphs/merchants/create.ts";
import { type CpuMeter, ownMeter, postgresMeter } from "./cpu-time.ts";
import { openMerchants } from "./merchants.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { trackStatements } from "./statements.ts";

/** What every row has: one Postgres, and what is started on it once a row needs it. */
export type Bench = {
  /** A folder of its own, removed at the end. */
  readonly home: string;
  readonly log: (line: string) => void;
  /** Aborted when the bench is asked to end. */
  readonly signal: AbortSignal;
  readonly launcher: Launcher;
  readonly postgres: RunningPostgres;
  /** To the database "postgres", as its owner. */
  readonly admin: Sql;
  readonly meters: { readonly postgres: CpuMeter; readonly driver: CpuMeter };
  /** Merchants on as many shards; the database is migrated once they are there. */
  readonly merchants: () => Promise<readonly CreatedMerchant[]>;
  /** Region, edge and provider's sandbox as `npm start` has them, over the same Postgres. */
  readonly platform: () => Promise<Platform>;
  /** The platform, if a row has needed it. */
  readonly startedPlatform: () => Promise<Platform> | null;
  close(): Promise<void>;
};

const PREFIX = "tessera-bench-";

/**
 * Durable. The baseline's tables and the ledger's fit into memory, as they would on a server; no checkpoint falls into
 * the rounds, and the one before them leaves files of the log to be used again. Statements can be counted, and are not
 * until `trackStatements`.
 */
const SETTINGS = {
  shared_buffers: "1GB",
  min_wal_size: "4GB",
  max_wal_size: "32GB",
  checkpoint_timeout: "1h",
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.save": "off",
};

export async function openBench(log: (line: string) => void, signal: AbortSignal): Promise<Bench> {
  const parent = durableFolder();
  await removeLeftovers(parent, log);
  const home = mkdtempSync(join(parent, PREFIX));
  chmodSync(home, 0o711); // started by root, Postgres runs as another user
  const launcher = await openLauncher({ dir: home, log });
  const removeHome = () => rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  try {
    const server = await startPostgres({
      dataDir: join(home, "postgres"),
      port: await freePort(),
      log: () => {},
      settings: SETTINGS,
      launcher,
    });
    const admin = postgres(server.adminUrl, { max: 1, onnotice: () => {} });
    await admin`create extension pg_stat_statements`;
    await trackStatements(admin, false);
    let merchants: Promise<readonly CreatedMerchant[]> | null = null;
    let platform: Promise<Platform> | null = null;
    const bench: Bench = {
      home,
      log,
      signal,
      launcher,
      postgres: server,
      admin,
      meters: { postgres: postgresMeter("postgres", server.pid), driver: ownMeter("driver") },
      merchants: () => (merchants ??= openMerchants(server.url)),
      platform: () => (platform ??= openPlatform(bench)),
      startedPlatform: () => platform,
      async close() {
        await (await platform?.catch(() => null))?.close();
        await admin.end({ timeout: 1 });
        await launcher.stopAll();
        removeHome();
      },
    };
    return bench;
  } catch (error) {
    await launcher.stopAll();
    removeHome();
    throw error;
  }
}

/** /var/tmp outlives a restart, so it lies on a disk where /tmp may be memory, and a commit there waits for nothing. */
function durableFolder(): string {
  return existsSync("/var/tmp") ? "/var/tmp" : tmpdir();
}

/** A bench that was killed with -9 leaves its folder; whatever is no longer anybody's goes. */
async function removeLeftovers(parent: string, log: (line: string) => void): Promise<void> {
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(PREFIX))) {
    try {
      const left = await openLauncher({ dir: join(parent, name), log });
      await left.stopAll();
      rmSync(join(parent, name), { recursive: true, force: true });
      log(`removed ${join(parent, name)}, which an earlier bench has left behind`);
    } catch (error) {
      // Another bench's that runs, or another user's: not ours to touch.
      if (!(error instanceof FolderInUseError)) log(`left ${join(parent, name)} alone: ${String(error)}`);
    }
  }
}
