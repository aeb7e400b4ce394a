import { readFileSync, writeFileSync } from "node:fs";
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

export function subgraphSchema(name: SubgraphName): DocumentNode {
  return parse(readFileSync(new URL(`subgraphs/${name}/schema.graphql`, root), "utf8"));
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
