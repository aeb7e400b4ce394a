import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import { jsonBody } from "./json-body.ts";

/**
 * A request body as named fields, whatever its encoding: the rules about placeholders are then the same for
 * every format.
 */
export type Field = { readonly name: string; readonly value: string };

export type ParsedBody = {
  readonly contentType: BodyType;
  readonly fields: readonly Field[];
  /** Every name as its sender wrote it, also of what has no value: where a placeholder or a number could hide. */
  readonly names: readonly string[];
  /** The same body with these values, in the order of `fields`; a value that is the same leaves its bytes as they were. */
  write(values: readonly string[]): string;
};

export const BODY_TYPES = ["application/x-www-form-urlencoded", "application/json"] as const;
export type BodyType = (typeof BODY_TYPES)[number];

export type BodyRefusal = { readonly code: "UNSUPPORTED_MEDIA_TYPE" | "INVALID_REQUEST" };

type BodyParts = Omit<ParsedBody, "contentType">;

/** application/x-www-form-urlencoded (WHATWG URL, section 5), what Stripe speaks. Order and repeats are kept. */
function formBody(text: string): BodyParts {
  const fields = [...new URLSearchParams(text)].map(([name, value]) => ({ name, value }));
  return {
    fields,
    names: fields.map(({ name }) => name),
    write: (values) =>
      new URLSearchParams(fields.map(({ name, value }, at) => [name, values[at] ?? value])).toString(),
  };
}

const FORMATS: Readonly<Record<BodyType, (text: string) => BodyParts | null>> = {
  "application/x-www-form-urlencoded": formBody,
  "application/json": jsonBody,
};

/**
 * Parses a body by its content type. Only UTF-8: a provider that is told another encoding reads other fields than
 * those that were checked here.
 */
export function parseBody(
  contentType: string | undefined,
  bytes: Uint8Array,
): Result<ParsedBody, BodyRefusal> {
  const type = bodyType(contentType);
  if (type === undefined) return err({ code: "UNSUPPORTED_MEDIA_TYPE" });
  const text = decode(bytes);
  const parts = text === null ? null : FORMATS[type](text);
  return parts === null ? err({ code: "INVALID_REQUEST" }) : ok({ contentType: type, ...parts });
}

function bodyType(contentType = ""): BodyType | undefined {
  const [, name] = /^([^;]+?)\s*(?:;\s*charset="?utf-8"?\s*)?$/i.exec(contentType.trim()) ?? [];
  return BODY_TYPES.find((type) => type === name?.toLowerCase());
}

/** Null for what is not UTF-8: replaced bytes would not be those that were sent. A byte order mark stays, and is no JSON. */
function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
