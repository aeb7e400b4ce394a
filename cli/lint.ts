// `npm run lint`: what a reviewer should not have to look for. Changes nothing; `npm run format` repairs the first.

import { passInterruptionsOn, runTool, tool } from "./tool.ts";

const CHECKS = [
  { what: "format and order of imports", argv: [tool("@biomejs", "biome", "bin", "biome"), "check"] },
  {
    what: "rules, with types",
    argv: [tool("oxlint", "bin", "oxlint"), "--type-aware", "--deny-warnings"],
  },
] as const;

passInterruptionsOn();
for (const { what, argv } of CHECKS) {
  console.error(`lint: ${what}`);
  const code = await runTool(argv);
  // The other checks still run: one round of repairs instead of several.
  if (code !== 0) process.exitCode = code;
}
