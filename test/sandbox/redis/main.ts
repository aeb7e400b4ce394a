/**
 * Runs the sandbox as a process of its own.
 *
 * SANDBOX_PORT     the port on 127.0.0.1 (required; 0 takes any)
 * SANDBOX_API_KEY  the token that clients must send
 */

import { startRedisSandbox } from "./server.ts";

const { SANDBOX_PORT, SANDBOX_API_KEY } = process.env;
const port = Number(SANDBOX_PORT);
if (!SANDBOX_PORT || !Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error("SANDBOX_PORT must be a port number");
  process.exit(2);
}
const running = await startRedisSandbox({ port, token: SANDBOX_API_KEY || "redis_test_token" });
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => void running.stop().then(() => process.exit(0)));
}
console.log(`ready on ${running.url}`);
