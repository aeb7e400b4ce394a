/** Runs the sandbox as a process of its own; see the kit's process.ts for the variables. */

import { runSandbox } from "../kit/process.ts";
import { adyen } from "./dialect.ts";

await runSandbox(adyen, { apiKey: "adyen_test_sandbox" });
