import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Bench } from "./bench.ts";
import { TPCB_DATABASE } from "./rows/tpcb.ts";

/** Where Debian puts it, beside whatever is in PATH. */
const DEBIAN = "/usr/lib/postgresql";
const CLIENTS = 8;

/** The path of a pgbench on this machine, or null; the newest of Debian's, which PATH's wrapper may not find. */
export function findPgbench(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(DEBIAN, version, "bin")),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return folders.map((folder) => join(folder, "pgbench")).find(existsSync) ?? null;
}

export type PgbenchResult = { readonly rate: number; readonly postgresCpuMs: number };

/** The same transaction on the same tables with as many clients, by pgbench itself; null if it does not run. */
export async function runPgbench(bench: Bench, path: string, seconds: number): Promise<PgbenchResult | null> {
  const url = new URL(bench.postgres.adminUrl);
  const whole = Math.max(1, Math.round(seconds));
  const options = `-n -M prepared -c ${CLIENTS} -j 2 -T ${whole} -h ${url.hostname} -p ${url.port} -U ${url.username}`;
  const from = bench.meters.postgres.readMs();
  try {
    const { stdout } = await promisify(execFile)(path, [...options.split(" "), TPCB_DATABASE], {
      env: { ...process.env, PGPASSWORD: decodeURIComponent(url.password), PGSSLMODE: "disable" },
      signal: bench.signal,
    });
    const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
    const done = Number(/actually processed: (\d+)/.exec(stdout)?.[1]);
    return { rate, postgresCpuMs: (bench.meters.postgres.readMs() - from) / done };
  } catch (error) {
    bench.signal.throwIfAborted();
    bench.log(`${path} does not run here: ${(error as Error).message.split("\n")[0]}`);
    return null;
  }
}
