import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";

/** The import rules hold for the project, and each of them notices a planted violation. */
type Violation = { readonly from: string; readonly to: string; readonly rule: { readonly name: string } };
type Report = { readonly summary: { readonly violations: Violation[]; readonly totalCruised: number } };

const config = join(projectRoot, ".dependency-cruiser.json");
const folders = ["edge", "subgraphs", "regions", "schema", "cli"];

function cruise(cwd: string): Report["summary"] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(projectRoot, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"),
      "--config",
      config,
      "--output-type",
      "json",
      ...folders,
    ],
    { cwd, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as Report).summary;
}

describe("the project", () => {
  it("keeps its import rules", () => {
    const { violations, totalCruised } = cruise(projectRoot);
    expect(violations.map(({ from, to, rule }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
    // Without a parser for TypeScript it would see nothing, and find nothing wrong with it.
    expect(totalCruised).toBeGreaterThan(200);
  });
});

const PLANTED: Record<string, [from: string, to: string]> = {
  "edge-imports-no-database": ["edge/auth/planted.ts", "postgres"],
  "edge-imports-the-kernel-only": ["edge/planted.ts", "../subgraphs/ledger/commit.ts"],
  "card-numbers-stay-in-the-vault": ["edge/checkout/planted.ts", "../vault/seal/envelope.ts"],
  "domain-does-no-io": ["subgraphs/payments/domain/planted.ts", "node:fs"],
  "kernel-knows-nobody": ["subgraphs/kernel/planted.ts", "../ledger/commit.ts"],
  "subgraphs-meet-at-their-doors": ["subgraphs/payments/flow/planted.ts", "../../ledger/sql/reads.ts"],
  "the-product-does-not-know-the-sandbox": ["regions/planted.ts", "../test/sandbox/stripe/server.ts"],
  "no-orphans-from-production": ["subgraphs/payments/planted.ts", "fast-check"],
  "no-circles": ["subgraphs/risk/planted.ts", "./planted-too.ts"],
};

describe("each rule notices a planted violation:", () => {
  let root: string;
  let found: Violation[];

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tessera-rules-"));
    const write = (path: string, text: string) => {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    symlinkSync(join(projectRoot, "node_modules"), join(root, "node_modules"));
    write("package.json", readFileSync(join(projectRoot, "package.json"), "utf8"));
    for (const folder of folders) write(`${folder}/index.ts`, "export const here = 1;\n");
    for (const target of [
      "subgraphs/ledger/commit.ts",
      "subgraphs/ledger/sql/reads.ts",
      "edge/vault/seal/envelope.ts",
      "test/sandbox/stripe/server.ts",
    ]) {
      write(target, "export const planted = 1;\n");
    }
    write("subgraphs/risk/planted-too.ts", 'import "./planted.ts";\nexport const planted = 1;\n');
    for (const [from, to] of Object.values(PLANTED)) write(from, `import ${JSON.stringify(to)};\n`);
    // Types alone count as well: a domain that names a database's types is not free of it.
    write(
      "subgraphs/payments/domain/types.ts",
      'import type { Sql } from "postgres";\nexport type Planted = Sql;\n',
    );
    found = cruise(root).violations;
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(Object.entries(PLANTED))("%s", (rule, [from]) => {
    const places = found
      .filter((violation) => violation.rule.name === rule)
      .map((violation) => violation.from);
    // A circle may be told from either end.
    expect(places.map((place) => place.replace("-too", ""))).toContain(from);
  });

  it("also in types", () => {
    const types = found.filter(({ from }) => from === "subgraphs/payments/domain/types.ts");
    expect(types.map(({ rule }) => rule.name)).toContain("domain-does-no-io");
  });
});
