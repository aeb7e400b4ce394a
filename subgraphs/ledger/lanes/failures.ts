/** What an error of the database says of a batch. */
export type Failure =
  /** It may have been applied, or could not be tried: look where the chain stands and send it again. */
  | "again"
  /** Another writer has continued a chain: follow it. */
  | "moved"
  /** The ledger refuses one of its commits: judge each. */
  | "judge"
  /** One of its commits was applied before: look all of them up. */
  | "recall"
  /** Something else is wrong with one of its commits: find it by halves. */
  | "split";

const AGAIN = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "55P03", // lock_not_available
  "57014", // query_canceled: the statement's time was up
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "08000",
  "08003",
  "08006", // connection_failure
  "53300", // too_many_connections
  "ECONNRESET",
  "ECONNREFUSED",
  "EPIPE",
  "ENOENT", // a Unix socket that is not there yet
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
]);
const BY_CODE: Readonly<Record<string, Failure>> = {
  TS001: "moved",
  TS002: "judge", // an unknown account, a limit, a part that a pending transfer has not
  "23505": "recall", // unique_violation
};

export function failureOf(error: unknown): Failure {
  const code = codeOf(error);
  if (AGAIN.has(code)) return "again";
  return BY_CODE[code] ?? "split";
}

/** numeric_value_out_of_range: a balance would pass 2^63. */
export const isOutOfRange = (error: unknown): boolean => codeOf(error) === "22003";

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
