import { migrate } from "../../regions/dev/migrate.ts";
import type { Bench } from "./bench.ts";

/** Creates a database on the bench's Postgres; gives its URL, as owner. */
export async function createDatabase(bench: Bench, name: string): Promise<URL> {
  await bench.admin.unsafe(`create database ${name}`);
  return databaseUrl(bench.postgres.adminUrl, name);
}

/** The same, with our schema. */
export async function createMigrated(bench: Bench, name: string): Promise<URL> {
  const url = await createDatabase(bench, name);
  await migrate(url.href);
  return url;
}

/** The same way to the same server, but to another database. */
export function databaseUrl(server: string | URL, name: string): URL {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url;
}
