import { err, ok, type Result } from "../result.ts";
import type { ErrorCode, Fault } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { looksLikeCurrency, numberLiteral, opposite } from "./literals.ts";
import {
  type Collection,
  type Comparison,
  depthOf,
  instantMs,
  isLiteral,
  type Junction,
  type Literal,
  type Node,
  type Operation,
  type Span,
  spanning,
  type TextMatch,
} from "./syntax.ts";
import { leftOver, type Token, tokenize } from "./tokens.ts";

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);
/** Stands where a fault was found; nobody looks at it, since the fault is what is answered. */
const HOLE: Node = { kind: "boolean", value: false, at: { start: 0, end: 0 } };

/**
 * Reads one expression from `source`, between the given offsets, into its tree. Takes time in proportion to the text.
 * Only the first fault is told: what comes after a mistake in writing is guesswork.
 */
export function parse(source: string, start = 0, end = source.length): Result<Node, Fault> {
  if (end - start > LIMITS.textLength) {
    const message = `an expression has at most ${LIMITS.textLength} characters; this one has ${end - start}`;
    return err({ code: "TOO_LONG", message, at: { start: start + LIMITS.textLength, end } });
  }
  const tokens = tokenize(source, start, end);
  return tokens.ok ? new Parser(tokens.value).whole() : tokens;
}

