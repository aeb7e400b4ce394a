import { type Span, UNSEEN } from "./syntax.ts";

export type ErrorCode =
  // what is written
  | "UNEXPECTED_CHARACTER"
  | "TEXT_NOT_CLOSED"
  | "BAD_ESCAPE"
  | "BAD_NUMBER"
  | "BAD_INSTANT"
  | "UNEXPECTED"
  | "UNEXPECTED_END"
  | "CHAINED_COMPARISON"
  // limits
  | "TOO_LONG"
  | "TOO_DEEP"
  | "TOO_LARGE"
  | "TOO_COSTLY"
  // names
  | "UNKNOWN_NAME"
  | "UNKNOWN_FUNCTION"
  | "UNKNOWN_LIST"
  | "UNKNOWN_VALUE"
  | "UNKNOWN_CURRENCY"
  // types
  | "NOT_A_CONDITION"
  | "TYPES_DIFFER"
  | "CURRENCIES_DIFFER"
  | "NOT_POSSIBLE"
  | "WRONG_ARGUMENTS"
  | "LITERAL_NEEDED"
  | "EMPTY_RANGE"
  | "ALWAYS_PRESENT"
  // rule sets
  | "UNKNOWN_ACTION"
  | "UNKNOWN_TARGET"
  | "TARGETS_MISSING"
  | "TARGETS_UNEXPECTED";

/** A mistake, and where in the text it is: what the parts of the compiler tell each other. */
export type Fault = { readonly code: ErrorCode; readonly message: string; readonly at: Span };

/**
 * A mistake in an expression or rule set, for the person who wrote it.
 * `line` and `column` count from 1, `column` and `length` in UTF-16 code units, as editors do.
 */
export type ExpressionError = {
  readonly code: ErrorCode;
  /** What is wrong and how to mend it. */
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
};

/** Says of a fault in `source` which line it is on. A fault that spans lines ends where its first line does. */
export function located(source: string, { code, message, at }: Fault): ExpressionError {
  const lineStart = at.start === 0 ? 0 : source.lastIndexOf("\n", at.start - 1) + 1;
  const newline = source.indexOf("\n", at.start);
  const lineEnd = newline === -1 ? source.length : newline;
  let line = 1;
  for (
    let from = source.indexOf("\n");
    from !== -1 && from < lineStart;
    from = source.indexOf("\n", from + 1)
  )
    line++;
  const length = Math.max(1, Math.min(at.end, lineEnd) - at.start);
  return { code, message, line, column: at.start - lineStart + 1, length };
}

/** Widest part of a line that is shown around a mistake. */
const SHOWN = 76;

const EVERY_UNSEEN = new RegExp(UNSEEN, "gu");

/**
 * The mistake with its line and a mark under the place, for people:
 *
 *     line 1, column 1: there is no "card.contry"; did you mean "card.country"?
 *       1 | card.contry == "DE"
 *         | ^^^^^^^^^^^
 */
export function render(source: string, error: ExpressionError): string {
  const line = (source.split("\n")[error.line - 1] ?? "").replace(EVERY_UNSEEN, " ");
  const at = error.column - 1;
  const from = line.length <= SHOWN ? 0 : Math.max(0, Math.min(at - 20, line.length - SHOWN));
  const before = from === 0 ? "" : "...";
  const after = from + SHOWN < line.length ? "..." : "";
  const margin = `  ${error.line} | `;
  const mark = "^".repeat(Math.max(1, Math.min(error.length, from + SHOWN - at)));
  return [
    `line ${error.line}, column ${error.column}: ${error.message}`,
    `${margin}${before}${line.slice(from, from + SHOWN)}${after}`,
    `${" ".repeat(margin.length - 2)}| ${" ".repeat(before.length + at - from)}${mark}`,
  ].join("\n");
}
