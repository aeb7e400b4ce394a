import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { expect, it } from "vitest";
import { CREATE } from "../../test/sandbox/shop/tessera.ts";
import { CONFIRM, QUERY } from "./api.ts";

/** What the checkout and the demonstration shop send, against the committed schema: a change there shows up here. */
const supergraph = readFileSync(new URL("../../schema/supergraph.graphql", import.meta.url), "utf8");
const schema = buildSchema(supergraph, { assumeValidSDL: true });

it.each([
  ["the checkout's query", QUERY],
  ["the checkout's confirmation", CONFIRM],
  ["the shop's session", CREATE],
])("%s is valid", (_name, operation) => {
  expect(validate(schema, parse(operation)).map(({ message }) => message)).toEqual([]);
});

it("would show a field that is gone", () => {
  expect(validate(schema, parse(QUERY.replace("merchantName", "merchantNam")))).toHaveLength(1);
});