/**
 * Recursive descent, one method for each level of binding, loosest first. At a fault the parser remembers it and goes
 * to the end of the text: every loop then ends by itself, and nothing is thrown.
 */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  #nodes = 0;
  #fault: Fault | null = null;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Result<Node, Fault> {
    const tree = this.#or();
    if (this.#token.kind !== "end") this.#refuse("UNEXPECTED", leftOver(this.#token), this.#token.at);
    if (this.#fault === null && depthOf(tree) > LIMITS.depth) this.#tooDeep(tree.at);
    return this.#fault === null ? ok(tree) : err(this.#fault);
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #refuse(code: ErrorCode, message: string, at: Span): Node {
    this.#fault ??= { code, message, at };
    this.#next = this.#tokens.length - 1;
    return HOLE;
  }

  #tooDeep(at: Span): Node {
    return this.#refuse("TOO_DEEP", `an expression is nested at most ${LIMITS.depth} levels deep`, at);
  }

  /** Takes the token if it is one of the words or symbols. */
  #take(...texts: readonly string[]): Token | null {
    const token = this.#token;
    if (token.kind !== "word" && token.kind !== "symbol") return null;
    if (!texts.includes(token.text)) return null;
    this.#next++;
    return token;
  }

  #expect(text: string, because: string): number {
    const token = this.#token;
    if (this.#take(text) !== null) return token.at.end;
    const code = token.kind === "end" ? "UNEXPECTED_END" : "UNEXPECTED";
    this.#refuse(code, `"${text}" is missing here, ${because}`, token.at);
    return token.at.end;
  }

  #count<N extends Node | Collection>(node: N): N {
    if (++this.#nodes > LIMITS.nodes)
      this.#refuse("TOO_LARGE", `an expression has at most ${LIMITS.nodes} parts; use a list`, node.at);
    return node;
  }

  /** What may contain itself goes through here, so that recursion is bounded whatever the text. */
  #nested(read: () => Node): Node {
    if (this.#depth >= LIMITS.depth) return this.#tooDeep(this.#token.at);
    this.#depth++;
    const node = read();
    this.#depth--;
    return node;
  }

  #or(): Node {
    return this.#junction("or", () => this.#junction("and", () => this.#not()));
  }

  #junction(kind: Junction["kind"], read: () => Node): Node {
    const first = read();
    if (this.#token.kind !== "word" || this.#token.text !== kind) return first;
    const parts = [first];
    while (this.#take(kind) !== null) parts.push(read());
    const at = spanning(first, parts.at(-1) as Node);
    return this.#count({
      kind,
      parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])),
      at,
    });
  }

  #not(): Node {
    const not = this.#take("not");
    if (not === null) return this.#relation();
    const operand = this.#nested(() => this.#not());
    return this.#count({ kind: "not", operand, at: { start: not.at.start, end: operand.at.end } });
  }

  #relation(): Node {
    const left = this.#sum();
    const relation = this.#relationTo(left);
    const { kind, text, at } = this.#token;
    if (relation === left || kind !== "symbol" || !COMPARISONS.has(text)) return relation;
    const message = 'two comparisons are joined by "and"; for a range write "x in 1..5"';
    return this.#refuse("CHAINED_COMPARISON", message, at);
  }

  #relationTo(left: Node): Node {
    const token = this.#token;
    if (this.#take(...COMPARISONS) !== null) {
      const right = this.#sum();
      const operator = token.text as Comparison;
      return this.#count({ kind: "compare", operator, left, right, at: spanning(left, right) });
    }
    if (this.#take("is") !== null) {
      const which = this.#take("missing", "present");
      if (which === null)
        return this.#refuse("UNEXPECTED", 'after "is" comes "missing" or "present"', this.#token.at);
      const at = { start: left.at.start, end: which.at.end };
      return this.#count({ kind: "is", missing: which.text === "missing", operand: left, at });
    }
    if (this.#take("not") !== null) {
      this.#expect("in", 'as in x not in ["a", "b"]');
      return this.#membership(left, true);
    }
    if (this.#take("in") !== null) return this.#membership(left, false);
    const operator = this.#textMatch();
    if (operator === null) return left;
    const right = this.#sum();
    return this.#count({ kind: "match", operator, left, right, at: spanning(left, right) });
  }

  #textMatch(): TextMatch | null {
    const token = this.#take("starts", "ends", "contains", "like");
    if (token === null) return null;
    if (token.text === "contains" || token.text === "like") return token.text;
    this.#expect("with", `as in x ${token.text} with "abc"`);
    return token.text === "starts" ? "starts with" : "ends with";
  }

  #membership(item: Node, negated: boolean): Node {
    const collection = this.#collection();
    const at = { start: item.at.start, end: collection.at.end };
    return this.#count({ kind: "in", negated, item, collection, at });
  }

  #collection(): Collection {
    const token = this.#token;
    if (this.#take("[") !== null) return this.#list(token.at.start);
    if (token.kind === "list") {
      this.#next++;
      return { kind: "named list", name: token.text, at: token.at };
    }
    const from = this.#sum();
    if (this.#take("..") === null) return { kind: "field list", list: from, at: from.at };
    const to = this.#sum();
    return { kind: "range", from, to, at: spanning(from, to) };
  }

  #list(start: number): Collection {
    const items: Literal[] = [];
    do {
      const item = this.#unary();
      if (!isLiteral(item))
        this.#refuse(
          "LITERAL_NEEDED",
          "a list holds texts and numbers as they are, nothing to work out",
          item.at,
        );
      else items.push(item);
      if (items.length > LIMITS.listItems)
        this.#refuse("TOO_LARGE", `a list has at most ${LIMITS.listItems} items; use a named list`, item.at);
    } while (this.#take(",") !== null);
    const end = this.#expect("]", "where the list ends");
    return { kind: "list", items, at: { start, end } };
  }

  #sum(): Node {
    return this.#operations(["+", "-"], () => this.#operations(["*", "/"], () => this.#unary()));
  }

  #operations(operators: readonly Operation[], read: () => Node): Node {
    let left = read();
    for (let sign = this.#take(...operators); sign !== null; sign = this.#take(...operators)) {
      const right = read();
      const operator = sign.text as Operation;
      left = this.#count({ kind: "arithmetic", operator, left, right, at: spanning(left, right) });
    }
    return left;
  }

  #unary(): Node {
    const minus = this.#take("-");
    if (minus === null) return this.#primary();
    const operand = this.#nested(() => this.#unary());
    const at = { start: minus.at.start, end: operand.at.end };
    const literal = isLiteral(operand) ? opposite(operand, at) : null;
    return literal ?? this.#count({ kind: "negative", operand, at });
  }

  #primary(): Node {
    const token = this.#token;
    if (token.kind === "end")
      return this.#refuse("UNEXPECTED_END", "the text ends where a value should be", token.at);
    this.#next++;
    if (token.kind === "text") return this.#count({ kind: "text", value: token.text, at: token.at });
    if (token.kind === "number") return this.#number(token);
    if (token.kind === "name")
      return this.#take("(") === null
        ? this.#count({ kind: "name", name: token.text, at: token.at })
        : this.#call(token);
    if (token.kind === "list")
      return this.#refuse("UNEXPECTED", `a named list stands after "in": x in @${token.text}`, token.at);
    if (token.text === "true" || token.text === "false")
      return this.#count({ kind: "boolean", value: token.text === "true", at: token.at });
    if (token.text === "(") {
      const inner = this.#nested(() => this.#or());
      const end = this.#expect(")", "where the parenthesis ends");
      return { ...inner, at: { start: token.at.start, end } };
    }
    if (token.text === "[")
      return this.#refuse("UNEXPECTED", 'a list stands after "in": x in ["a", "b"]', token.at);
    return this.#refuse("UNEXPECTED", `a value should be here, not "${token.text}"`, token.at);
  }

  #number(token: Token): Node {
    let { suffix, at } = token;
    const next = this.#token;
    if (suffix === "" && looksLikeCurrency(next)) {
      suffix = next.text;
      at = { start: at.start, end: next.at.end };
      this.#next++;
    }
    const literal = numberLiteral({ digits: token.text, suffix, at });
    return "code" in literal ? this.#refuse(literal.code, literal.message, at) : this.#count(literal);
  }

  #call(name: Token): Node {
    const list: Node[] = [];
    if (this.#take(")") === null) {
      do list.push(this.#nested(() => this.#or()));
      while (this.#take(",") !== null);
      this.#expect(")", "where the arguments end");
    }
    const at = {
      start: name.at.start,
      end: this.#tokens[Math.max(0, this.#next - 1)]?.at.end ?? name.at.end,
    };
    if (list.length > LIMITS.arguments)
      return this.#refuse("TOO_LARGE", `a function takes at most ${LIMITS.arguments} values`, at);
    return name.text === "instant"
      ? this.#instant(list, at)
      : this.#count({ kind: "call", name: name.text, arguments: list, at });
  }

  #instant(list: readonly Node[], at: Span): Node {
    const [only] = list;
    if (list.length !== 1 || only?.kind !== "text" || instantMs(only.value) === null)
      return this.#refuse(
        "BAD_INSTANT",
        'a moment is written instant("2026-01-31") or instant("2026-01-31T09:30:00Z")',
        at,
      );
    return this.#count({ kind: "instant", text: only.value, at });
  }
}
