import { connectAs } from "../database/pool.ts";
import { BrokenChain, catchUp } from "./audit/catch-up.ts";
import { chainReads } from "./audit/chain-reads.ts";
import { type Checkpointer, type CheckpointerProblem, createCheckpointer } from "./audit/checkpointer.ts";
import type { SigningKey, VerifyingKeys } from "./audit/keys.ts";
import type { ObjectStore } from "./audit/object-store.ts";
import { type Committer, type CommitterOptions, openCommitter } from "./committer.ts";
import { ChainBroken } from "./lanes/heads.ts";

export type AuditedOptions = Omit<CommitterOptions, "onBatch"> & {
  /** Where checkpoints go: outside the database. */
  readonly store: ObjectStore;
  readonly signingKey: SigningKey;
  /** Of all checkpoints that are in the store. */
  readonly keys: VerifyingKeys;
};

/**
 * The committer with its audit: every batch is told to the checkpointer. First it catches up with what a process that
 * died has committed and no checkpoint has; a shard whose chain does not continue its last checkpoint takes no commits.
 * @throws if database or store cannot be reached
 */
export async function openAuditedCommitter(options: AuditedOptions): Promise<Committer> {
  const { log, store, signingKey } = options;
  const checkpointer = createCheckpointer({
    store,
    key: signingKey,
    onProblem: (problem) => log.error({ problem: describe(problem) }, "the audit's checkpoints"),
  });
  const broken = await catchUpAll(options, checkpointer);
  const committer = openCommitter({ ...options, onBatch: (batch) => checkpointer.add(batch) });
  for (const one of broken) {
    log.fatal({ err: one, shard: one.shard }, "a shard is frozen: its chain is not what its checkpoint saw");
    committer.freeze(one);
  }
  return {
    ...committer,
    get queued() {
      return committer.queued;
    },
    async close() {
      await committer.close();
      await checkpointer.stop();
    },
  };
}

async function catchUpAll(
  { url, auditKey, store, keys }: AuditedOptions,
  checkpointer: Checkpointer,
): Promise<ChainBroken[]> {
  const sql = connectAs("tessera_committer", url, { connections: 1 });
  const broken: ChainBroken[] = [];
  try {
    const { heads, batchesAfter } = chainReads(sql);
    for (const head of await heads()) {
      try {
        await catchUp({ store, keys, auditKey, heads: [head], batchesAfter, checkpointer });
      } catch (error) {
        if (!(error instanceof BrokenChain)) throw error;
        broken.push(new ChainBroken(head.shard, error.message));
      }
    }
  } finally {
    await sql.end({ timeout: 2 });
  }
  return broken;
}

const describe = (problem: CheckpointerProblem) =>
  problem.kind === "store_failed" ? { ...problem, error: String(problem.error) } : { ...problem };
