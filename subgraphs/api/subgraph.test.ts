import { parse } from "graphql";
import { describe, expect, it } from "vitest";
import { newId } from "../kernel/ids.ts";
import { publicEntry, type RequestContext, secretEntry, secretReference } from "./context.ts";
import { scalars } from "./scalars.ts";
import { createSubgraph, type ResolverMap } from "./subgraph.ts";

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  scalar MinorUnits
  type Query { open: Int closed: Int echo(amount: MinorUnits!): MinorUnits }
  type Thing @key(fields: "id") { id: ID! }
  type Other @key(fields: "id", resolvable: false) { id: ID! }
`);
const resolvers: ResolverMap = {
  ...scalars,
  Query: {
    open: publicEntry(() => 1),
    closed: secretEntry(() => 2),
    echo: publicEntry((_, { amount }) => amount),
  },
  Thing: { __resolveReference: secretReference(({ id }) => ({ id })) },
};
const as = (scope: "secret" | "publishable"): RequestContext => ({
  identity: {
    merchant: newId("mer", { region: 1, shard: 1 }, new Date()),
    scope,
    requestId: "r",
    ip: null,
    country: null,
  },
});
const subgraph = createSubgraph("test", typeDefs, resolvers);
const codes = (result: { errors?: readonly { extensions: object }[] }) =>
  result.errors?.map(({ extensions }) => (extensions as { code?: string }).code);

describe("access", () => {
  it("is by the key's scope, at every entry", async () => {
    const entities =
      '{ _entities(representations: [{ __typename: "Thing", id: "1" }]) { ... on Thing { id } } }';
    expect((await subgraph.run({ query: "{ open }" }, as("publishable"))).data).toEqual({ open: 1 });
    expect(codes(await subgraph.run({ query: "{ closed }" }, as("publishable")))).toEqual(["FORBIDDEN"]);
    expect(codes(await subgraph.run({ query: entities }, as("publishable")))).toEqual(["FORBIDDEN"]);
    expect((await subgraph.run({ query: "{ closed }" }, as("secret"))).data).toEqual({ closed: 2 });
    expect((await subgraph.run({ query: entities }, as("secret"))).data).toEqual({
      _entities: [{ id: "1" }],
    });
  });

  it("cannot be forgotten: an entry without a word about it does not start", () => {
    const untagged = {
      ...resolvers,
      Query: { open: () => 1, closed: secretEntry(() => 2), echo: publicEntry(() => 1) },
    };
    expect(() => createSubgraph("test", typeDefs, untagged)).toThrow(/Query\.open/);
    expect(() => createSubgraph("test", typeDefs, { ...resolvers, Thing: {} })).toThrow(
      /Thing\.__resolveReference/,
    );
    expect(() => createSubgraph("test", typeDefs, { ...resolvers, Query: {} })).toThrow(/closed/);
  });
});

describe("amounts", () => {
  const echo = (variables: object) =>
    subgraph.run(
      {
        query: "query ($a: MinorUnits!) { echo(amount: $a) }",
        variables: variables as Record<string, unknown>,
      },
      as("secret"),
    );

  it("are whole numbers in and out", async () => {
    expect((await echo({ a: 2 ** 53 - 1 })).data).toEqual({ echo: 9_007_199_254_740_991 });
    expect((await subgraph.run({ query: "{ echo(amount: 9007199254740991) }" }, as("secret"))).data).toEqual({
      echo: 9_007_199_254_740_991,
    });
  });

  it.each([1.5, "1", true, {}])("are not %j", async (value) => {
    expect((await echo({ a: value })).errors?.[0]?.message).toContain("whole number");
  });

  it("beyond what JSON carries are never sent rounded", async () => {
    const result = await subgraph.run({ query: "{ echo(amount: 9007199254740993) }" }, as("secret"));
    expect(result.errors?.[0]?.message).toContain("beyond");
  });
});

it("documents are parsed once and bounded", async () => {
  const long = `{ ${"a: open ".repeat(20_000)} }`;
  await expect(subgraph.run({ query: long }, as("secret"))).rejects.toThrow(/token/i);
  expect((await subgraph.run({ query: "{ nothing }" }, as("secret"))).errors?.[0]?.message).toContain(
    "nothing",
  );
});
