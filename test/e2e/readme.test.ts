import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import { type Platform, startPlatform } from "../support/platform.ts";

const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "docs/audit.md",
  "docs/benchmarks.md",
  "docs/chart-of-accounts.md",
  "docs/scaling.md",
  "docs/providers.md",
  "docs/routing.md",
  "docs/expressions.md",
  "docs/acquirer-api.md",
  "edge/README.md",
  "test/sandbox/kit/README.md",
  "test/sandbox/stripe/README.md",
  "test/sandbox/adyen/README.md",
  "test/sandbox/mollie/README.md",
  "test/sandbox/acquirer/README.md",
  "test/sandbox/three-ds/README.md",
];

describe("the README's commands", () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform?.stop());

  it("take a first payment and show what it did to the books", async () => {
    const blocks = [...readme.matchAll(/```sh run\n([\s\S]*?)```/g)].map((match) => match[1]);
    expect(blocks).toHaveLength(2);
    const script = blocks.join("\necho\n").replaceAll("./.tessera/", `${platform.home}/`);
    const { stdout } = await promisify(execFile)("bash", ["-euc", script], {
      cwd: projectRoot,
      env: { ...process.env, TESSERA_DATA_DIR: platform.home },
    });
    const [paid, story] = stdout
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { data: any });
    const example = /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const { id, ...rest } = paid!.data.authorizePayment;
    expect(id).toMatch(/^pay_/);
    expect({ ...rest, id: "pay_…" }).toEqual(JSON.parse(example).data.authorizePayment);
    expect(story?.data.payments.nodes[0]).toMatchObject({
      state: "CAPTURED",
      risk: { decision: "ALLOW" },
      journals: [{ cause: "SALE" }],
    });
  });
});

describe("the documents", () => {
  it("name npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
      scripts: object;
    };
    const named = DOCUMENTS.flatMap((file) => [
      ...readFileSync(join(projectRoot, file), "utf8").matchAll(/npm (?:run )?(?:-s )?([a-z]+(?::[a-z]+)?)/g),
    ]).map((match) => match[1] as string);
    const unknown = named.filter((name) => !(name in scripts) && !["ci", "install"].includes(name));
    expect([...new Set(unknown)]).toEqual([]);
  });

  it.each(DOCUMENTS)("%s names files that exist", (file) => {
    const text = readFileSync(join(projectRoot, file), "utf8");
    const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] as string);
    const missing = links.filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(projectRoot, dirname(file), link)),
    );
    expect(missing).toEqual([]);
  });

  it("ARCHITECTURE.md's walk names code that exists", () => {
    const text = readFileSync(join(projectRoot, "ARCHITECTURE.md"), "utf8");
    const paths = [
      ...text.matchAll(
        /`((?:edge|payments|ledger|risk|settlement|merchants|regions|schema|subgraphs|flow|test)\/[\w./-]*\w\/?)`/g,
      ),
    ].map((match) => match[1] as string);
    expect(paths.length).toBeGreaterThan(25);
    const missing = paths.filter(
      (path) =>
        !["", "subgraphs/", "subgraphs/payments/"].some((prefix) =>
          existsSync(join(projectRoot, prefix + path)),
        ),
    );
    expect(missing).toEqual([]);
  });
});
