import { readFileSync } from "node:fs";
import { buildSubgraphSchema } from "@apollo/subgraph";
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isUnionType,
  Kind,
} from "graphql";
import { describe, expect, it } from "vitest";

import { compose, SUBGRAPHS, SUPERGRAPH, subgraphSchema } from "../../schema/compose.ts";

/** The schema is a product: committed as it composes, described to the last field, pleasant to query. */
it("the committed supergraph is what the subgraphs compose to", () => {
  expect(compose() === readFileSync(SUPERGRAPH, "utf8"), "run `npm run compose` and commit the result").toBe(
    true,
  );
});

/** Its key is the session and the attempt; and removing twice is removing. */
const KEYLESS: ReadonlySet<string> = new Set(["confirmCheckoutSession", "removePaymentMethod"]);

describe.each(SUBGRAPHS)("the subgraph %s", (name) => {
  const schema = buildSubgraphSchema([{ typeDefs: subgraphSchema(name), resolvers: {} }]);
  const defined = new Set(
    subgraphSchema(name).definitions.flatMap((d) => ("name" in d && d.name ? [d.name.value] : [])),
  );
  const types = Object.values(schema.getTypeMap()).filter((type) => defined.has(type.name));

  it("describes every type, field, argument and value", () => {
    const silent: string[] = [];
    for (const type of types) {
      if (!type.description) silent.push(type.name);
      for (const [owner, items] of partsOf(type)) {
        for (const { name: item, description } of items) {
          // Federation's own machinery is not for clients.
          if (!description && !/_entities|_service/.test(`${owner}.${item}`)) silent.push(`${owner}.${item}`);
        }
      }
    }
    expect(silent).toEqual([]);
  });

  it("lets a client select the same field on every member of a union", () => {
    const conflicts: string[] = [];
    for (const union of types.filter(isUnionType)) {
      const seen = new Map<string, string>();
      for (const member of union.getTypes()) {
        for (const field of Object.values(member.getFields())) {
          const before = seen.get(field.name);
          if (before !== undefined && before !== String(field.type))
            conflicts.push(`${union.name}: ${member.name}.${field.name}`);
          seen.set(field.name, String(field.type));
        }
      }
    }
    expect(conflicts).toEqual([]);
  });

  it("requires an idempotency key for every mutation that moves money", () => {
    const mutation = subgraphSchema(name).definitions.find(
      (d) => d.kind === Kind.OBJECT_TYPE_DEFINITION && d.name.value === "Mutation",
    );
    if (mutation?.kind !== Kind.OBJECT_TYPE_DEFINITION) return;
    for (const field of mutation.fields ?? []) {
      if (KEYLESS.has(field.name.value)) continue;
      const input = schema.getType(
        `${field.name.value.charAt(0).toUpperCase()}${field.name.value.slice(1)}Input`,
      );
      const key = isInputObjectType(input) ? input.getFields()["idempotencyKey"] : undefined;
      expect(String(key?.type), field.name.value).toBe("String!");
    }
  });
});

function partsOf(
  type: GraphQLNamedType,
): [string, { name: string; description?: string | null | undefined }[]][] {
  if (isEnumType(type)) return [[type.name, [...type.getValues()]]];
  if (isInputObjectType(type)) return [[type.name, Object.values(type.getFields())]];
  if (isObjectType(type) || isInterfaceType(type)) {
    const fields = Object.values(type.getFields());
    return [
      [type.name, fields],
      ...(fields.map((field): [string, typeof field.args] => [
        `${type.name}.${field.name}`,
        field.args,
      ]) as never),
    ];
  }
  if (isScalarType(type) || isUnionType(type)) return [];
  return [];
}
