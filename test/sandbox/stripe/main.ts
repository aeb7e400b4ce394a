/**
 * Runs the sandbox as a process of its own; the variables are those of the kit's `process.ts`.
 */

import { runSandbox } from "../kit/process.ts";
import { stripe } from "./dialect.ts";

await runSandbox(stripe, { apiKey: "sk_test_sandbox" });
