/**
 * A small checker of JSON values against the schemas of an OpenAPI 3.1 description: enough for Mollie's, which uses
 * `$ref` with members beside it, lists of types, `enum`, `required`, `properties`, `items`, `allOf`, `oneOf`, `anyOf`,
 * `pattern`, `maxLength` and bounds. Enumerations that Mollie marks as open (`x-speakeasy-unknown-values`) count as
 * closed: the sandbox makes nothing up. Members that a schema does not name are reported.
 */

export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Only in answers, or only in requests. */
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
};

type Media = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
type Operation = {
  readonly requestBody?: Media;
  readonly responses: Readonly<Record<string, Media & { readonly $ref?: string }>>;
};

export type OpenApi = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, Media>>;
  };
};

/** What is wrong with `value`, each with its path; empty where it fits. Members that nobody names are wrong. */
export function problems(api: OpenApi, schema: Schema, value: unknown, path = "$"): string[] {
  const found = mismatches(api, schema, value, path);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return found;
  const names = namedMembers(api, schema);
  if (names === null) return found;
  const unnamed = Object.keys(value).filter((name) => !names.has(name));
  return [...found, ...unnamed.map((name) => `${path}.${name}: nobody names it`)];
}

function resolve(api: OpenApi, { $ref = "" }: Schema): Schema {
  const target = api.components.schemas[$ref.replace("#/components/schemas/", "")];
  if (target === undefined) throw new Error(`the description has no ${$ref}`);
  return target;
}

/** All schemas that a value must fit at the same time. */
function parts(api: OpenApi, schema: Schema): Schema[] {
  const { $ref, allOf = [], ...own } = schema;
  const others = [...allOf, ...($ref === undefined ? [] : [resolve(api, schema)])];
  return [own, ...others.flatMap((other) => parts(api, other))];
}

/** The members that a schema names; null where any may be. */
function namedMembers(api: OpenApi, schema: Schema): Set<string> | null {
  const names = new Set<string>();
  for (const part of parts(api, schema)) {
    if (part.oneOf !== undefined || part.anyOf !== undefined || part.additionalProperties === true)
      return null;
    for (const name of Object.keys(part.properties ?? {})) names.add(name);
  }
  return names.size === 0 ? null : names;
}

function mismatches(api: OpenApi, schema: Schema, value: unknown, path: string): string[] {
  return parts(api, schema).flatMap((part) => {
    const alternatives = part.oneOf ?? part.anyOf;
    const chosen =
      alternatives === undefined
        ? []
        : (alternatives
            .map((one) => mismatches(api, one, value, path))
            .sort((a, b) => a.length - b.length)[0] ?? []);
    return [...chosen, ...ownMismatches(api, part, value, path)];
  });
}

function ownMismatches(api: OpenApi, part: Schema, value: unknown, path: string): string[] {
  const types = part.type === undefined ? [] : [part.type].flat();
  const actual = typeOf(value);
  const fits = types.includes(actual) || (actual === "integer" && types.includes("number"));
  if (types.length > 0 && !fits) return [`${path}: ${actual}, not ${types.join(" or ")}`];
  if (value === null) return [];
  if (part.enum !== undefined && !part.enum.includes(value)) {
    return [`${path}: ${JSON.stringify(value)} is not one of ${JSON.stringify(part.enum)}`];
  }
  if (typeof value === "string") return textMismatches(part, value, path);
  if (typeof value === "number") {
    const { minimum = -Infinity, maximum = Infinity } = part;
    return value < minimum || value > maximum ? [`${path}: ${value} is out of bounds`] : [];
  }
  if (Array.isArray(value)) {
    const { items } = part;
    return items === undefined
      ? []
      : value.flatMap((item, at) => problems(api, items, item, `${path}[${at}]`));
  }
  return typeof value === "object" ? memberMismatches(api, part, value as Record<string, unknown>, path) : [];
}

function textMismatches({ pattern, maxLength = Infinity }: Schema, value: string, path: string): string[] {
  if (pattern !== undefined && !new RegExp(pattern).test(value)) return [`${path}: does not fit ${pattern}`];
  return value.length > maxLength ? [`${path}: longer than ${maxLength}`] : [];
}

function memberMismatches(
  api: OpenApi,
  part: Schema,
  value: Record<string, unknown>,
  path: string,
): string[] {
  const found = (part.required ?? [])
    .filter((name) => value[name] === undefined)
    .map((name) => `${path}.${name}: missing`);
  for (const [name, member] of Object.entries(value)) {
    const expected = part.properties?.[name];
    if (expected !== undefined) found.push(...problems(api, expected, member, `${path}.${name}`));
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function operationOf(api: OpenApi, method: string, path: string): Operation {
  const operation = api.paths[path]?.[method.toLowerCase()];
  if (operation === undefined) throw new Error(`the description has no ${method} ${path}`);
  return operation;
}

/** The schema of an answer, or null where the description has one without a body. */
export function answerSchema(api: OpenApi, method: string, path: string, status: number): Schema | null {
  const response = operationOf(api, method, path).responses[status];
  if (response === undefined) throw new Error(`the description has no ${status} for ${method} ${path}`);
  const named = response.$ref?.replace("#/components/responses/", "");
  const media = named === undefined ? response : api.components.responses[named];
  return media?.content?.["application/hal+json"]?.schema ?? null;
}

/** The schema of a request's body. */
export function requestSchema(api: OpenApi, method: string, path: string): Schema {
  const schema = operationOf(api, method, path).requestBody?.content?.["application/json"]?.schema;
  if (schema === undefined) throw new Error(`the description has no body for ${method} ${path}`);
  return schema;
}
