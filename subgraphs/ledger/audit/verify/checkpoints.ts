import {
  type ChainedBatch,
  type Checkpoint,
  checkpointLeaf,
  decodeSigned,
  digestOf,
  openCheckpoint,
  summaryOf,
} from "../checkpoint.ts";
import type { VerifyingKeys } from "../keys.ts";
import { type BatchLeaves, openLeaves } from "../leaves.ts";
import { CHECKPOINTS, leavesName, type ObjectStore, stemOf, timePrefix } from "../object-store.ts";
import type { AuditDatabase, BatchSpan } from "./database.ts";
import { type Findings, rangeText } from "./findings.ts";

/** What the checkpoints say, after they have been held against the database. */
export type Witness = {
  readonly checkpoints: number;
  /** Each shard's last batch that a checkpoint has. */
  readonly coveredTo: ReadonlyMap<number, bigint>;
  /** Batches that the database has otherwise, by `batchKey`, as they were; only of those whose rows may differ. */
  readonly originals: ReadonlyMap<string, BatchLeaves>;
};

export type CheckpointPass = {
  readonly store: ObjectStore;
  readonly keys: VerifyingKeys;
  readonly database: Pick<AuditDatabase, "batchesOf">;
  readonly findings: Findings;
  /** Names of objects from which and up to which checkpoints are looked at. */
  readonly from: string | null;
  readonly to: string;
};

export const batchKey = (shard: number, number: bigint): string => `${shard}/${number}`;

/** Batches that are asked of the database at a time. */
const GROUP = 5_000;
/** Checkpoints that a writer's first may follow: those that others wrote while it looked for the newest. */
const REMEMBERED = 256;
const KEPT_ORIGINALS = 2_000;

type Named = { readonly stem: string; readonly name: string; readonly checkpoint: Checkpoint };

/**
 * Holds every checkpoint against the database: its signature, that the one before it is there, that none is
 * missing between a shard's, and that the database has its batches as they were. Reads checkpoints in order, and
 * what is kept of them only where the database differs.
 */
export async function verifyCheckpoints(pass: CheckpointPass): Promise<Witness> {
  const { store, keys, findings } = pass;
  const lineage = createLineage(findings, pass.from !== null);
  const coverage = createCoverage(findings);
  const originals = new Map<string, BatchLeaves>();
  let checkpoints = 0;
  let group: Named[] = [];
  let size = 0;
  const flush = async () => {
    await compare(pass, group, originals);
    group = [];
    size = 0;
  };
  const range = { ...(pass.from === null ? {} : { from: pass.from }), to: pass.to };
  for await (const name of store.list(CHECKPOINTS, range)) {
    const signed = decodeSigned((await store.get(name)) ?? Buffer.alloc(0));
    const checkpoint = signed === null ? null : openCheckpoint(signed, keys);
    const stem = stemOf(name);
    if (
      signed === null ||
      checkpoint === null ||
      stem !== `${timePrefix(checkpoint.at)}-${checkpoint.writer}`
    ) {
      findings.add({
        kind: "checkpoint_forged",
        object: name,
        detail: "not a checkpoint that our key has signed",
      });
      continue;
    }
    checkpoints += 1;
    lineage(name, checkpoint, digestOf(signed));
    coverage.add(name, checkpoint);
    group.push({ stem, name, checkpoint });
    size += checkpoint.batches;
    if (size >= GROUP) await flush();
  }
  await flush();
  return { checkpoints, coveredTo: coverage.to, originals };
}

/** Says of each checkpoint whether those before it are there. */
function createLineage(findings: Findings, midway: boolean) {
  const last = new Map<string, { readonly number: number; readonly digest: Buffer }>();
  const recent: string[] = ["00".repeat(32)];
  return (name: string, { writer, number, previous }: Checkpoint, digest: Buffer) => {
    const before = last.get(writer);
    const first =
      before === undefined && (midway || (number === 1 && recent.includes(previous.toString("hex"))));
    const next = before !== undefined && number === before.number + 1 && previous.equals(before.digest);
    if (!first && !next) {
      const detail = `the checkpoint before it, number ${number - 1} of ${writer} or its predecessor's last, is not there`;
      findings.add({ kind: "checkpoint_missing", object: name, detail });
    }
    last.set(writer, { number, digest });
    recent.push(digest.toString("hex"));
    if (recent.length > REMEMBERED) recent.splice(1, 1);
  };
}

