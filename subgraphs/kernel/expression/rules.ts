import { err, ok, type Result } from "../result.ts";
import { type Compiled, compile } from "./compile.ts";
import type { Environment } from "./environment.ts";
import type { ErrorCode, ExpressionError } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { suggestion } from "./nearest.ts";
import { printText } from "./print.ts";
import { NAME, WORDS } from "./syntax.ts";

/** What a rule can do: `prefer` has targets (providers), `block` has none. */
export type ActionDeclaration = {
  readonly about?: string;
  /** What the action is about, at least one of these; left out if the action has no targets. */
  readonly targets?: readonly string[] | undefined;
};

/** What rules of one sort can ask (the environment) and do (the actions). */
export type Vocabulary<F, A extends string> = {
  readonly environment: Environment<F>;
  readonly actions: Readonly<Record<A, ActionDeclaration>>;
};

/** A rule as it is stored and sent: plain values. */
export type RuleSource = {
  /** For people, and for the reason of a decision. */
  readonly name?: string | undefined;
  /** Lines that stand above the rule, without their #. */
  readonly comment?: readonly string[] | undefined;
  readonly action: string;
  readonly targets?: readonly string[] | undefined;
  /** The condition; a rule without one always holds. */
  readonly if?: string | undefined;
};

export type Rule<F, A extends string> = {
  readonly name: string | null;
  readonly comment: readonly string[];
  readonly action: A;
  readonly targets: readonly string[];
  readonly condition: Compiled<F> | null;
  /** The rule in words, written the canonical way. */
  readonly text: string;
};

/** Rules in their order. What the order means and which action wins is up to who applies them. */
export type RuleSet<F, A extends string> = {
  readonly rules: readonly Rule<F, A>[];
  /** Steps of one evaluation of all rules at most. */
  readonly cost: number;
  /** The whole set, written the canonical way; `readRules` reads it. */
  readonly text: string;
  /** The rules that hold, in their order. */
  readonly matching: (facts: F) => readonly Rule<F, A>[];
  /** The first rule that holds, and nothing after it is evaluated. */
  readonly first: (facts: F) => Rule<F, A> | null;
};

/** What is wrong with one rule. `line` and `column` of a condition count within the condition. */
export type RuleError = ExpressionError & {
  /** Index of the rule; of a set that is wrong as a whole, the first rule that is too much. */
  readonly rule: number;
  readonly part: "name" | "action" | "targets" | "if";
};

/** Compiles rules that come as values (an API, a row). Tells the mistakes of all rules, LIMITS.errors of each. */
export function compileRules<F, A extends string>(
  sources: readonly RuleSource[],
  vocabulary: Vocabulary<F, A>,
): Result<RuleSet<F, A>, readonly RuleError[]> {
  if (sources.length > LIMITS.rules)
    return err([mistake(LIMITS.rules, "action", "TOO_LARGE", `a set has at most ${LIMITS.rules} rules`)]);
  const rules: Rule<F, A>[] = [];
  const errors: RuleError[] = [];
  for (const [index, source] of sources.entries()) {
    const rule = compileRule(source, index, vocabulary);
    if (rule.ok) rules.push(rule.value);
    else errors.push(...rule.error);
  }
  if (errors.length > 0) return err(errors);
  const tooMuch = beyondCost(rules);
  if (tooMuch !== null) {
    const message = `all rules together take more than the ${LIMITS.ruleSetCost} steps that are allowed`;
    return err([mistake(tooMuch, "if", "TOO_COSTLY", message)]);
  }
  return ok(ruleSetOf(rules));
}

function compileRule<F, A extends string>(
  source: RuleSource,
  index: number,
  { environment, actions }: Vocabulary<F, A>,
): Result<Rule<F, A>, readonly RuleError[]> {
  const wrong = [
    ...checkName(source.name).map((fault) => mistake(index, "name", fault.code, fault.message)),
    ...checkAction(source.action, actions).map((fault) =>
      mistake(index, "action", fault.code, fault.message),
    ),
  ];
  const targets = source.targets ?? [];
  if (Object.hasOwn(actions, source.action))
    for (const { code, message } of checkTargets(source.action, targets, actions[source.action as A]))
      wrong.push(mistake(index, "targets", code, message));
  const compiled = source.if === undefined ? null : compile(source.if, environment);
  if (compiled !== null && !compiled.ok)
    wrong.push(...compiled.error.map((error) => ({ ...error, rule: index, part: "if" as const })));
  if (wrong.length > 0) return err(wrong);
  return ok(
    ruleOf({
      name: source.name ?? null,
      comment: source.comment ?? [],
      action: source.action as A,
      targets,
      condition: compiled?.ok ? compiled.value : null,
    }),
  );
}

