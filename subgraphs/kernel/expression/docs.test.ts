import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { render } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { readRules } from "./read-rules.ts";
import { example, exampleFacts } from "./testing/example.ts";

/** docs/expressions.md says what is so: its rules compile, its tables and mistakes come out as they are printed. */
const page = readFileSync(new URL("../../../docs/expressions.md", import.meta.url), "utf8");

const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"))].map(([, block = ""]) => block);

const PROVIDERS = { targets: ["stripe", "adyen", "mollie"] };
const vocabulary = {
  environment: example,
  actions: { prefer: PROVIDERS, only: PROVIDERS, avoid: PROVIDERS, never: PROVIDERS, block: {}, review: {} },
};

describe("docs/expressions.md", () => {
  const rules = blocks("rules");
  const mistakes = blocks("mistake");
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| (holds|does not hold|unknown) +\|$/gm)];

  it("has examples", () => {
    expect([rules.length, mistakes.length, rows.length]).toEqual([2, 3, 33]);
  });

  it.each(rules)("has a rule set that is right: %s", (text) => {
    const set = readRules(text, vocabulary);
    expect(set.ok || set.error.map((error) => render(text, error))).toBe(true);
  });

  it.each(rows.map(([, condition = "", outcome = ""]) => [condition, outcome]))(
    "says of %s that it %s",
    (condition, outcome) => {
      const compiled = compile(condition, example);
      expect(compiled.ok ? compiled.value.decide(exampleFacts) : compiled.error).toBe(outcome);
    },
  );

  it.each(mistakes)("shows a mistake as it is shown: %s", (shown) => {
    const source = /^ {2}1 \| (.*)$/m.exec(shown)?.[1] ?? "";
    const compiled = compile(source, example);
    expect(compiled.ok || compiled.error.map((error) => render(source, error))).toEqual([shown.trimEnd()]);
  });

  it("tells the limits as they are", () => {
    const told = [...page.matchAll(/^\| [a-z ]+ +\| (\d+) +\|$/gm)].map(([, limit]) => Number(limit));
    const { textLength, nodes, depth, listItems, literalLength, digits, cost } = LIMITS;
    const ofCondition: readonly number[] = [textLength, nodes, depth, listItems, literalLength, digits, cost];
    const ofSet = [LIMITS.rules, LIMITS.ruleSetLength, LIMITS.ruleSetCost];
    expect(told).toEqual(ofCondition.concat(ofSet));
    expect(page).toContain(`longer than ${LIMITS.factLength} characters`);
  });
});
