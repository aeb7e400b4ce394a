/**
 * Checks JSON against the published description (OpenAPI 3.1, as far as Adyen uses it). Where a schema says that it has no
 * other members, other members are a problem: this holds for requests as well as for answers.
 */

export type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly maxLength?: number;
  readonly minLength?: number;
};

export type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

type Content = { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
type Operation = { readonly requestBody: Content; readonly responses: Readonly<Record<string, Content>> };

/** What is wrong with `value`, each with its path; empty where it fits. */
export function problems(api: Description, schema: Schema, value: unknown, path = "$"): string[] {
  if (schema.$ref !== undefined) {
    const target = api.components.schemas[schema.$ref.replace("#/components/schemas/", "")];
    return target === undefined ? [`${path}: unknown ${schema.$ref}`] : problems(api, target, value, path);
  }
  if (schema.oneOf !== undefined) {
    // The alternative with the fewest problems speaks for all.
    const found = schema.oneOf.map((alternative) => problems(api, alternative, value, path));
    return found.sort((a, b) => a.length - b.length)[0] ?? [];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return [`${path}: ${JSON.stringify(value)} is not one of ${JSON.stringify(schema.enum)}`];
  }
  const actual = typeOf(value);
  if (schema.type !== undefined && schema.type !== actual) return [`${path}: ${actual}, not ${schema.type}`];
  if (typeof value === "string") {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
    return value.length < minLength || value.length > maxLength ? [`${path}: of a wrong length`] : [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => problems(api, schema.items ?? {}, item, `${path}[${at}]`));
  }
  return actual === "object" ? memberProblems(api, schema, value as Record<string, unknown>, path) : [];
}

function memberProblems(
  api: Description,
  schema: Schema,
  value: Record<string, unknown>,
  path: string,
): string[] {
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined);
  const found = missing.map((name) => `${path}.${name}: missing`);
  const { properties = {}, additionalProperties = true } = schema;
  for (const [name, member] of Object.entries(value)) {
    const expected = properties[name] ?? additionalProperties;
    if (expected === false) found.push(`${path}.${name}: unknown`);
    else if (expected !== true) found.push(...problems(api, expected, member, `${path}.${name}`));
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (Number.isInteger(value)) return "integer";
  return typeof value;
}

const JSON_TYPE = "application/json";

/** The schema of a POST's body, or of its answer with this status. Throws where the description has none. */
export function schemaOf(api: Description, path: string, part: "request" | number): Schema {
  const operation = api.paths[path]?.["post"];
  const content = part === "request" ? operation?.requestBody : operation?.responses[part];
  const schema = content?.content?.[JSON_TYPE]?.schema;
  if (schema === undefined) throw new Error(`the description has no ${part} for ${path}`);
  return schema;
}
