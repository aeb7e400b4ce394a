import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "./home.ts";
import { StartProblem } from "./problem.ts";

/**
 * Brings a database's schema up to date with `schema/sql` (dbmate), creating the database if it is missing.
 * Gives the names of the migrations that it applied.
 * @throws {StartProblem} MIGRATION_FAILED, with dbmate's words
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const dbmate = join(projectRoot, "node_modules", "@dbmate", `linux-${process.arch}`, "bin", "dbmate");
  const args = ["--no-dump-schema", "--migrations-dir", join(projectRoot, "schema", "sql"), "up"];
  try {
    const { stdout } = await promisify(execFile)(dbmate, args, {
      env: { ...process.env, DATABASE_URL: withSslmode(databaseUrl) },
    });
    return [...stdout.matchAll(/^Applied: (\S+)/gm)].map((match) => match[1] as string);
  } catch (error) {
    const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
    const words = `${stdout ?? ""}${stderr ?? ""}`.trim() || message;
    throw new StartProblem("MIGRATION_FAILED", `The database could not be brought up to date:\n${words}`);
  }
}

/** dbmate's driver insists on TLS unless told otherwise; on this machine's own addresses there is none to have. */
function withSslmode(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  const local = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (local && !url.searchParams.has("sslmode")) url.searchParams.set("sslmode", "disable");
  return url.toString();
}
