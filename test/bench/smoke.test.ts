import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import type { Report } from "./report.ts";

/** The bench itself, as short as it gets: a region, a sandbox and workerd on one Postgres, and all of it gone after. */
it("measures a row against the baseline and writes its report", { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-smoke-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "report.json");
  const options = ["--only", "graph.noop", "--rounds", "1", "--seconds", "1", "--json", file];
  const { stdout } = await promisify(execFile)(process.execPath, ["test/bench/main.ts", ...options], {
    cwd: projectRoot,
  });
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  expect(report.rows.map(({ name }) => name)).toEqual(["tpcb.c8", "graph.noop"]);
  for (const row of report.rows) {
    expect(row.value).toBeGreaterThan(0);
    expect(row.cpuMs).toBeGreaterThan(0);
    expect(row.failures).toBe(0);
  }
  expect(stdout).toContain("graph.noop");
});
