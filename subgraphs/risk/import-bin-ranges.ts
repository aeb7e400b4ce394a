import type { Sql } from "postgres";

/**
 * Imports issuer ranges: CSV lines `prefix,country` (6 to 8 digits, ISO 3166-1 alpha-2), a header line first. A
 * prefix that is there already is replaced. For the operator: takes a connection that owns the schema. Gives how
 * many ranges it took; throws on the first line that is not one, naming it, and imports nothing then.
 */
export async function importBinRanges(owner: Sql, csv: string): Promise<number> {
  const rows = csv
    .split(/\r?\n/)
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .slice(1)
    .filter(({ line }) => line !== "")
    .map(({ line, number }) => {
      const match = /^(\d{6,8}),([A-Z]{2})$/.exec(line);
      if (match === null) throw new Error(`line ${number} is not "prefix,country": ${line}`);
      return { prefix: match[1] as string, country: match[2] as string };
    });
  if (rows.length === 0) return 0;
  await owner`
    insert into risk.bin_range ${owner(rows, "prefix", "country")}
    on conflict (prefix) do update set country = excluded.country`;
  return rows.length;
}
