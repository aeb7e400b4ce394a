/**
 * A JSON body (RFC 8259) as fields. A field's name is its path, "paymentMethod.number"; a name that is not plain is
 * written in brackets, `additionalData["a.b"]`, and an element by its index, `items[0].sku`: no two places have the
 * same path, so that none can pass for an allowed one.
 *
 * The text is never written anew: strings that are swapped are replaced where they stand, so numbers, spaces and
 * order reach the provider as the region wrote them.
 */
const MAX_DEPTH = 16;
const MAX_FIELDS = 1_000;
const MAX_NAME_LENGTH = 256;

/** What some parsers take for the object's own prototype; no provider has such a field. */
const REFUSED_NAMES = new Set(["__proto__", "constructor", "prototype"]);

/** One token of text that is known to be JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{}:,]|[^\s[\]{}:,"]+/g;

type JsonField = {
  readonly name: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
};

/** An object or a list that is being read: its path, and where in it the next value goes. */
type Open = {
  readonly path: string;
  readonly seen: Set<string> | null;
  /** The name read last, or null where a name must come next; for a list the next element's index. */
  at: string | number | null;
};

export type JsonBody = {
  readonly fields: readonly JsonField[];
  readonly names: readonly string[];
  write(values: readonly string[]): string;
};

/**
 * Every scalar of a JSON object, a number or literal as its text. Null if the text is not one JSON object, nests deeper
 * than 16, has more than 1,000 values or names, repeats a name, or has one of more than 256 characters or that could
 * stand for a prototype.
 */
export function jsonBody(text: string): JsonBody | null {
  if (!isJsonObject(text)) return null;
  const fields: JsonField[] = [];
  const names: string[] = [];
  const open: Open[] = [];
  for (const { 0: token, index: from } of text.matchAll(TOKENS)) {
    const inside = open.at(-1);
    if (token === "{" || token === "[") {
      if (open.length === MAX_DEPTH) return null;
      const path = inside === undefined ? "" : pathTo(inside);
      open.push(token === "{" ? { path, seen: new Set(), at: null } : { path, seen: null, at: 0 });
    } else if (token === "}" || token === "]") open.pop();
    else if (token === ",") toNext(inside);
    else if (token === ":") continue;
    else if (inside?.at === null) {
      const name = JSON.parse(token) as string;
      if (REFUSED_NAMES.has(name) || name.length > MAX_NAME_LENGTH || inside.seen?.has(name)) return null;
      inside.seen?.add(name);
      inside.at = name;
      names.push(name);
    } else if (inside !== undefined) {
      const value = token.startsWith('"') ? (JSON.parse(token) as string) : token;
      fields.push({ name: pathTo(inside), value, from, to: from + token.length });
    }
    if (fields.length > MAX_FIELDS || names.length > MAX_FIELDS) return null;
  }
  return { fields, names, write: (values) => replaced(text, fields, values) };
}

function isJsonObject(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json);
  } catch {
    return false;
  }
}

function toNext(inside: Open | undefined): void {
  if (inside === undefined) return;
  inside.at = typeof inside.at === "number" ? inside.at + 1 : null;
}

function pathTo({ path, at }: Open): string {
  if (typeof at === "number") return `${path}[${at}]`;
  const name = at ?? "";
  if (!/^[\w-]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

function replaced(text: string, fields: readonly JsonField[], values: readonly string[]): string {
  let written = "";
  let done = 0;
  for (const [at, { value, from, to }] of fields.entries()) {
    const other = values[at] ?? value;
    if (other === value) continue;
    written += text.slice(done, from) + JSON.stringify(other);
    done = to;
  }
  return written + text.slice(done);
}
