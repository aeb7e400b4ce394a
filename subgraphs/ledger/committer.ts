import type { KeyObject } from "node:crypto";
import type { Logger } from "pino";
import { connectAs, type DatabaseUrl } from "../database/pool.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { homeOf } from "../kernel/ids.ts";
import type { Commit, CommitResult } from "./commit.ts";
import { AccountIds } from "./lanes/account-ids.ts";
import { refusalOf } from "./lanes/check.ts";
import { entryOf } from "./lanes/entry.ts";
import type { ChainBroken } from "./lanes/heads.ts";
import { Lane } from "./lanes/lane.ts";
import type { SealedBatch } from "./lanes/seal.ts";

/** Applies commits: the one write door to payments, ledger, risk decisions and the outbox. */
export type ApplyCommit = (commit: Commit) => Promise<CommitResult>;

export type Committer = {
  /**
   * Applies a commit, with whatever else was queued for its lane. A commit whose answer was lost is looked up and
   * sent again by itself. Throws when the database stays unreachable, and the commit may then have happened; also
   * {@link ChainBroken} for a shard whose chain is not ours, and then it has not.
   */
  readonly commit: ApplyCommit;
  /** Takes no more commits of a shard whose chain is not ours. */
  freeze(broken: ChainBroken): void;
  /** Commits that wait for a batch, in all lanes. */
  readonly queued: number;
  /** Applies what is queued, and ends. */
  close(): Promise<void>;
};

export type CommitterOptions = {
  readonly url: DatabaseUrl;
  /** About one for each core that the database has. */
  readonly lanes: number;
  /** With which the chains of batches are made; it never reaches the database. */
  readonly auditKey: KeyObject;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly maxCommitsPerBatch?: number;
  /** Commits that may wait in a lane before those that take a key are turned away. */
  readonly maxQueued?: number;
  /** Called with every batch that was applied. */
  readonly onBatch?: (batch: SealedBatch) => void;
};

const MAX_COMMITS_PER_BATCH = 1_000;
const MAX_TRANSFERS_PER_BATCH = 2_000;
/** Of one lane. Beyond it, commits that take a key are turned away; the others are never. */
const MAX_QUEUED = 20_000;

/** Every row that a batch needs is reached by its primary key, whatever the statistics say of a table that grows. */
const BY_KEY = {
  enable_seqscan: "off",
  enable_bitmapscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
};

/** Opens the committer: lanes with a connection each; a shard's commits all go through one of them. */
export function openCommitter(options: CommitterOptions): Committer {
  const { url, log, auditKey, clock = systemClock, maxQueued = MAX_QUEUED, onBatch = () => {} } = options;
  const accounts = new AccountIds();
  const limits = {
    commits: options.maxCommitsPerBatch ?? MAX_COMMITS_PER_BATCH,
    transfers: MAX_TRANSFERS_PER_BATCH,
  };
  const lanes = Array.from({ length: options.lanes }, () => {
    const sql = connectAs("tessera_committer", url, { connections: 1, settings: BY_KEY });
    return { sql, lane: new Lane({ sql, accounts, auditKey, clock, log, limits, onBatch }) };
  });
  const laneOf = (shard: number) => (lanes[shard % lanes.length] as (typeof lanes)[number]).lane;
  return {
    freeze: (broken) => laneOf(broken.shard).freeze(broken),
    // No async function: for each of the hottest calls it would be a promise more around the lane's.
    commit(commit) {
      try {
        const { shard } = homeOf(commit.merchant);
        const lane = laneOf(shard);
        if (commit.claim !== undefined && lane.queued >= maxQueued)
          return Promise.resolve({ outcome: "overloaded" });
        const reason = refusalOf(commit, shard);
        if (reason !== null) return Promise.resolve({ outcome: "refused", reason });
        return lane.apply(entryOf(commit, accounts, shard));
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
    get queued() {
      return lanes.reduce((sum, { lane }) => sum + lane.queued, 0);
    },
    async close() {
      await Promise.all(lanes.map(({ lane }) => lane.idle()));
      await Promise.all(lanes.map(({ sql }) => sql.end({ timeout: 2 })));
    },
  };
}
