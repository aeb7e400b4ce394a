import { describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { like } from "./emit-operators.ts";
import { declare, field, func, withLists } from "./environment.ts";
import { LIMITS } from "./limits.ts";
import { example, exampleFacts } from "./testing/example.ts";

const codes = (text: string): readonly string[] => {
  const compiled = compile(text, example);
  return compiled.ok ? [] : compiled.error.map(({ code }) => code);
};
const chain = (count: number, part: string, joined: string) =>
  Array.from({ length: count }, () => part).join(joined);

/** What is just allowed, and what is one too much. */
const EDGES: readonly (readonly [what: string, allowed: string, tooMuch: string, code: string])[] = [
  ["characters", "true".padEnd(LIMITS.textLength), "true".padEnd(LIMITS.textLength + 1), "TOO_LONG"],
  [
    "characters of a text",
    `currency == "${"x".repeat(LIMITS.literalLength)}"`,
    `currency == "${"x".repeat(LIMITS.literalLength + 1)}"`,
    "TOO_LONG",
  ],
  ["parts", chain(LIMITS.nodes - 1, "true", " or "), chain(LIMITS.nodes, "true", " or "), "TOO_LARGE"],
  [
    "items of a list",
    `payment.attempt in [${chain(LIMITS.listItems, "1", ",")}]`,
    `payment.attempt in [${chain(LIMITS.listItems + 1, "1", ",")}]`,
    "TOO_LARGE",
  ],
  [
    "parentheses",
    `${"(".repeat(LIMITS.depth)}true${")".repeat(LIMITS.depth)}`,
    `${"(".repeat(LIMITS.depth + 1)}true${")".repeat(LIMITS.depth + 1)}`,
    "TOO_DEEP",
  ],
  [
    "levels of not",
    `${"not ".repeat(LIMITS.depth - 1)}true`,
    `${"not ".repeat(LIMITS.depth)}true`,
    "TOO_DEEP",
  ],
  [
    "levels of a sum",
    `${chain(LIMITS.depth - 1, "1", " + ")} > 0`,
    `${chain(LIMITS.depth, "1", " + ")} > 0`,
    "TOO_DEEP",
  ],
  [
    "steps",
    chain(83, 'velocity("card", 1h) > 0', " or "),
    chain(84, 'velocity("card", 1h) > 0', " or "),
    "TOO_COSTLY",
  ],
];

describe("an expression is limited in its", () => {
  it.each(EDGES)("%s", (_, allowed, tooMuch, code) => {
    expect(codes(allowed)).toEqual([]);
    expect(codes(tooMuch)).toEqual([code]);
  });

  it("values of a call", () => {
    expect(codes(`lower(${chain(LIMITS.arguments + 1, '"x"', ",")}) == "x"`)).toEqual(["TOO_LARGE"]);
  });
});

describe("the cost", () => {
  it("is the sum of what its functions and lists declare", () => {
    const costOf = (text: string) => {
      const compiled = compile(text, dear);
      return compiled.ok ? compiled.value.cost : compiled.error;
    };
    const dear = withLists(
      declare<null>({
        fields: { a: field.text(() => "x") },
        functions: {
          ask: func({ parameters: [], gives: { kind: "integer" }, cost: 500 }, () => 1),
        },
      }),
      { far: { cost: 300, has: () => true } },
    );
    expect(costOf("ask() > 0")).toBe(502);
    expect(costOf("ask() > 0 and a in @far")).toBe(804);
    expect(costOf("ask() + ask() + ask() + ask() > 0")).toMatchObject([{ code: "TOO_COSTLY" }]);
  });
});

describe("time is bounded", () => {
  const within = (ms: number, run: () => void) => {
    const start = performance.now();
    run();
    expect(performance.now() - start).toBeLessThan(ms);
  };

  it.each([
    ["open parentheses", "(".repeat(LIMITS.textLength)],
    ["signs", "-".repeat(LIMITS.textLength)],
    ["negations", "not ".repeat(LIMITS.textLength / 4)],
    ["calls", "lower(".repeat(LIMITS.textLength / 6)],
    ["one long name", "a".repeat(LIMITS.textLength)],
    ["many unknown names", chain(1_000, "abc", " or ").slice(0, LIMITS.textLength - 4)],
    ["one long number", "1".repeat(LIMITS.textLength)],
    ["an open text", `"${"\\n".repeat(LIMITS.textLength / 2 - 1)}`],
    ["a text that is far too long", "x == ".repeat(1_000_000)],
  ])("for %s", (_, text) => within(1_000, () => expect(compile(text, example).ok).toBe(false)));

  it("for products that grow", () => {
    const compiled = compile(`${chain(LIMITS.depth - 1, "999999999999999999", " * ")} > 0`, example);
    if (!compiled.ok) throw new Error("it did not compile");
    within(1_000, () => expect(compiled.value.evaluate(exampleFacts)).toBe(true));
  });

  it("for patterns that would make an automaton go back", () => {
    const matches = like(`${"*a".repeat(LIMITS.literalLength / 2 - 1)}*b`);
    within(1_000, () => {
      for (let run = 0; run < 10; run++) expect(matches("a".repeat(LIMITS.factLength))).toBe(false);
    });
  });

  it("for facts of any size: what is too long is not searched, and unknown", () => {
    const facts = (length: number) => ({
      ...exampleFacts,
      payer: { country: null, email: "a".repeat(length) },
      customer: { since: null, tags: Array.from({ length: length - 3_000 }, () => "a") },
    });
    for (const text of ['payer.email like "a*"', 'lower(payer.email) != ""', 'payer.email contains "a"']) {
      const compiled = compile(text, example);
      expect(compiled.ok && compiled.value.decide(facts(LIMITS.factLength))).toBe("holds");
      expect(compiled.ok && compiled.value.decide(facts(LIMITS.factLength + 1))).toBe("unknown");
    }
    const listed = compile('"a" in customer.tags', example);
    expect(listed.ok && listed.value.decide(facts(LIMITS.factItems + 3_000))).toBe("holds");
    expect(listed.ok && listed.value.decide(facts(LIMITS.factItems + 3_001))).toBe("unknown");
  });
});
