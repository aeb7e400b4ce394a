import { getIntrospectionQuery, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { depthOf } from "./query-limits.ts";

describe("a query's depth", () => {
  it.each([
    ["{ a }", 1],
    ["{ a { b { c } } d }", 3],
    ["{ ... { a { ... on T { b } } } }", 2],
    ["{ a { ...F } } fragment F on T { b { ...G } } fragment G on T { c }", 3],
    ["{ ...F ...F } fragment F on T { a }", 1],
    ["query A { a } query B { a { b } }", 2],
    ["fragment F on T { a { b } }", 0],
  ])("of %s is %d", (query, depth) => {
    expect(depthOf(parse(query))).toBe(depth);
  });

  it("is measured at once however often fragments spread each other", () => {
    const fragments = Array.from(
      { length: 40 },
      (_, i) => `fragment F${i} on T { a { ...F${i + 1} ...F${i + 1} } }`,
    );
    expect(depthOf(parse(`{ ...F0 } ${fragments.join(" ")} fragment F40 on T { a }`))).toBe(41);
  });

  it("is endless for nobody", () => {
    expect(depthOf(parse("{ ...F } fragment F on T { a { ...F } }"))).toBeLessThan(10);
  });

  it("leaves room for the explorer's introspection", () => {
    expect(depthOf(parse(getIntrospectionQuery()))).toBeLessThanOrEqual(15);
  });
});
