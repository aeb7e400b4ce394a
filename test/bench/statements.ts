import type { Sql } from "postgres";

/** How often a statement ran, and how long it took in the server (ms, without parsing and the network). */
export type Statement = {
  readonly query: string;
  readonly role: string;
  readonly calls: number;
  readonly ms: number;
  /** Sent by a client; else it ran inside a function. */
  readonly sent: boolean;
};

/**
 * Makes Postgres count statements, those inside functions as well; costs a few per cent while it is on. A setting that
 * the server was started with could not be changed like this.
 */
export async function trackStatements(admin: Sql, on: boolean): Promise<void> {
  await admin.unsafe(`alter system set pg_stat_statements.track = '${on ? "all" : "none"}'`);
  await admin`select pg_reload_conf()`;
}

export async function forgetStatements(admin: Sql): Promise<void> {
  await admin`select pg_stat_statements_reset()`;
}

/** What ran in a database since then, the longest first, without what the bench itself has asked there. */
export async function readStatements(
  admin: Sql,
  database: string,
  own: readonly string[],
): Promise<Statement[]> {
  const rows = await admin<{ query: string; role: string; calls: string; ms: number; sent: boolean }[]>`
    select s.query, r.rolname as role, s.calls::text, s.total_exec_time as ms, s.toplevel as sent
    from pg_stat_statements s
    join pg_database d on d.oid = s.dbid
    join pg_roles r on r.oid = s.userid
    where d.datname = ${database} and not (s.toplevel and r.rolname = any (${own as string[]}))
    order by s.total_exec_time desc`;
  return rows.map(({ query, calls, ...rest }) => ({
    ...rest,
    query: query.replace(/\s+/g, " ").trim(),
    calls: Number(calls),
  }));
}
