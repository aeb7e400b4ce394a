import { describe, expect, it } from "vitest";
import { render } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { readRules } from "./read-rules.ts";
import { compileRules, type RuleSource } from "./rules.ts";
import { example, exampleFacts } from "./testing/example.ts";

const routing = {
  environment: example,
  actions: {
    prefer: { targets: ["stripe", "adyen", "mollie", "own acquirer"] },
    never: { targets: ["stripe", "adyen", "mollie", "own acquirer"] },
    stop: {},
  },
} as const;

const TEXT = `
# They are cheapest
#   for Dutch cards.
"dutch cards":  prefer mollie , stripe   if card.country=="NL"

never adyen if card.brand == "amex"
  and amount > 500 EUR
\tor fee > 1 EUR
prefer "own acquirer"
stop if amount > 1000 USD
# the end
`;

const CANONICAL = `# They are cheapest
# for Dutch cards.
"dutch cards": prefer mollie, stripe if card.country == "NL"
never adyen if card.brand == "amex" and amount > 500.00 EUR or fee > 1.00 EUR
prefer "own acquirer"
stop if amount > 1000.00 USD
# the end
`;

function read(text: string) {
  const set = readRules(text, routing);
  if (!set.ok) throw new Error(set.error.map((error) => render(text, error)).join("\n"));
  return set.value;
}

describe("a rule set", () => {
  it("is read from text, and written the one way", () => {
    expect(read(TEXT).text).toBe(CANONICAL);
    expect(read(CANONICAL).text).toBe(CANONICAL);
    expect(read(TEXT.replaceAll("\n", "\r\n")).text).toBe(CANONICAL);
    expect(read(TEXT).rules[0]).toMatchObject({
      name: "dutch cards",
      comment: ["They are cheapest", "for Dutch cards."],
      action: "prefer",
      targets: ["mollie", "stripe"],
    });
  });

  it("gives the rules that hold, in their order, and the first of them", () => {
    const set = read(TEXT);
    expect(set.matching(exampleFacts).map(({ text }) => text)).toEqual([
      '"dutch cards": prefer mollie, stripe if card.country == "NL"',
      'prefer "own acquirer"',
    ]);
    expect(set.first(exampleFacts)?.name).toBe("dutch cards");
    expect(read("stop if payment.recurring").first(exampleFacts)).toBeNull();
    expect(read("").matching(exampleFacts)).toEqual([]);
  });

  it("is the same from values", () => {
    const sources: RuleSource[] = read(TEXT).rules.map(({ name, comment, action, targets, condition }) => ({
      name: name ?? undefined,
      comment,
      action,
      targets,
      if: condition?.text,
    }));
    const set = compileRules(sources, routing);
    expect(set.ok && `${set.value.text}# the end\n`).toBe(CANONICAL);
    expect(set.ok && set.value.cost).toBe(read(TEXT).cost);
  });

  it("takes nothing from values for the beginning of another rule", () => {
    const sources = [
      { name: 'a": stop\nstop', comment: ["b\nstop", "\r\nstop"], action: "stop", if: "true" },
    ];
    const set = compileRules(sources, routing);
    if (!set.ok) throw new Error("it did not compile");
    expect(read(set.value.text).rules).toHaveLength(1);
    const broken = compileRules([{ action: "stop", if: "true\nstop" }], routing);
    expect(broken).toMatchObject({ ok: false });
  });
});