/** Says where a shard's batches are in no checkpoint, between those that are. */
function createCoverage(findings: Findings) {
  const to = new Map<number, bigint>();
  return {
    to,
    add(name: string, { spans }: Checkpoint) {
      for (const { shard, from, to: last } of spans) {
        const before = to.get(shard);
        if (before !== undefined && from > before + 1n) {
          const detail = `batches ${rangeText(before + 1n, from - 1n)} are in no checkpoint before ${name}`;
          findings.add({ kind: "not_in_checkpoint", shard, batch: before + 1n, detail });
        }
        if (before === undefined || last > before) to.set(shard, last);
      }
    },
  };
}

async function compare(pass: CheckpointPass, group: readonly Named[], originals: Map<string, BatchLeaves>) {
  if (group.length === 0) return;
  const spans: BatchSpan[] = group.flatMap(({ checkpoint }) => [...checkpoint.spans]);
  const stored = await pass.database.batchesOf(spans);
  let index = 0;
  for (const named of group) {
    const batches = stored.slice(index, index + named.checkpoint.spans.length).flat();
    index += named.checkpoint.spans.length;
    if (!isAsSigned(batches, named.checkpoint)) await locate(pass, named, batches, originals);
  }
}

const isWhole = ({ header, mac }: ChainedBatch): boolean => header.root.length === 32 && mac.length === 32;

function isAsSigned(batches: readonly ChainedBatch[], { batches: count, root }: Checkpoint): boolean {
  return batches.length === count && batches.every(isWhole) && summaryOf(batches).root.equals(root);
}

/** Which of a checkpoint's batches the database has otherwise, by what was written beside it. */
async function locate(
  { store, findings }: CheckpointPass,
  { stem, name, checkpoint }: Named,
  stored: readonly ChainedBatch[],
  originals: Map<string, BatchLeaves>,
) {
  const object = leavesName(stem);
  const bytes = await store.get(object);
  const kept = bytes === null ? null : openLeaves(bytes, checkpoint.root);
  if (kept === null) {
    const detail = `${bytes === null ? "is not there" : "does not belong to its checkpoint"}, so that ${name} cannot tell which of its batches the database has otherwise`;
    findings.add({ kind: "checkpoint_forged", object, detail });
    for (const { shard, from, to } of checkpoint.spans) {
      const batches = `batches ${rangeText(from, to)} of this shard, or others that ${name} has`;
      findings.add({
        kind: "batch_altered",
        shard,
        batch: from,
        detail: `${batches}, are not what it has of them`,
      });
    }
    return;
  }
  const found = new Map(stored.map((batch) => [batchKey(batch.header.shard, batch.header.number), batch]));
  for (const original of kept) {
    const { shard, number, firstSeq, count, root } = original.header;
    const now = found.get(batchKey(shard, number));
    const rows = `rows ${rangeText(firstSeq, firstSeq + BigInt(count) - 1n)}`;
    if (now === undefined) {
      findings.add({
        kind: "batch_missing",
        shard,
        batch: number,
        detail: `${rows}: ${name} has it, the database not`,
      });
    } else if (!isWhole(now) || !checkpointLeaf(now).equals(checkpointLeaf(original))) {
      const what = now.header.root.equals(root)
        ? "its header or MAC is another, its rows' root the same"
        : "its rows' root is another";
      findings.add({
        kind: "batch_altered",
        shard,
        batch: number,
        detail: `${rows}: not what ${name} has: ${what}`,
      });
    } else continue;
    if (!now?.header.root.equals(root) && originals.size < KEPT_ORIGINALS)
      originals.set(batchKey(shard, number), original);
  }
}
