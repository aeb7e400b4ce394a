import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import type { Report } from "./report.ts";

const ROWS = [
  "graph.noop",
  "ledger.post.uniform",
  "ledger.post.naive",
  "payment.db.roundtrips",
  "payment.db.batched",
];

/**
 * The bench itself, as short as it gets: a region, a sandbox and workerd on one Postgres, and all of it gone after. What
 * goes by statements and what goes in batches follow each other in one ledger: either continues the other's chains.
 */
it("measures rows against the baseline and writes its report", { timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-smoke-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "report.json");
  const options = ["--only", ROWS.join(","), "--rounds", "1", "--seconds", "1", "--json", file];
  const { stdout } = await promisify(execFile)(process.execPath, ["test/bench/main.ts", ...options], {
    cwd: projectRoot,
  });
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  const measured = report.rows.filter(({ cpuMs }) => cpuMs !== null);
  expect(measured.map(({ name }) => name).toSorted()).toEqual(["tpcb.c8", ...ROWS].toSorted());
  for (const row of measured) {
    expect(row.value).toBeGreaterThan(0);
    expect(row.cpuMs).toBeGreaterThan(0);
    expect(row.failures).toBe(0);
  }
  for (const name of ROWS) expect(stdout).toContain(name);
  expect(stdout).toContain("ledger.post.uniform.rate_x: posting over many accounts");
});
