import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import type { Settings } from "./postgres/settings.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";

/** Nothing here outlives its test, so nothing waits for a disk. */
const FORGETFUL: Settings = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  // Tests start many processes' worth of pools over one server.
  max_connections: 500,
};

export type ScratchOptions = {
  /** Over the forgetful ones; `{ fsync: "on", … }` where durability is what is tested. */
  readonly settings?: Settings;
  readonly database?: string;
  readonly log?: (line: string) => void;
};

/**
 * A Postgres of its own for a test file or a bench, on a free port, in a temporary folder that `stop` removes. Ready
 * in about 2 s. If this process dies, the server ends, too; only the folder stays.
 */
export async function startScratchPostgres(options: ScratchOptions = {}): Promise<RunningPostgres> {
  const dataDir = mkdtempSync(join(tmpdir(), "tessera-postgres-"));
  chmodSync(dataDir, 0o711); // started by root, the server runs as another user
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  try {
    const server = await startPostgres({
      dataDir,
      port: await freePort(),
      log: options.log ?? (() => {}),
      settings: { ...FORGETFUL, ...options.settings },
      ...(options.database === undefined ? {} : { database: options.database }),
    });
    return {
      ...server,
      stop: async () => {
        const exit = await server.stop();
        remove();
        return exit;
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
