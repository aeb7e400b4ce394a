/**
 * A request body as named fields, whatever its encoding: the rules about placeholders are then the same for
 * every format. Another format (JSON, with the path as the name) is another entry in `FORMATS`.
 */
export type Field = { readonly name: string; readonly value: string };

export type ParsedBody = {
  readonly fields: readonly Field[];
  /** The same body with these values, in the order of `fields`. */
  write(values: readonly string[]): string;
};

type BodyFormat = { parse(text: string): ParsedBody };

/** application/x-www-form-urlencoded (WHATWG URL, section 5), what Stripe speaks. Order and repeats are kept. */
const form: BodyFormat = {
  parse(text) {
    const fields = [...new URLSearchParams(text)].map(([name, value]) => ({ name, value }));
    return {
      fields,
      write: (values) =>
        new URLSearchParams(fields.map(({ name, value }, at) => [name, values[at] ?? value])).toString(),
    };
  },
};

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([["application/x-www-form-urlencoded", form]]);

/** Parses a body by its content type; null if no format is known for it. */
export function parseBody(contentType: string | undefined, text: string): ParsedBody | null {
  const type = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  return FORMATS.get(type)?.parse(text) ?? null;
}
