import type { TestProject } from "vitest/node";
import { migrate } from "../../regions/dev/migrate.ts";
import { startScratchPostgres } from "../../regions/dev/scratch-postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** URL of a Postgres server whose database `template_tessera` is migrated and never connected to. */
    postgresUrl: string;
  }
}

/** One Postgres for all database tests of a run, with a migrated template that each test file copies. */
export default async function setup(project: TestProject) {
  const server = await startScratchPostgres({ database: "template_tessera" });
  await migrate(server.url);
  project.provide("postgresUrl", server.adminUrl);
  return async () => {
    await server.stop();
  };
}
