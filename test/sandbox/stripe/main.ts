/**
 * Runs the sandbox as a process of its own.
 *
 * SANDBOX_PORT         the port on 127.0.0.1 (required; 0 takes any)
 * SANDBOX_API_KEY      the secret key that clients must send (sk_test_sandbox)
 * SANDBOX_DATA_DIR     a folder to remember in; without it the book is in memory only
 * SANDBOX_REQUEST_LOG  a file that gets every API request as it came
 */

import { startStripeSandbox } from "./server.ts";

const { SANDBOX_PORT, SANDBOX_API_KEY, SANDBOX_DATA_DIR, SANDBOX_REQUEST_LOG } = process.env;

const port = Number(SANDBOX_PORT);
if (!SANDBOX_PORT || !Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error("SANDBOX_PORT must be a port number");
  process.exit(2);
}

const running = await startStripeSandbox({
  port,
  apiKey: SANDBOX_API_KEY || "sk_test_sandbox",
  dataDir: SANDBOX_DATA_DIR || undefined,
  requestLog: SANDBOX_REQUEST_LOG || undefined,
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => void running.stop().then(() => process.exit(0)));
}

console.log(`ready on ${running.url}`);