describe("a mistake in a rule set", () => {
  it.each([
    ["stpo if true", "UNKNOWN_ACTION", 'line 1, column 1: there is no action "stpo"; did you mean "stop"?'],
    [
      "zzz if true",
      "UNKNOWN_ACTION",
      'line 1, column 1: there is no action "zzz"; there are prefer, never, stop',
    ],
    ["constructor if true", "UNKNOWN_ACTION", 'line 1, column 1: there is no action "constructor"'],
    [
      "stop\nprefer stripe, adyn",
      "UNKNOWN_TARGET",
      'line 2, column 16: there is no "adyn"; did you mean "adyen"?',
    ],
    ["prefer if true", "TARGETS_MISSING", 'line 1, column 1: "prefer" needs to know what'],
    ["stop stripe if true", "TARGETS_UNEXPECTED", 'line 1, column 6: "stop" stands alone'],
    ["prefer stripe adyen", "UNEXPECTED", 'line 1, column 15: "if" and a condition'],
    ["prefer stripe,", "UNEXPECTED", 'line 1, column 15: after ","'],
    ['"name" stop', "UNEXPECTED", 'line 1, column 8: after a rule\'s name comes ":"'],
    ["if true", "UNEXPECTED", "line 1, column 1: a rule is written"],
    ["stop if", "UNEXPECTED_END", "line 1, column 8: the text ends"],
    ["# x\n  stop", "UNEXPECTED", "line 2, column 3: a rule begins at the start of its line"],
    ["stop\n# x\n  if true", "UNEXPECTED", "line 3, column 3: a rule begins at the start of its line"],
    ["stop if true # x", "UNEXPECTED_CHARACTER", 'line 1, column 14: "#" is not known'],
    ['stop\n\nstop if true\n  and card.brnd == "visa"', "UNKNOWN_NAME", "line 4, column 7: there is no"],
    [
      `stop\nstop if ${"x".repeat(LIMITS.textLength)}`,
      "TOO_LONG",
      `line 2, column ${LIMITS.textLength + 9 - 1}`,
    ],
  ])("in %j is %s: %s", (text, code, rendered) => {
    const set = readRules(text, routing);
    if (set.ok || set.error[0] === undefined) throw new Error("it was read");
    expect(set.error[0].code).toBe(code);
    expect(render(text, set.error[0]).startsWith(rendered)).toBe(true);
  });

  it("comes with those of the other rules", () => {
    expect(readRules("stpo\nprefer stripe\nprefer zzz if amount > 5", routing)).toMatchObject({
      error: [{ line: 1 }, { line: 3, code: "UNKNOWN_TARGET" }, { line: 3, code: "TYPES_DIFFER" }],
    });
  });

  it("is told for values by the rule and its part", () => {
    const sources = [{ action: "stop" }, { action: "prefer", targets: ["adyn"], if: "amount > 5" }];
    expect(compileRules(sources, routing)).toMatchObject({
      error: [
        { rule: 1, part: "targets", code: "UNKNOWN_TARGET" },
        { rule: 1, part: "if", code: "TYPES_DIFFER", column: 1, length: 10 },
      ],
    });
    expect(compileRules([{ action: "stop", name: "x".repeat(257) }], routing)).toMatchObject({
      error: [{ rule: 0, part: "name", code: "TOO_LONG" }],
    });
  });
});

describe("a rule set is limited in its", () => {
  const many = (count: number, rule: string) => Array.from({ length: count }, () => rule).join("\n");
  const dear = `stop if ${Array.from({ length: 80 }, () => 'velocity("card", 1h) > 0').join(" or ")}`;

  it.each([
    ["rules", many(LIMITS.rules, "stop"), many(LIMITS.rules + 1, "stop"), "TOO_LARGE"],
    ["characters", "".padEnd(LIMITS.ruleSetLength), "".padEnd(LIMITS.ruleSetLength + 1), "TOO_LONG"],
    ["steps", many(10, dear), many(11, dear), "TOO_COSTLY"],
    [
      "targets",
      `prefer ${Array.from({ length: LIMITS.targets }, () => "stripe").join(", ")}`,
      `prefer ${Array.from({ length: LIMITS.targets + 1 }, () => "stripe").join(", ")}`,
      "TOO_LARGE",
    ],
  ])("%s", (_, allowed, tooMuch, code) => {
    expect(readRules(allowed, routing)).toMatchObject({ ok: true });
    expect(readRules(tooMuch, routing)).toMatchObject({ error: [{ code }] });
  });

  it("rules and steps as values too", () => {
    const sources = (count: number, source: RuleSource) => Array.from({ length: count }, () => source);
    const stop = { action: "stop" };
    expect(compileRules(sources(LIMITS.rules, stop), routing)).toMatchObject({ ok: true });
    expect(compileRules(sources(LIMITS.rules + 1, stop), routing)).toMatchObject({
      error: [{ code: "TOO_LARGE" }],
    });
    const costly = { action: "stop", if: dear.slice("stop if ".length) };
    expect(compileRules(sources(11, costly), routing)).toMatchObject({
      error: [{ code: "TOO_COSTLY", rule: 10 }],
    });
  });
});
