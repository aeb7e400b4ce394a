import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { type DocumentNode, parse } from "graphql";

/**
 * Composes the subgraphs' schemas into the supergraph, offline. `schema/supergraph.graphql` is committed; a test
 * composes again and fails if it differs. Run `npm run compose` after changing a subgraph's schema.
 */
export const SUBGRAPHS = ["payments", "ledger", "risk", "settlement", "merchants"] as const;
export type SubgraphName = (typeof SUBGRAPHS)[number];

const root = new URL("..", import.meta.url);
export const SUPERGRAPH = new URL("schema/supergraph.graphql", root);

/** A subgraph's SDL: `schema.graphql`, and `schema.<part>.graphql` beside it where it would be too long for one file. */
export function subgraphSchema(name: SubgraphName): DocumentNode {
  const folder = new URL(`subgraphs/${name}/`, root);
  const files = readdirSync(folder)
    .filter((file) => /^schema(\.[a-z-]+)?\.graphql$/.test(file))
    .sort();
  return parse(files.map((file) => readFileSync(new URL(file, folder), "utf8")).join("\n"));
}

/** The supergraph's SDL. Throws with every composition error, in words. */
export function compose(): string {
  const result = composeServices(
    SUBGRAPHS.map((name) => ({
      name,
      typeDefs: subgraphSchema(name),
      url: `http://${name}.subgraph/graphql`,
    })),
  );
  if (result.errors !== undefined) {
    throw new Error(
      `the subgraphs do not compose:\n${result.errors.map(({ message }) => `  ${message}`).join("\n")}`,
    );
  }
  return `${result.supergraphSdl.trim()}\n`;
}

if (import.meta.main) {
  writeFileSync(SUPERGRAPH, compose());
  console.log("Wrote schema/supergraph.graphql. Commit it together with the subgraph's schema.");
}
