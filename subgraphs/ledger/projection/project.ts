import type { Logger } from "pino";
import { connectAs, type DatabaseUrl } from "../../database/pool.ts";

export type Projector = {
  start(): void;
  /** Ends after what is under way. */
  stop(): Promise<void>;
  /** Projects at most one round of batches; says what it did. */
  pump(): Promise<Projected>;
};

export type Projected = {
  /** Transfers whose lines it wrote. */
  readonly transfers: number;
  /** Shards whose transfers are not what their batches say: nothing more of them is projected. */
  readonly stalled: readonly number[];
};

const POLL_MS = 100;
/** About how many transfers are projected in one transaction. */
const TRANSFERS = 5_000;

/**
 * Writes statements: follows the chain of every shard and writes, for both sides of each transfer, the account's
 * balances after it. What a round writes and how far it got are one transaction, so a crash anywhere leaves a batch
 * projected once or not at all; several projectors share the shards, each taking those that no other has locked.
 */
export function createProjector(options: { readonly url: DatabaseUrl; readonly log: Logger }): Projector {
  const sql = connectAs("tessera_projector", options.url, { connections: 1, statementTimeoutMs: 60_000 });
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;
  let reported = "";

  const pump = async (): Promise<Projected> => {
    const [row] = await sql.unsafe<{ projected: bigint | number; stalled: number[] | null }[]>(
      "select projected, to_json(stalled) as stalled from ledger.project_batches($1)",
      [TRANSFERS],
      { prepare: true },
    );
    return { transfers: Number(row?.projected ?? 0), stalled: row?.stalled ?? [] };
  };

  const loop = async () => {
    let transfers = 0;
    try {
      const projected = await pump();
      transfers = projected.transfers;
      report(projected.stalled);
    } catch (error) {
      options.log.error({ err: error }, "statements wait: the projector will try again");
    }
    if (stopped) return;
    // Whatever was found, more may have come meanwhile: only who finds nothing waits.
    timer = setTimeout(
      () => {
        running = loop();
      },
      transfers > 0 ? 0 : POLL_MS,
    );
  };

  /** Once for each set of shards, not ten times a second. */
  const report = (stalled: readonly number[]) => {
    const now = stalled.toSorted((a, b) => a - b).join();
    if (now !== "" && now !== reported)
      options.log.fatal(
        { shards: stalled },
        "transfers are not what their batches say: no statements of them",
      );
    reported = now;
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
