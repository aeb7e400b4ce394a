// `npm run lint`: what a reviewer should not have to look for. Changes nothing; `npm run format` repairs the first.

import { passInterruptionsOn, runTool, tool } from "./tool.ts";

const CHECKS = [
  { what: "format and order of imports", argv: [tool("@biomejs", "biome", "bin", "biome"), "check"] },
  {
    what: "rules, with types",
    argv: [tool("oxlint", "bin", "oxlint"), "--type-aware", "--deny-warnings"],
  },
  {
    what: "who may import whom",
    argv: [
      tool("dependency-cruiser", "bin", "dependency-cruiser.mjs"),
      "edge",
      "subgraphs",
      "regions",
      "schema",
      "cli",
    ],
  },
] as const;

/** Runs all checks, so that one round of repairs is enough; gives how many found something. */
export async function lint(say: (line: string) => void): Promise<number> {
  let failed = 0;
  for (const { what, argv } of CHECKS) {
    say(`checking ${what}`);
    if ((await runTool(argv)) !== 0) failed++;
  }
  return failed;
}

if (import.meta.main) {
  passInterruptionsOn();
  process.exitCode = (await lint((line) => console.error(`lint: ${line}`))) === 0 ? 0 : 1;
}
