import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseSync } from "@swc/core";
import { projectRoot } from "../../../regions/dev/home.ts";
import { type SqlStatement, statementsOf } from "./text.ts";

/** Where the product's SQL is: the migrations, and what its TypeScript sends. */
const FOLDERS = ["subgraphs", "regions", "schema", "cli"];
const SQL_WORDS =
  /^\s*(select|insert into|update|delete from|with|create|alter|drop|lock|listen|notify|prepare transaction|set constraints|truncate)\s/i;

export function migrationStatements(dir = join(projectRoot, "schema/sql")): SqlStatement[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .flatMap((name) => {
      const [up = ""] = readFileSync(join(dir, name), "utf8").split(/^-- migrate:down/m);
      return statementsOf(up, name);
    });
}

export function codeStatements(): SqlStatement[] {
  return FOLDERS.flatMap((folder) => filesUnder(join(projectRoot, folder))).flatMap((file) =>
    statementsInCode(readFileSync(file, "utf8"), relative(projectRoot, file)),
  );
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return ["node_modules", "dist"].includes(entry.name) ? [] : filesUnder(path);
    return /\.(ts|mjs)$/.test(entry.name) && !/\.test\.ts$|\/testing\//.test(path) ? [path] : [];
  });
}

/** Strings and templates that begin as SQL does; what is filled in is `$0`. */
export function statementsInCode(code: string, file: string): SqlStatement[] {
  const found: SqlStatement[] = [];
  visit(parseSync(code, { syntax: "typescript", target: "es2022" }), (text) => {
    if (SQL_WORDS.test(text)) found.push(...statementsOf(text, file));
  });
  return found;
}

type Node = { readonly [key: string]: unknown };

function visit(node: unknown, onText: (text: string) => void): void {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, onText);
  } else if (typeof node === "object" && node !== null) {
    const { type, value, quasis } = node as Node;
    if (type === "StringLiteral" && typeof value === "string") onText(value);
    if (type === "TemplateLiteral")
      onText((quasis as { cooked: string }[]).map(({ cooked }) => cooked).join("$0"));
    for (const child of Object.values(node)) visit(child, onText);
  }
}
