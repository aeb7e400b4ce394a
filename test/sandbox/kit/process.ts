/**
 * Runs a sandbox as a process of its own.
 *
 * SANDBOX_PORT         the port on 127.0.0.1 (required; 0 takes any)
 * SANDBOX_API_KEY      the secret key that clients must send
 * SANDBOX_DATA_DIR     a folder to remember in; without it the book is in memory only
 * SANDBOX_REQUEST_LOG  a file that gets every API request as it came
 * SANDBOX_WEBHOOK_URL  where webhooks go from the start on
 */

import type { Dialect } from "./dialect.ts";
import { startSandbox } from "./server.ts";
import type { World } from "./world.ts";

/**
 * Reads the environment, starts, prints `ready on http://127.0.0.1:PORT`, and ends with 0 on SIGTERM or SIGINT.
 * Without a port it says so and ends with 2.
 */
export async function runSandbox<T extends World>(
  dialect: Dialect<T>,
  defaults: { readonly apiKey: string },
): Promise<void> {
  const { SANDBOX_PORT, SANDBOX_API_KEY, SANDBOX_DATA_DIR, SANDBOX_REQUEST_LOG, SANDBOX_WEBHOOK_URL } =
    process.env;
  const port = Number(SANDBOX_PORT);
  if (!SANDBOX_PORT || !Number.isInteger(port) || port < 0 || port > 65_535) {
    console.error("SANDBOX_PORT must be a port number");
    process.exit(2);
  }
  const running = await startSandbox(dialect, {
    port,
    apiKey: SANDBOX_API_KEY || defaults.apiKey,
    dataDir: SANDBOX_DATA_DIR || undefined,
    requestLog: SANDBOX_REQUEST_LOG || undefined,
    webhookUrl: SANDBOX_WEBHOOK_URL || undefined,
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => void running.stop().then(() => process.exit(0)));
  }
  console.log(`ready on ${running.url}`);
}
