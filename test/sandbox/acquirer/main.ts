/** Runs the acquirer as a process of its own; its variables are the kit's (kit/process.ts). The key is `ID:SECRET`. */

import { runSandbox } from "../kit/process.ts";
import { acquirer } from "./dialect.ts";

await runSandbox(acquirer, { apiKey: "ak_test_sandbox:acquirer-test-secret" });
