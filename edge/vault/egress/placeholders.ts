import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import type { Destination, Placeholder } from "./allow-list.ts";
import { PLACEHOLDERS } from "./allow-list.ts";
import type { ParsedBody } from "./body.ts";

/** What each field holds: a placeholder to swap, or null for its own value. In the order of the fields. */
export type SwapPlan = readonly (Placeholder | null)[];

const BY_TEXT: ReadonlyMap<string, Placeholder> = new Map(PLACEHOLDERS.map((name) => [`{{${name}}}`, name]));

/** Anything that reads like a placeholder; other text in double braces is the merchant's business. */
export function mentionsPlaceholder(text: string): boolean {
  return /\{\{\s*card\b/i.test(text);
}

export type PlanRefusal = {
  readonly code: "UNSUPPORTED_MEDIA_TYPE" | "FIELD_NOT_ALLOWED" | "NO_PLACEHOLDER";
};

/**
 * Decides which fields are swapped. A placeholder counts only as the complete value of a field that the
 * destination allows it in, in a body of the destination's type; as a part of a value, in a name or in another field
 * the whole request is refused, since the caller did not mean what it wrote. A request that needs no card has no
 * business here either.
 */
export function planSwap(
  { contentType, fields, names }: Pick<ParsedBody, "contentType" | "fields" | "names">,
  destination: Destination,
): Result<SwapPlan, PlanRefusal> {
  if (contentType !== destination.contentType) return err({ code: "UNSUPPORTED_MEDIA_TYPE" });
  if (names.some(mentionsPlaceholder)) return err({ code: "FIELD_NOT_ALLOWED" });
  const plan: (Placeholder | null)[] = [];
  for (const { name, value } of fields) {
    const placeholder = BY_TEXT.get(value) ?? null;
    const allowed = placeholder === null || destination.fields[placeholder].includes(name);
    const misplaced = placeholder === null && mentionsPlaceholder(value);
    if (!allowed || misplaced) return err({ code: "FIELD_NOT_ALLOWED" });
    plan.push(placeholder);
  }
  if (plan.every((placeholder) => placeholder === null)) return err({ code: "NO_PLACEHOLDER" });
  return ok(plan);
}
