/**
 * Just enough of SQL's lexical structure (PostgreSQL documentation, 4.1) to look for words in it: comments go, the
 * contents of strings go, bodies of functions are taken out, and what is left is cut into statements.
 */
export type SqlStatement = {
  /** The file that it is in. */
  readonly file: string;
  /** The function whose body it is in; null outside of functions. */
  readonly inside: string | null;
  /** In lower case, with single spaces, without comments and without what strings say. */
  readonly text: string;
};

/** Without comments and without what strings say; each body between dollars is replaced by `$$<its number>$$`. */
function stripped(sql: string): { text: string; bodies: string[] } {
  const bodies: string[] = [];
  const text = sql.replace(
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|\$(\w*)\$([\s\S]*?)\$\1\$/g,
    (token: string, _tag: string | undefined, body: string | undefined) => {
      if (token.startsWith("'")) return "''";
      if (!token.startsWith("$")) return " ";
      bodies.push(body ?? "");
      return ` $$${bodies.length - 1}$$ `;
    },
  );
  return { text: text.toLowerCase(), bodies };
}

/** At semicolons that are in no parentheses. */
function cut(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    else if (text[at] === ";" && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.replace(/\s+/g, " ").trim()).filter((part) => part !== "");
}

const FUNCTION = /^create (?:or replace )?(?:function|procedure) ([\w.]+)/;
/** `as $$…$$`, or, in a block of `do`, nothing before it. */
const BODY = /\$\$(\d+)\$\$/g;

/** All statements of some SQL, also those inside functions, in their order. */
export function statementsOf(sql: string, file: string, inside: string | null = null): SqlStatement[] {
  const { text, bodies } = stripped(sql);
  return cut(text).flatMap((statement): SqlStatement[] => {
    const name = FUNCTION.exec(statement)?.[1] ?? inside;
    const within = [...statement.matchAll(BODY)].flatMap(([, number]) =>
      statementsOf(bodies[Number(number)] ?? "", file, name),
    );
    return [{ file, inside, text: statement.replace(BODY, "''") }, ...within];
  });
}
