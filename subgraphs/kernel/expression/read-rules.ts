import { err, ok, type Result } from "../result.ts";
import { type Compiled, compileWithin } from "./compile.ts";
import { type ErrorCode, type ExpressionError, type Fault, located } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import {
  beyondCost,
  checkAction,
  checkTargets,
  type Rule,
  type RuleSet,
  ruleOf,
  ruleSetOf,
  type Vocabulary,
} from "./rules.ts";
import type { Span } from "./syntax.ts";
import { type Token, tokenize } from "./tokens.ts";

/** A rule's place in the text, with the comment above it. */
type Place = Span & { readonly comment: readonly string[] };

const fault = (code: ErrorCode, message: string, at: Span): Fault => ({ code, message, at });

/**
 * Reads a rule set as people write it. A rule begins at the start of a line, and lines that begin with a space go on
 * with it; a line that begins with # is a comment on the rule below:
 *
 *     # They are cheapest for Dutch cards.
 *     "dutch cards": prefer mollie, stripe if card.country == "NL"
 *     never adyen if card.brand == "amex"
 *       and amount > 500.00 EUR
 *
 * Tells the mistakes of all rules, at most LIMITS.errors; their places are places in `text`. Never throws.
 */
export function readRules<F, A extends string>(
  text: string,
  vocabulary: Vocabulary<F, A>,
): Result<RuleSet<F, A>, readonly ExpressionError[]> {
  const read = readAll(text, vocabulary);
  return read.ok ? read : err(read.error.slice(0, LIMITS.errors).map((wrong) => located(text, wrong)));
}

function readAll<F, A extends string>(
  text: string,
  vocabulary: Vocabulary<F, A>,
): Result<RuleSet<F, A>, readonly Fault[]> {
  if (text.length > LIMITS.ruleSetLength) {
    const at = { start: LIMITS.ruleSetLength, end: text.length };
    return err([fault("TOO_LONG", `a rule set has at most ${LIMITS.ruleSetLength} characters`, at)]);
  }
  const cut = placesOf(text);
  if (!cut.ok) return err([cut.error]);
  const { places, ending } = cut.value;
  const excess = places[LIMITS.rules];
  if (excess !== undefined)
    return err([fault("TOO_LARGE", `a set has at most ${LIMITS.rules} rules`, excess)]);
  const rules: Rule<F, A>[] = [];
  const faults: Fault[] = [];
  for (const place of places) {
    const rule = readRule(text, place, vocabulary);
    if (rule.ok) rules.push(rule.value);
    else faults.push(...rule.error);
  }
  if (faults.length > 0) return err(faults);
  const tooMuch = places[beyondCost(rules) ?? -1];
  if (tooMuch === undefined) return ok(ruleSetOf(rules, ending));
  const message = `all rules together take more than the ${LIMITS.ruleSetCost} steps that are allowed`;
  return err([fault("TOO_COSTLY", message, tooMuch)]);
}

type Places = { readonly places: readonly Place[]; readonly ending: readonly string[] };

/** Cuts the text into rules, by how its lines begin. */
function placesOf(text: string): Result<Places, Fault> {
  const places: Place[] = [];
  let comment: string[] = [];
  let open = false;
  let start = 0;
  for (const line of text.split("\n")) {
    const end = start + line.length;
    const written = line.trim();
    if (written.startsWith("#")) {
      comment.push(written.slice(1).trim());
      open = false;
    } else if (/^[ \t]/.test(line) && written !== "") {
      const before = open ? places.pop() : undefined;
      const at = { start: end - line.trimStart().length, end };
      if (before === undefined) {
        const message = "a rule begins at the start of its line; only what goes on with one is indented";
        return err(fault("UNEXPECTED", message, at));
      }
      places.push({ ...before, end });
    } else if (written !== "") {
      places.push({ start, end, comment });
      comment = [];
      open = true;
    }
    start = end + 1;
  }
  return ok({ places, ending: comment });
}

function readRule<F, A extends string>(
  text: string,
  place: Place,
  vocabulary: Vocabulary<F, A>,
): Result<Rule<F, A>, readonly Fault[]> {
  const tokens = tokenize(text, place.start, place.end);
  if (!tokens.ok) return err([tokens.error]);
  const head = readHead(tokens.value);
  if (!head.ok) return err([head.error]);
  const { name, action, targets, conditionFrom } = head.value;
  const faults: Fault[] = checkAction(action.text, vocabulary.actions).map(({ code, message }) =>
    fault(code, message, action.at),
  );
  if (faults.length === 0)
    for (const wrong of checkTargets(
      action.text,
      targets.map((target) => target.text),
      vocabulary.actions[action.text as A],
    ))
      faults.push(fault(wrong.code, wrong.message, (targets[wrong.index] ?? action).at));
  let condition: Compiled<F> | null = null;
  if (conditionFrom !== null) {
    const compiled = compileWithin(text, conditionFrom, place.end, vocabulary.environment);
    if (compiled.ok) condition = compiled.value;
    else faults.push(...compiled.error);
  }
  if (faults.length > 0) return err(faults);
  return ok(
    ruleOf({
      name: name?.text ?? null,
      comment: place.comment,
      action: action.text as A,
      targets: targets.map((target) => target.text),
      condition,
    }),
  );
}

type Head = {
  readonly name: Token | null;
  readonly action: Token;
  readonly targets: readonly Token[];
  /** Where the condition begins, behind "if"; null for a rule without one. */
  readonly conditionFrom: number | null;
};

/** [name ":"] action [target {"," target}] ["if" condition] */
function readHead(tokens: readonly Token[]): Result<Head, Fault> {
  const at = (index: number): Token => tokens[Math.min(index, tokens.length - 1)] as Token;
  const is = (token: Token, text: string): boolean =>
    (token.kind === "symbol" || token.kind === "word") && token.text === text;
  let next = 0;
  const name = at(0).kind === "text" ? at(next++) : null;
  if (name !== null && !is(at(next++), ":"))
    return err(fault("UNEXPECTED", 'after a rule\'s name comes ":"', at(next - 1).at));
  const action = at(next++);
  if (action.kind !== "name")
    return err(
      fault("UNEXPECTED", 'a rule is written: action if condition, as in block if x == "abc"', action.at),
    );
  const targets: Token[] = [];
  while (at(next).kind === "name" || at(next).kind === "text") {
    targets.push(at(next++));
    if (!is(at(next), ",")) break;
    const after = at(++next);
    if (after.kind !== "name" && after.kind !== "text")
      return err(fault("UNEXPECTED", 'after "," comes one more', after.at));
  }
  const end = at(next);
  if (end.kind === "end") return ok({ name, action, targets, conditionFrom: null });
  if (is(end, "if")) return ok({ name, action, targets, conditionFrom: end.at.end });
  return err(fault("UNEXPECTED", '"if" and a condition should be here, or the end of the rule', end.at));
}
