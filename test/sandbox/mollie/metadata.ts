/** The pairs of a merchant's metadata that are text, for the book's filter and for fault rules. */
export function textPairs(metadata: unknown): Record<string, string> {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return {};
  const pairs = Object.entries(metadata).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  return Object.fromEntries(pairs);
}
