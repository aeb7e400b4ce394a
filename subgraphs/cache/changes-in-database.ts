import type { Sql } from "postgres";
import type { ChangeFeedOptions, Changes } from "./change-feed.ts";

/** Whose changes: the functions of `schema/sql` that tell and forget them. */
const FUNCTIONS = {
  merchants: {
    since: "select up_to, merchant, id, changed_by from merchants.changes_since($1, $2, $3)",
    forget: "select merchants.forget_changes()",
  },
  methods: {
    since: "select up_to, merchant, id, changed_by from payments.method_changes_since($1, $2, $3)",
    forget: "select payments.forget_method_changes()",
  },
} as const;

/** A transaction that was open for this long when it changed something, and we started, is not heard of at the start. */
const OPEN_TRANSACTION_MS = 15 * 60_000;

type Row = {
  readonly up_to: string;
  readonly merchant: string | null;
  readonly id: string | null;
  readonly changed_by: string | null;
};

/**
 * How a change feed asks the database. Merchants and ids are uuids.
 * @param keptMs how long copies are kept at most, in whatever tier
 */
export function changesInDatabase(
  sql: Sql,
  whose: keyof typeof FUNCTIONS,
  keptMs: number,
): Required<Pick<ChangeFeedOptions, "read" | "prune">> {
  const { since, forget } = FUNCTIONS[whose];
  const lookback = Math.ceil((keptMs + OPEN_TRANSACTION_MS) / 1_000);
  return {
    async read(position, limit): Promise<Changes> {
      const rows = await sql.unsafe<Row[]>(since, [position, lookback, limit], { prepare: true });
      const upTo = rows[0]?.up_to;
      if (upTo === undefined) throw new Error("invariant broken: changes come with a position");
      const changes = rows.flatMap(({ merchant, id, changed_by: transaction }) =>
        merchant === null || id === null || transaction === null ? [] : [{ merchant, id, transaction }],
      );
      return { upTo, changes };
    },
    async prune() {
      await sql.unsafe(forget, [], { prepare: true });
    },
  };
}
