/**
 * Form encoding with nested brackets, as Stripe reads bodies and query strings:
 * `a=1&card[number]=42&types[]=card&expand[0]=x`.
 *
 * Decoded objects have no prototype, so that a parameter named `__proto__` is only a parameter.
 */

import { invalidRequest } from "./errors.ts";

export type FormValue = string | FormValue[] | FormFields;
export interface FormFields {
  [name: string]: FormValue;
}

/** A decoded form: the tree, and the flat pairs in the order sent (for fingerprints). */
export type DecodedForm = { readonly fields: FormFields; readonly pairs: readonly [string, string][] };

const MAX_PAIRS = 1_000;
const MAX_DEPTH = 8;
const EMPTY: DecodedForm = { fields: emptyFields(), pairs: [] };

/**
 * Decodes a form body or a query string (without its question mark).
 * Throws a 400 `Refusal` on malformed percent signs, on too many pairs and on too deep nesting.
 */
export function decodeForm(text: string): DecodedForm {
  if (text === "") return EMPTY;
  const parts = text.split("&");
  if (parts.length > MAX_PAIRS) throw invalidRequest(`A request may carry at most ${MAX_PAIRS} parameters.`);
  const fields = emptyFields();
  const pairs: [string, string][] = [];
  for (const part of parts) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodePart(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? "" : decodePart(part.slice(equals + 1));
    pairs.push([name, value]);
    place(fields, pathOf(name), value);
  }
  return { fields, pairs };
}

function emptyFields(): FormFields {
  return Object.create(null) as FormFields;
}

function decodePart(part: string): string {
  if (!part.includes("%") && !part.includes("+")) return part;
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    throw invalidRequest("The request has a malformed percent-encoding.");
  }
}

/** `a[b][]` becomes `["a", "b", ""]`; a name with unbalanced brackets is one plain name. */
function pathOf(name: string): string[] {
  const open = name.indexOf("[");
  if (open <= 0 || !name.endsWith("]")) return [name];
  const path = [name.slice(0, open), ...name.slice(open + 1, -1).split("][")];
  if (path.length > MAX_DEPTH) throw invalidRequest(`Parameters may nest at most ${MAX_DEPTH} deep.`);
  return path;
}

/** Puts one value into the tree. A later scalar wins over an earlier one, as in most form readers. */
function place(root: FormFields, path: readonly string[], value: string): void {
  let at: FormFields | FormValue[] = root;
  for (let depth = 0; depth < path.length; depth++) {
    const step = path[depth] ?? "";
    const last = depth === path.length - 1;
    const next: FormValue = last ? value : path[depth + 1] === "" ? [] : emptyFields();
    if (Array.isArray(at)) {
      at.push(next);
      if (typeof next === "string") return;
      at = next;
      continue;
    }
    const existing: FormValue | undefined = at[step];
    if (!last && existing !== undefined && typeof existing !== "string") {
      at = existing;
      continue;
    }
    at[step] = next;
    if (typeof next === "string") return;
    at = next;
  }
}

/** The pairs in a canonical order: sorted by name, repeated names in the order they were sent. */
export function canonicalPairs(pairs: readonly [string, string][]): string {
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
}

/** What `encodeForm` takes; `undefined` members are left out. */
export type Encodable =
  | string
  | number
  | boolean
  | undefined
  | readonly Encodable[]
  | { readonly [name: string]: Encodable };

/** Encodes nested values the way Stripe's clients do: `card[number]=…`, `expand[0]=…`. */
export function encodeForm(value: { readonly [name: string]: Encodable }): string {
  const pairs: string[] = [];
  const walk = (name: string, at: Encodable): void => {
    if (at === undefined) return;
    if (typeof at !== "object") pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(at))}`);
    else if (Array.isArray(at)) at.forEach((item, index) => walk(`${name}[${index}]`, item));
    else for (const [key, item] of Object.entries(at)) walk(`${name}[${key}]`, item);
  };
  for (const [name, item] of Object.entries(value)) walk(name, item);
  return pairs.join("&");
}
