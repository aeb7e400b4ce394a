// `npm run typecheck`: every TypeScript project of the tree, each for the runtime that its code runs in.

import { passInterruptionsOn, runTool, tool } from "./tool.ts";

const PROJECTS = [
  { config: ".", what: "what runs in Node" },
  { config: "edge", what: "the workers" },
  { config: "edge/tsconfig.node.json", what: "the edge's tests and build" },
  { config: "edge/tsconfig.browser.json", what: "what runs in browsers" },
  { config: "edge/explorer", what: "the explorer" },
] as const;

/** Checks all projects, so that one run shows every error; gives how many have some. */
export async function checkTypes(say: (line: string) => void): Promise<number> {
  let failed = 0;
  for (const { config, what } of PROJECTS) {
    say(`checking the types of ${what}`);
    if ((await runTool([tool("typescript", "bin", "tsc"), "-p", config])) !== 0) failed++;
  }
  return failed;
}

if (import.meta.main) {
  passInterruptionsOn();
  process.exitCode = (await checkTypes((line) => console.error(`typecheck: ${line}`))) === 0 ? 0 : 1;
}
