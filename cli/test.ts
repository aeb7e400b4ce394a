// `npm test`: the types, the lint rules, then every test. With arguments, which go to vitest, only the types and the
// tests that they name: `npm test -- test/start -t reaper`.
// The last line says how many passed and failed; a type error, a broken rule, and an error outside of any test count
// as failures, too.

import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureChromium } from "./chromium.ts";
import { lint } from "./lint.ts";
import { interruption, passInterruptionsOn, runTool, tool } from "./tool.ts";
import { checkTypes } from "./typecheck.ts";
import { type Count, countTests } from "./vitest-report.ts";

const say = (line: string) => console.error(`test: ${line}`);

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
  const typeErrors = await checkTypes(say);
  const broken = args.length === 0 ? await lint(say) : 0;
  const browser = await findBrowser();
  const tests = await runVitest(args, browser.env);
  const signal = interruption();
  if (signal !== null) {
    say(`interrupted (${signal}).`);
    return 128 + constants.signals[signal];
  }
  if (typeErrors > 0) say("the types do not hold: see the top of this output.");
  if (broken > 0) say("some lint rules are broken: see the top of this output, or npm run lint.");
  if (tests.loose > 0) say("something failed outside of any test: see vitest's own words above.");
  const failed = tests.failed + tests.loose + typeErrors + broken + browser.failed;
  console.log(`${tests.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
