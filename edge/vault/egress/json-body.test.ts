import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonBody } from "./json-body.ts";

/** Path and text of every value. */
const read = (text: string) => jsonBody(text)?.fields.map(({ name, value }) => [name, value]);

describe("a JSON body's fields", () => {
  it("are its values by path, numbers and literals as they stand", () => {
    expect(
      read('{"a":{"b":"x","c-d":1.50},"e":[true,{"f":null},[-0]],"g":{},"h":[], "i" : "\\u007b\\n"}'),
    ).toEqual([
      ["a.b", "x"],
      ["a.c-d", "1.50"],
      ["e[0]", "true"],
      ["e[1].f", "null"],
      ["e[2][0]", "-0"],
      ["i", "{\n"],
    ]);
  });

  it("never have the path of another place", () => {
    for (const text of [
      '{"card.number":"x"}',
      '{"card":[{"number":"x"}]}',
      '{"card":{"number":["x"]}}',
      '{"card":{"number":{"":"x"}}}',
      '{"card":{"numb\\u0435r":"x"}}',
      '{"card":{" number":"x"}}',
      '{"":{"card":{"number":"x"}}}',
      '{"card[number]":"x"}',
    ])
      expect(read(text)?.map(([name]) => name)).not.toContain("card.number");
    expect(read('{"c\\u0061rd":{"number":"x"}}')).toEqual([["card.number", "x"]]);
  });

  it("have different paths if they are different fields", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (inner) => {
        const paths = read(`{"x":${inner}}`)?.map(([name]) => name);
        expect(new Set(paths).size).toBe(paths?.length);
      }),
    );
  });

  it("name every name, also of what is empty", () => {
    expect(jsonBody('{"a":{},"b.c":[],"d":[{"e":{"\\n":[]}}]}')?.names).toEqual(["a", "b.c", "d", "e", "\n"]);
  });
});

describe("a JSON body is refused", () => {
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  it.each([
    ["that is not JSON", "{a:1}"],
    ["that is cut off", '{"a":'],
    ["that goes on", '{"a":1} {}'],
    ["with a comment", '{"a":1/*x*/}'],
    ["with a comma too many", '{"a":1,}'],
    ["that is empty", ""],
    ["that is a list", '["a"]'],
    ["that is a text", '"{{card.number}}"'],
    ["that is null", "null"],
    ["with a name twice", '{"a":1,"b":{"c":1,"c":2}}'],
    ["with a name twice, once escaped", '{"a":1,"\\u0061":2}'],
    ["with a prototype", '{"a":{"__proto__":{"b":1}}}'],
    ["with an escaped prototype", '{"\\u005f_proto__":{}}'],
    ["with a constructor", '{"constructor":{"prototype":1}}'],
    ["nested deeper than 16", nested(17)],
    ["of lists nested deeper than 16", `{"a":${"[".repeat(16)}${"]".repeat(16)}}`],
    ["nested without end", `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`],
    ["with more than 1,000 values", `{"a":[${Array(1_001).fill(0).join(",")}]}`],
    ["with more than 1,000 names", `{${Array.from({ length: 1_001 }, (_, n) => `"n${n}":{}`).join(",")}}`],
    ["with a name of more than 256 characters", `{"${"n".repeat(257)}":1}`],
  ])("%s", (_name, text) => {
    expect(jsonBody(text)).toBeNull();
  });

  it("and not at the limits", () => {
    expect(jsonBody(nested(16))).not.toBeNull();
    expect(jsonBody(`{"a":[${Array(1_000).fill(0).join(",")}]}`)?.fields).toHaveLength(1_000);
    // The same name in two objects is not twice.
    expect(jsonBody('{"a":{"b":1},"c":[{"b":1},{"b":1}]}')).not.toBeNull();
  });
});

describe("a JSON body is written", () => {
  it("byte for byte as it was, but for what is swapped", () => {
    const text =
      '{ "a" :1.50,"b":"{{card.number}}",\t"c":"\\u00e4\\/\\ud83d\\ude00ä","d":[1e2,"\\u007b{x}}"],"e":-0 }\n';
    const body = jsonBody(text);
    const values = body?.fields.map(({ value }) => (value === "{{card.number}}" ? "4242" : value)) ?? [];
    expect(body?.write(values)).toBe(text.replace("{{card.number}}", "4242"));
  });

  it("with a placeholder that was written in escapes", () => {
    const body = jsonBody('{"a":"\\u007b{card.cvc}}","b":1}');
    expect(body?.fields[0]?.value).toBe("{{card.cvc}}");
    expect(body?.write(["123", "1"])).toBe('{"a":"123","b":1}');
  });

  it("with other strings in the places of strings, whatever they are", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 20 }), fc.string()),
        fc.string(),
        (members, swapped) => {
          const text = JSON.stringify(members);
          const body = jsonBody(text);
          fc.pre(body !== null);
          expect(body?.write(body.fields.map(({ value }) => value))).toBe(text);
          const all = Object.fromEntries(Object.keys(members).map((name) => [name, swapped]));
          expect(JSON.parse(body?.write(body.fields.map(() => swapped)) ?? "")).toEqual(all);
        },
      ),
    );
  });
});
