import type { Logger } from "pino";
import type { Sql } from "postgres";
import { connectAs, type DatabaseUrl } from "../database/pool.ts";

/** An event as it leaves the outbox. */
export type OutboxRow = {
  readonly id: string;
  readonly merchant: string;
  readonly type: string;
  readonly body: unknown;
  readonly createdAt: Date;
};

/** Takes events inside the relay's transaction: what it writes there is written with the mark, or not at all. */
export type Consume = (sql: Sql, events: readonly OutboxRow[]) => Promise<void>;

export type Relay = {
  start(): void;
  stop(): Promise<void>;
  /** Moves at most one batch; answers how many events it moved. */
  pump(): Promise<number>;
};

const POLL_MS = 75;
const BATCH = 500;

/**
 * Moves events from the outbox to their consumer. Rows are claimed, delivered and marked in one transaction;
 * several relays share the work, since claimed rows are skipped by the others. After a crash the rows are
 * there again.
 */
export function createRelay(options: {
  readonly url: DatabaseUrl;
  readonly consume: Consume;
  readonly log: Logger;
}): Relay {
  const sql = connectAs("tessera_relay", options.url, { connections: 1 });
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;

  const pump = async (): Promise<number> =>
    sql.begin(async (transaction) => {
      const tx = transaction as unknown as Sql;
      const rows = await tx.unsafe<ClaimedRow[]>("select * from payments.claim_events($1)", [BATCH], {
        prepare: true,
      });
      if (rows.length === 0) return 0;
      await options.consume(
        tx,
        rows.map(({ id, merchant, type, body, created_at: createdAt }) => ({
          id,
          merchant,
          type,
          body,
          createdAt,
        })),
      );
      await tx.unsafe(
        "select payments.mark_published($1::text::smallint[], $2::text::uuid[])",
        [`{${rows.map((row) => row.shard).join(",")}}`, `{${rows.map((row) => row.id).join(",")}}`],
        { prepare: true },
      );
      return rows.length;
    });

  const loop = async () => {
    let moved = 0;
    try {
      moved = await pump();
    } catch (error) {
      options.log.error({ err: error }, "events wait in the outbox: the relay will try again");
    }
    // A full batch means that there is more.
    if (!stopped)
      timer = setTimeout(
        () => {
          running = loop();
        },
        moved === BATCH ? 0 : POLL_MS,
      );
  };

  return {
    pump,
    start() {
      running = loop();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      await sql.end({ timeout: 2 });
    },
  };
}

type ClaimedRow = {
  readonly shard: number;
  readonly id: string;
  readonly merchant: string;
  readonly type: string;
  readonly body: unknown;
  readonly created_at: Date;
};
