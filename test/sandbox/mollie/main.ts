/** Runs the sandbox as a process of its own; see `../kit/process.ts` for its variables. */

import { runSandbox } from "../kit/process.ts";
import { mollie } from "./dialect.ts";

await runSandbox(mollie, { apiKey: "test_sandbox" });
