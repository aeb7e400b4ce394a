import type { SqlStatement } from "./text.ts";

/**
 * Which tables a statement touches without saying of which shard. Each must be bound to one (`t.shard = $1`, or to the
 * column of an array or record that carries it), or joined by shard to one that is.
 */
export function unboundTables({ text }: SqlStatement, sharded: ReadonlySet<string>): string[] {
  if (DEFINES.test(text)) return [];
  const touched = touchedTables(text, sharded);
  const bound = new Set<string>();
  const joined: [string, string][] = [];
  const names = new Set(touched.map(({ alias }) => alias));
  for (const { 1: qualifier, 2: value = "", index } of text.matchAll(EQUALS)) {
    const of = value.endsWith(".shard") ? value.slice(0, -".shard".length) : null;
    // Without a qualifier it is a column of the table that was named last.
    const left = qualifier?.slice(0, -1) ?? touched.findLast((one) => one.at < index)?.alias ?? "";
    if (of !== null && names.has(of) && names.has(left)) joined.push([left, of]);
    else if (names.has(left)) bound.add(left);
    else if (of !== null && names.has(of)) bound.add(of);
  }
  // A join passes on what either side is bound to.
  for (let before = -1; before < bound.size; ) {
    before = bound.size;
    for (const [one, other] of joined) {
      if (bound.has(one)) bound.add(other);
      if (bound.has(other)) bound.add(one);
    }
  }
  return touched
    .filter(({ alias, insertsShard }) => !insertsShard && !bound.has(alias))
    .map(({ table }) => table);
}

/** What defines something, moves no rows of it. */
const DEFINES = /^(create|alter|drop|grant|revoke|comment|analyze)\b/;
/** The alias is looked at and left for the next match. */
const TOUCHES = /(?:\b(?:from|join|update|using|into)|,)\s+(?:only )?(\w+\.\w+)(?=(?:\s+(?:as\s+)?(\w+))?)/g;
const EQUALS = /(?:\b(\w+\.)|(?<![.\w]))shard ?= ?(?:any ?\(+ ?)?([$\w.]+)/g;
const NO_ALIAS: ReadonlySet<string> = new Set(
  "where set select values on join left right inner cross order group limit for using union returning offset window fetch".split(
    " ",
  ),
);

type Touched = {
  readonly table: string;
  readonly alias: string;
  /** Where in the statement. */
  readonly at: number;
  readonly insertsShard: boolean;
};

function touchedTables(text: string, sharded: ReadonlySet<string>): Touched[] {
  return [...text.matchAll(TOUCHES)].flatMap(({ 1: table = "", 2: word, index }) => {
    if (!sharded.has(table)) return [];
    const alias = word === undefined || NO_ALIAS.has(word) ? table : word;
    return [{ table, alias, at: index, insertsShard: insertsShard(text.slice(index), table) }];
  });
}

/** An INSERT of whole rows has their shard; one with a list of columns must name it. */
function insertsShard(text: string, table: string): boolean {
  const found = new RegExp(`^into ${table.replace(".", "\\.")}(?: as \\w+)? ?(?:\\(([^)]*)\\)|select)`).exec(
    text,
  );
  return found !== null && (found[1] === undefined || /\bshard\b/.test(found[1]));
}
