import { err, ok, type Result } from "../result.ts";
import type { ErrorCode, Fault } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { type Span, UNSEEN, WORDS } from "./syntax.ts";

/**
 * `text` is what counts of a token: a word or name as written, a number's digits without separators, a text's value,
 * a list's name. `suffix` is what sticks to a number ("90d": d).
 */
export type Token = {
  readonly kind: "word" | "name" | "number" | "text" | "list" | "symbol" | "end";
  readonly text: string;
  readonly suffix: string;
  readonly at: Span;
};

const SPACE = /[ \t\r\n]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y;
const NUMBER = /(\d[\d_]*(?:\.\d[\d_]*)?)([A-Za-z]\w*)?/y;
const LIST = /@[A-Za-z_][A-Za-z0-9_]*/y;
const SYMBOL = /==|!=|<=|>=|\.\.|[<>+\-*/()[\],:]/y;
const ESCAPE = /\\(?:(["\\nt])|u\{([0-9a-fA-F]{1,6})\})/y;

/** How other languages write it, and how to write it here. */
const MISTAKEN: readonly (readonly [string, string])[] = [
  ["=", 'to compare, write "=="'],
  ["&&", 'write "and"'],
  ["||", 'write "or"'],
  ["!", 'write "not"'],
  ["'", 'text stands in double quotes, "like this"'],
  ["“", 'text stands in straight double quotes, "like this"'],
  ["”", 'text stands in straight double quotes, "like this"'],
  ["#", "a comment stands on a line of its own, above a rule"],
  ["@", "a list's name follows the @ at once, as in @blocked_bins"],
];

type Read = { readonly token: Token } | { readonly fault: Fault };

const faultAt = (code: ErrorCode, message: string, start: number, end: number) => ({
  fault: { code, message, at: { start, end } },
});

const read = (pattern: RegExp, source: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(source);
};

/** Reads `source` from `start` to `end` into tokens, the last of them of kind "end". Takes time in proportion. */
export function tokenize(source: string, start = 0, end = source.length): Result<readonly Token[], Fault> {
  const text = source.slice(0, end);
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    at += read(SPACE, text, at)?.[0].length ?? 0;
    if (at >= end) break;
    const next = nextToken(text, at);
    if ("fault" in next) return err(next.fault);
    tokens.push(next.token);
    at = next.token.at.end;
  }
  tokens.push({ kind: "end", text: "", suffix: "", at: { start: end, end } });
  return ok(tokens);
}

function nextToken(source: string, start: number): Read {
  if (source[start] === '"') return textToken(source, start);
  const make = (kind: Token["kind"], text: string, length: number, suffix = ""): Read => ({
    token: { kind, text, suffix, at: { start, end: start + length } },
  });
  const name = read(NAME, source, start)?.[0];
  if (name !== undefined) return make(WORDS.has(name) ? "word" : "name", name, name.length);
  const number = read(NUMBER, source, start);
  if (number !== null) {
    const digits = (number[1] as string).replaceAll("_", "");
    return make("number", digits, number[0].length, number[2] ?? "");
  }
  const list = read(LIST, source, start)?.[0];
  if (list !== undefined) return make("list", list.slice(1), list.length);
  if (source.startsWith("<>", start))
    return faultAt("UNEXPECTED_CHARACTER", '"<>" is not known here: write "!="', start, start + 2);
  const symbol = read(SYMBOL, source, start)?.[0];
  if (symbol !== undefined) return make("symbol", symbol, symbol.length);
  return unexpected(source, start);
}

function unexpected(source: string, start: number): Read {
  for (const [wrong, mend] of MISTAKEN) {
    if (source.startsWith(wrong, start))
      return faultAt(
        "UNEXPECTED_CHARACTER",
        `"${wrong}" is not known here: ${mend}`,
        start,
        start + wrong.length,
      );
  }
  const character = String.fromCodePoint(source.codePointAt(start) as number);
  const shown = UNSEEN.test(character) ? codePoint(character) : `"${character}"`;
  return faultAt(
    "UNEXPECTED_CHARACTER",
    `${shown} means nothing here; text stands in double quotes`,
    start,
    start + character.length,
  );
}

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}`;

const ESCAPED: Readonly<Record<string, string>> = { n: "\n", t: "\t", '"': '"', "\\": "\\" };

function textToken(source: string, start: number): Read {
  let value = "";
  let at = start + 1;
  while (at < source.length) {
    const character = source[at] as string;
    if (character === '"') {
      if (value.length > LIMITS.literalLength)
        return faultAt("TOO_LONG", `a text has at most ${LIMITS.literalLength} characters`, start, at + 1);
      return { token: { kind: "text", text: value, suffix: "", at: { start, end: at + 1 } } };
    }
    if (character === "\n") break;
    if (character !== "\\") {
      if (UNSEEN.test(character)) {
        const escape = `\\u{${character.charCodeAt(0).toString(16)}}`;
        const message = `an invisible character (${codePoint(character)}) in a text is written ${escape}`;
        return faultAt("UNEXPECTED_CHARACTER", message, at, at + 1);
      }
      value += character;
      at++;
      continue;
    }
    const escape = read(ESCAPE, source, at);
    const code = escape?.[2] === undefined ? 0 : Number.parseInt(escape[2], 16);
    if (escape === null || code > 0x10ffff)
      return faultAt(
        "BAD_ESCAPE",
        'after \\ comes one of \\ " n t or u{hex}',
        at,
        Math.min(at + 2, source.length),
      );
    value += escape[1] === undefined ? String.fromCodePoint(code) : ESCAPED[escape[1]];
    at += escape[0].length;
  }
  return faultAt("TEXT_NOT_CLOSED", 'this text has no closing "', start, at);
}

const LOWER_CASE: ReadonlySet<string> = new Set(["AND", "OR", "NOT", "IN", "IS", "And", "Or", "Not"]);

/** What to say of a token that stands where the expression should have ended. */
export function leftOver({ kind, text }: Token): string {
  if (LOWER_CASE.has(text)) return `write "${text.toLowerCase()}" in lower case`;
  if (text === ")") return 'this ")" closes nothing';
  const shown = kind === "text" ? "this text" : kind === "list" ? `"@${text}"` : `"${text}"`;
  return `${shown} is one too many; conditions are joined by "and" or "or"`;
}
