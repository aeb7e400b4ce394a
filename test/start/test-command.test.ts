import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findChromium } from "../../cli/chromium.ts";
import { countTests } from "../../cli/vitest-report.ts";
import { temporaryFolder } from "./temporary.ts";

type File = readonly [status: string, ...tests: readonly string[]];

function count(exitCode: number, files: readonly File[]): ReturnType<typeof countTests> {
  const all = files.flatMap(([, ...tests]) => tests);
  const report = {
    numPassedTests: all.filter((status) => status === "passed").length,
    numFailedTests: all.filter((status) => status === "failed").length,
    testResults: files.map(([status, ...tests]) => ({
      status,
      assertionResults: tests.map((one) => ({ status: one })),
    })),
  };
  const file = join(temporaryFolder(), "report.json");
  writeFileSync(file, JSON.stringify(report));
  return countTests(file, exitCode);
}

test("what `npm test` counts", () => {
  expect(count(0, [["passed", "passed", "passed", "skipped"]])).toEqual({ passed: 2, failed: 0, loose: 0 });
  expect(count(1, [["failed", "passed", "failed"]])).toEqual({ passed: 1, failed: 1, loose: 0 });
  expect(count(1, [["failed"], ["passed", "passed"]])).toEqual({ passed: 1, failed: 0, loose: 1 });
  expect(count(1, [["passed", "passed"]])).toEqual({ passed: 1, failed: 0, loose: 1 });
  expect(count(1, [])).toEqual({ passed: 0, failed: 0, loose: 1 });
  expect(countTests("/nowhere/report.json", 1)).toEqual({ passed: 0, failed: 0, loose: 1 });
});

test("a CHROMIUM_PATH that is wrong is said to be, not replaced by another browser", () => {
  expect(findChromium({ CHROMIUM_PATH: "/bin/sh" })).toEqual({ path: "/bin/sh" });
  expect(findChromium({ CHROMIUM_PATH: "/nowhere" })).toMatchObject({
    path: null,
    why: expect.stringContaining("/nowhere"),
  });
});
