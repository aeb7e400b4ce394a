import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalPairs, decodeForm, encodeForm } from "./form.ts";

const tree = (text: string): unknown => JSON.parse(JSON.stringify(decodeForm(text).fields));

describe("decoding", () => {
  test.each([
    ["", {}],
    ["a=1&b=two", { a: "1", b: "two" }],
    ["a[b][c]=1&a[b][d]=2", { a: { b: { c: "1", d: "2" } } }],
    ["a[]=1&a[]=2", { a: ["1", "2"] }],
    ["a[0]=x&a[1]=y", { a: { 0: "x", 1: "y" } }],
    ["a%5Bb%5D=x%20y+z", { a: { b: "x y z" } }],
    ["a=1&a=2", { a: "2" }],
    ["a", { a: "" }],
    ["a=b=c", { a: "b=c" }],
    ["a[b=1", { "a[b": "1" }],
    ["[x]=1", { "[x]": "1" }],
  ])("%s", (text, expected) => {
    expect(tree(text)).toEqual(expected);
  });

  test("never touches a prototype", () => {
    decodeForm("__proto__[polluted]=yes&constructor[prototype][polluted]=yes");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("never fails but with a refusal", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "[", "]", "=", "&", "%", "4", "+") }), (text) => {
        try {
          decodeForm(text);
        } catch (problem) {
          expect((problem as Error).name).toBe("Refusal");
        }
      }),
    );
  });
});

test("what was encoded decodes to the same", () => {
  const word = fc.stringMatching(/^[a-z_]{1,8}$/).filter((name) => name !== "__proto__");
  const value = fc.string({ minLength: 1 });
  const nested = fc.dictionary(word, fc.oneof(value, fc.dictionary(word, value, { minKeys: 1 })), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(nested, (fields) => {
      expect(tree(encodeForm(fields))).toEqual(fields);
    }),
  );
});

test("the canonical order ignores the order of names and keeps that of list items", () => {
  const of = (text: string): string => canonicalPairs(decodeForm(text).pairs);
  expect(of("b=2&a=1")).toBe(of("a=1&b=2"));
  expect(of("a[]=1&a[]=2")).not.toBe(of("a[]=2&a[]=1"));
  expect(of("a=1%26b=2")).not.toBe(of("a=1&b=2"));
});
