import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { projectRoot } from "../../regions/dev/home.ts";
import { migrationStatements } from "./sql/sources.ts";
import { tablesAfter } from "./sql/tables.ts";

/** The script that distributes the schema knows every table. Nobody has run it: there is no Citus here. */
const script = readFileSync(join(projectRoot, "schema/citus.sql"), "utf8");
const tables = tablesAfter(migrationStatements());
const LOCAL = ["ledger.summarized"];

const distributed = [
  ...script.matchAll(
    /^select create_distributed_table\('([\w.]+)', '(\w+)', colocate_with => '([\w.]+)'\);$/gm,
  ),
].map(([, table = "", column = "", beside = ""]) => ({ table, column, beside }));
const reference = [...script.matchAll(/^select create_reference_table\('([\w.]+)'\);$/gm)].map(
  ([, table]) => table,
);

it("distributes or copies every table, each once, but for those of a node", () => {
  const named = [...distributed.map(({ table }) => table), ...reference, ...LOCAL];
  expect(named.toSorted()).toEqual([...tables.keys()].toSorted());
});

it("distributes by shard, all beside the first", () => {
  const [first, ...others] = distributed;
  expect(first).toMatchObject({ table: "merchants.merchant", column: "shard", beside: "none" });
  for (const { column, beside } of others) expect([column, beside]).toEqual(["shard", "merchants.merchant"]);
});

it("copies only what has no shard", () => {
  for (const table of reference) expect(tables.get(table ?? "")?.columns).not.toContain("shard");
});

it("distributes what is referred to first", () => {
  const order = distributed.map(({ table }) => table);
  const references = migrationStatements().flatMap(({ text }) => {
    const [, table = ""] = /^create table ([\w.]+)/.exec(text) ?? [];
    return [...text.matchAll(/references ([\w.]+)/g)].map(([, target = ""]) => [table, target] as const);
  });
  const standing = references.filter(([table]) => order.includes(table));
  expect(standing.length).toBeGreaterThan(0);
  for (const [table, target] of standing) expect(order.indexOf(target)).toBeLessThan(order.indexOf(table));
});
