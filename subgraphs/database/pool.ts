import postgres, { type Sql } from "postgres";

/** The ways into the database; each is a role of `schema/sql` that can do little. */
export type DatabaseRole =
  | "tessera_merchants"
  | "tessera_payments"
  | "tessera_ledger"
  | "tessera_risk"
  | "tessera_settlement"
  | "tessera_routing"
  | "tessera_committer"
  | "tessera_recovery"
  | "tessera_relay"
  | "tessera_projector"
  | "tessera_reconciler"
  | "tessera_auditor";

export type DatabaseUrl = string;

export type PoolOptions = {
  readonly connections: number;
  readonly statementTimeoutMs?: number;
  /** Settings of the connections besides those that all have, such as planner options. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
};

/**
 * A pool whose connections take `role` when they start. The URL's login user must be a member of it (a
 * superuser is). bigint columns are read as bigint; statements are prepared.
 */
export function connectAs(role: DatabaseRole, url: DatabaseUrl, options: PoolOptions): Sql {
  return postgres(url, {
    max: options.connections,
    idle_timeout: 0,
    connect_timeout: 10,
    // In seconds. The driver's own goes up to 20, and keeps whoever asks waiting long after the database is back.
    backoff: (attempts: number) => Math.min(0.01 * 2 ** attempts, 0.25) * (0.5 + Math.random()),
    fetch_types: false,
    types: { bigint: postgres.BigInt },
    onnotice: () => {},
    connection: {
      role,
      application_name: role,
      statement_timeout: options.statementTimeoutMs ?? 10_000,
      // Plans are the same for every merchant; a custom plan per call would be planned each time.
      plan_cache_mode: "force_generic_plan",
      ...options.settings,
    },
  } as postgres.Options<{ bigint: postgres.PostgresType<bigint> }>);
}
