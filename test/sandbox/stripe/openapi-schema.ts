/**
 * A small checker of JSON values against the schemas of an OpenAPI 3.0 description: enough for Stripe's, which
 * uses `$ref`, `type`, `nullable`, `enum`, `required`, `properties`, `additionalProperties`, `items`, `anyOf` and
 * `maxLength`. Members that a schema does not name are let through: the wire format grows by adding them.
 */

export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly maxLength?: number;
};

export type OpenApi = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

type Media = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
type Operation = { readonly responses: Readonly<Record<string, Media>> };

/** What is wrong with `value`, each with its path; empty where it fits. */
export function problems(api: OpenApi, schema: Schema, value: unknown, path = "$"): string[] {
  if (schema.$ref !== undefined) {
    const target = api.components.schemas[schema.$ref.replace("#/components/schemas/", "")];
    return target === undefined ? [`${path}: unknown ${schema.$ref}`] : problems(api, target, value, path);
  }
  if (value === null && schema.nullable === true) return [];
  if (schema.anyOf !== undefined) return anyProblems(api, schema.anyOf, value, path);
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [`${path}: ${JSON.stringify(value)} is not one of ${JSON.stringify(schema.enum)}`];
  }
  const actual = typeOf(value);
  if (
    schema.type !== undefined &&
    schema.type !== actual &&
    !(schema.type === "number" && actual === "integer")
  ) {
    return [`${path}: ${actual}, not ${schema.type}`];
  }
  if (typeof value === "string" && value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) {
    return [`${path}: longer than ${schema.maxLength}`];
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined
      ? []
      : value.flatMap((item, at) => problems(api, items, item, `${path}[${at}]`));
  }
  return actual === "object" ? memberProblems(api, schema, value as Record<string, unknown>, path) : [];
}

/** The alternative with the fewest problems speaks for all. */
function anyProblems(api: OpenApi, alternatives: readonly Schema[], value: unknown, path: string): string[] {
  const found = alternatives.map((alternative) => problems(api, alternative, value, path));
  return found.sort((a, b) => a.length - b.length)[0] ?? [];
}

function memberProblems(
  api: OpenApi,
  schema: Schema,
  value: Record<string, unknown>,
  path: string,
): string[] {
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined);
  const found = missing.map((name) => `${path}.${name}: missing`);
  for (const [name, member] of Object.entries(value)) {
    const named = schema.properties?.[name];
    const other = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const expected = named ?? other;
    if (expected !== undefined) found.push(...problems(api, expected, member, `${path}.${name}`));
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  return typeof value;
}

/** The schema of an answer with status 200, or of any error. */
export function answerSchema(api: OpenApi, method: string, path: string, status: number): Schema {
  const responses = api.paths[path]?.[method.toLowerCase()]?.responses;
  const schema = responses?.[status === 200 ? "200" : "default"]?.content?.["application/json"]?.schema;
  if (schema === undefined) throw new Error(`the description has no ${status} for ${method} ${path}`);
  return schema;
}
