/** Runs the sandbox as a process of its own; the variables are in `../kit/process.ts`. */

import { runSandbox } from "../kit/process.ts";
import { threeDs } from "./dialect.ts";

await runSandbox(threeDs, { apiKey: "three_ds_test_key" });
