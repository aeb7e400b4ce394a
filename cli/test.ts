// `npm test`: the types, then every test. Arguments go to vitest: `npm test -- test/start -t reaper`.
// The last line says how many passed and failed; a type error, and an error outside of any test, counts as one.

import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureChromium } from "./chromium.ts";
import { interruption, passInterruptionsOn, runTool, tool } from "./tool.ts";
import { type Count, countTests } from "./vitest-report.ts";

const say = (line: string) => console.error(`test: ${line}`);

/** @returns how many failures it counts as: 0 or 1 */
async function checkTypes(): Promise<number> {
  say("checking the types");
  return (await runTool([tool("typescript", "bin", "tsc"), "-p", "."])) === 0 ? 0 : 1;
}

/** Browser tests without a browser are skipped on a person's machine, and are a failure in CI. */
async function findBrowser(): Promise<{ readonly env: NodeJS.ProcessEnv; readonly failed: number }> {
  const { path, why } = await ensureChromium(say);
  if (path !== null) return { env: { CHROMIUM_PATH: path }, failed: 0 };
  say(`${why}. The browser tests are skipped.`);
  return { env: {}, failed: process.env["CI"] === "true" ? 1 : 0 };
}

async function runVitest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), "tessera-test-"));
  const report = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await runTool([tool("vitest", "vitest.mjs"), "run", ...reporters, ...args], env);
    return countTests(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(args: readonly string[]): Promise<number> {
  passInterruptionsOn();
  const typeErrors = await checkTypes();
  const browser = await findBrowser();
  const tests = await runVitest(args, browser.env);
  const signal = interruption();
  if (signal !== null) {
    say(`interrupted (${signal}).`);
    return 128 + constants.signals[signal];
  }
  if (typeErrors > 0) say("the types do not hold: see the top of this output.");
  if (tests.loose > 0) say("something failed outside of any test: see vitest's own words above.");
  const failed = tests.failed + tests.loose + typeErrors + browser.failed;
  console.log(`${tests.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
