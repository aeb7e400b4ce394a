import type { Sql } from "postgres";

/** What Postgres has written since it was created, as far as it counts. */
export type ServerCounters = {
  readonly walBytes: number;
  readonly walSyncs: number;
  readonly fullPages: number;
};

/** Bytes are exact; the two others are told by backends about once a second. */
export async function readServerCounters(admin: Sql): Promise<ServerCounters> {
  const [row] = await admin<{ bytes: string; syncs: string; full_pages: string }[]>`
    select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::text as bytes,
      (select coalesce(sum(fsyncs), 0)::text from pg_stat_io where object = 'wal') as syncs,
      (select wal_fpi::text from pg_stat_wal) as full_pages`;
  return {
    walBytes: Number(row?.bytes),
    walSyncs: Number(row?.syncs),
    fullPages: Number(row?.full_pages),
  };
}

/** How many checkpoints were made so far, for whatever reason. */
export async function checkpointsDone(admin: Sql): Promise<number> {
  const [row] = await admin<{ done: string }[]>`select num_done::text as done from pg_stat_checkpointer`;
  return Number(row?.done);
}
