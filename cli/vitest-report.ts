import { readFileSync } from "node:fs";

/** What a run of vitest came to. `loose` are failures outside of any test: a file that does not load, a leak. */
export type Count = { readonly passed: number; readonly failed: number; readonly loose: number };

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
};

/**
 * Counts the report that vitest's JSON reporter has written.
 *
 * @param exitCode vitest's own: not 0 although nothing is counted as failed means one failure that the report does
 *   not know of (an unhandled error, no test found, a crash that left no report)
 */
export function countTests(reportFile: string, exitCode: number): Count {
  const report = readReport(reportFile);
  const failed = report?.numFailedTests ?? 0;
  const files = report?.testResults ?? [];
  const unloaded = files.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  ).length;
  const unknown = exitCode !== 0 && failed + unloaded === 0 ? 1 : 0;
  return { passed: report?.numPassedTests ?? 0, failed, loose: unloaded + unknown };
}

function readReport(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return null;
  }
}
