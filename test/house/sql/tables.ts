import type { SqlStatement } from "./text.ts";

/** A table as the statements leave it. */
export type Table = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primaryKey: readonly string[];
  /** B-trees besides the primary key's: by the index's name, or "unique (…)" where a constraint made it. */
  readonly secondary: readonly string[];
  /** Columns that a sequence fills. */
  readonly numbered: readonly string[];
};

/** The tables that are there once all statements have run, in their order. Temporary ones are nobody's. */
export function tablesAfter(statements: readonly SqlStatement[]): Map<string, Table> {
  const tables = new Map<string, Table>();
  for (const { text } of statements) {
    const created = /^create (?:unlogged )?table (?:if not exists )?([\w.]+) \((.*)\)/.exec(text);
    if (created !== null) {
      const [, name = "", body = ""] = created;
      tables.set(name, tableOf(name, itemsOf(body)));
      continue;
    }
    const renamed = /^alter table ([\w.]+) rename to (\w+)$/.exec(text);
    if (renamed !== null) {
      const [, from = "", to = ""] = renamed;
      const table = tables.get(from);
      tables.delete(from);
      const name = from.includes(".") ? `${from.split(".")[0]}.${to}` : to;
      if (table !== undefined) tables.set(name, { ...table, name });
      continue;
    }
    const dropped = /^drop table (?:if exists )?(.*?)(?: cascade)?$/.exec(text);
    if (dropped !== null) for (const name of (dropped[1] ?? "").split(/, */)) tables.delete(name.trim());
    addIndex(tables, text);
  }
  return tables;
}

function tableOf(name: string, items: readonly string[]): Table {
  const columns: string[] = [];
  const primaryKey: string[] = [];
  const secondary: string[] = [];
  const numbered: string[] = [];
  for (const item of items) {
    const key = /^(?:constraint \w+ )?(primary key|unique) ?\(([^)]*)\)/.exec(item);
    if (key !== null) {
      const names = (key[2] ?? "").split(/, */);
      if (key[1] === "unique") secondary.push(`unique (${names.join(", ")})`);
      else primaryKey.push(...names);
    } else if (!/^(constraint|check|foreign key|exclude|like) ?/.test(item)) {
      const column = item.split(" ")[0] ?? "";
      columns.push(column);
      if (/ primary key/.test(item)) primaryKey.push(column);
      if (/ unique/.test(item)) secondary.push(`unique (${column})`);
      if (/\bas identity\b|\b(small|big)?serial\b/.test(item)) numbered.push(column);
    }
  }
  return { name, columns, primaryKey, secondary, numbered };
}

/** What is between commas that are in no parentheses. */
function itemsOf(body: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let item = "";
  for (const sign of body) {
    if (sign === "(") depth++;
    if (sign === ")") depth--;
    if (depth < 0) break; // storage parameters follow
    if (sign === "," && depth === 0) {
      items.push(item.trim());
      item = "";
    } else item += sign;
  }
  items.push(item.trim());
  return items;
}

function addIndex(tables: Map<string, Table>, text: string): void {
  const [, dropped] = /^drop index (?:if exists )?(?:[\w]+\.)?(\w+)/.exec(text) ?? [];
  for (const table of tables.values())
    if (dropped !== undefined && table.secondary.includes(dropped))
      tables.set(table.name, {
        ...table,
        secondary: table.secondary.filter((index) => index !== dropped),
      });
  const index =
    /^create (?:unique )?index (?:concurrently )?(?:if not exists )?(\w+) on ([\w.]+)(?: using (\w+))?/.exec(
      text,
    );
  const added = /^alter table ([\w.]+) add (?:constraint \w+ )?unique ?\(([^)]*)\)/.exec(text);
  const [name, table] =
    index === null ? [added === null ? null : `unique (${added[2]})`, added?.[1]] : [index[1], index[2]];
  const found = tables.get(table ?? "");
  if (found === undefined || !name || (index?.[3] ?? "btree") !== "btree") return;
  tables.set(found.name, { ...found, secondary: [...found.secondary, name] });
}