type Wrong = { readonly code: ErrorCode; readonly message: string };

const mistake = (rule: number, part: RuleError["part"], code: ErrorCode, message: string): RuleError => ({
  code,
  message,
  line: 1,
  column: 1,
  length: 1,
  rule,
  part,
});

function checkName(name: string | undefined): readonly Wrong[] {
  if (name === undefined || name.length <= LIMITS.literalLength) return [];
  return [{ code: "TOO_LONG", message: `a rule's name has at most ${LIMITS.literalLength} characters` }];
}

/** What is wrong with an action's name, if anything. */
export function checkAction(
  action: string,
  actions: Readonly<Record<string, ActionDeclaration>>,
): readonly Wrong[] {
  if (Object.hasOwn(actions, action)) return [];
  const known = Object.keys(actions);
  const near = suggestion(action, known) || `; there are ${known.join(", ")}`;
  return [{ code: "UNKNOWN_ACTION", message: `there is no action "${action}"${near}` }];
}

/** What is wrong with an action's targets, each with its index. */
export function checkTargets(
  action: string,
  targets: readonly string[],
  { targets: known }: ActionDeclaration,
): readonly (Wrong & { readonly index: number })[] {
  if (known === undefined) {
    const message = `"${action}" stands alone: after it comes "if" or nothing`;
    return targets.length === 0 ? [] : [{ code: "TARGETS_UNEXPECTED", message, index: 0 }];
  }
  const some = known.slice(0, 6).join(", ");
  if (targets.length === 0)
    return [{ code: "TARGETS_MISSING", message: `"${action}" needs to know what: ${some}`, index: 0 }];
  if (targets.length > LIMITS.targets)
    return [
      {
        code: "TOO_LARGE",
        message: `an action has at most ${LIMITS.targets} targets`,
        index: LIMITS.targets,
      },
    ];
  return targets.flatMap((target, index) => {
    if (known.includes(target)) return [];
    const near = suggestion(target, known) || `; there are ${some}`;
    return [{ code: "UNKNOWN_TARGET" as const, message: `there is no "${target}"${near}`, index }];
  });
}

/** Completes a rule with its text. */
export function ruleOf<F, A extends string>(rule: Omit<Rule<F, A>, "text">): Rule<F, A> {
  const { name, action, targets, condition } = rule;
  const named = name === null ? "" : `${printText(name)}: `;
  const about = targets.length === 0 ? "" : ` ${targets.map(printTarget).join(", ")}`;
  return { ...rule, text: `${named}${action}${about}${condition === null ? "" : ` if ${condition.text}`}` };
}

/** Bare where a name would be read as one: `stripe`, but "my acquirer". */
const printTarget = (target: string): string =>
  NAME.test(target) && !WORDS.has(target) ? target : printText(target);

/** The first rule with which the set costs too much; null if it does not. */
export function beyondCost<F, A extends string>(rules: readonly Rule<F, A>[]): number | null {
  let cost = 0;
  const index = rules.findIndex((rule) => {
    cost += 1 + (rule.condition?.cost ?? 0);
    return cost > LIMITS.ruleSetCost;
  });
  return index === -1 ? null : index;
}

/** `ending`: the lines of comment behind the last rule. */
export function ruleSetOf<F, A extends string>(
  rules: readonly Rule<F, A>[],
  ending: readonly string[] = [],
): RuleSet<F, A> {
  const holds = ({ condition }: Rule<F, A>, facts: F): boolean => condition?.evaluate(facts) ?? true;
  return {
    rules,
    cost: rules.reduce((cost, { condition }) => cost + 1 + (condition?.cost ?? 0), 0),
    text: [...rules.map(printRule), printComment(ending)].join(""),
    matching: (facts) => rules.filter((rule) => holds(rule, facts)),
    first: (facts) => rules.find((rule) => holds(rule, facts)) ?? null,
  };
}

function printRule<F, A extends string>({ comment, text }: Rule<F, A>): string {
  return `${printComment(comment)}${text}\n`;
}

function printComment(lines: readonly string[]): string {
  // Each is one line: a line break in it would be read as the beginning of a rule.
  return lines.map((line) => `${`# ${line.replace(/[\r\n]+/g, " ").trim()}`.trimEnd()}\n`).join("");
}
