import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as federation from "@apollo/federation-internals";
import { buildSchema, getVariableValues, type OperationDefinitionNode, parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { EXAMPLE_FILES, EXAMPLES } from "./examples.ts";
import { fillIn } from "./placeholders.ts";

/** What clients see of the committed supergraph: federation's own parts taken out, by federation's own code. */
function apiSchema() {
  // Resolved from the package whose dependency it is.
  const fromComposition = createRequire(createRequire(import.meta.url).resolve("@apollo/composition"));
  const { Supergraph, printSchema } = fromComposition("@apollo/federation-internals") as typeof federation;
  const sdl = readFileSync(new URL("../../schema/supergraph.graphql", import.meta.url), "utf8");
  return buildSchema(printSchema(Supergraph.build(sdl).apiSchema()));
}

const schema = apiSchema();

describe.each(EXAMPLES)("the example $name", ({ name, operation, kind, query, variables }) => {
  const document = parse(query);
  const [definition] = document.definitions as OperationDefinitionNode[];

  it("is one operation of the API, by the name that its tab gets", () => {
    expect(validate(schema, document).map(({ message }) => message)).toEqual([]);
    expect(document.definitions).toHaveLength(1);
    expect(definition?.name?.value).toBe(operation);
    expect(definition?.operation).toBe(kind);
  });

  it("has variables that fit it", async () => {
    const given = variables === "" ? {} : (JSON.parse(variables) as Record<string, unknown>);
    const { variables: filled } = await fillIn(given, async (placeholder) => `a ${placeholder}`);
    const { errors } = getVariableValues(
      schema,
      definition?.variableDefinitions ?? [],
      filled as Record<string, unknown>,
    );
    expect(errors?.map(({ message }) => message) ?? []).toEqual([]);
    const declared = definition?.variableDefinitions?.map(({ variable }) => variable.name.value) ?? [];
    expect(Object.keys(given).sort()).toEqual([...declared].sort());
  });

  it("can be run again: a mutation's idempotency key is made anew", () => {
    if (kind !== "mutation") return;
    expect(JSON.parse(variables)).toMatchObject({ input: { idempotencyKey: "{{newKey}}" } });
  });

  it("shows every way in which a mutation can end", () => {
    if (kind !== "mutation") return;
    // UserError is an interface: its members need no fragment of their own.
    const field = /^ {2}(\w+)\(/m.exec(query)?.[1] ?? "";
    const type = schema.getMutationType()?.getFields()[field]?.type.toString().replace("!", "") ?? "";
    const members = schema.getPossibleTypes(schema.getType(type) as never).map(({ name: one }) => one);
    const userErrors = schema
      .getPossibleTypes(schema.getType("UserError") as never)
      .map(({ name: one }) => one);
    const unseen = members.filter((one) => !userErrors.includes(one) && !query.includes(`... on ${one} {`));
    expect(unseen, name).toEqual([]);
  });
});

it("lists every file that is there", () => {
  const listed = EXAMPLES.flatMap(({ name, variables }) => [
    `./examples/${name}.graphql`,
    ...(variables === "" ? [] : [`./examples/${name}.json`]),
  ]);
  expect([...EXAMPLE_FILES].sort()).toEqual(listed.sort());
});
