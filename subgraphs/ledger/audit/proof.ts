import { type CanonicalTransfer, leafOf } from "./canonical.ts";
import type { BatchHeader } from "./chain.ts";
import { checkpointLeaf } from "./checkpoint.ts";
import { type FoundCheckpoint, findCheckpoint } from "./find-checkpoint.ts";
import type { VerifyingKeys } from "./keys.ts";
import { type BatchLeaves, openLeaves, splitLeaves } from "./leaves.ts";
import { pathOf, rootOf } from "./merkle.ts";
import { leavesName, type ObjectStore } from "./object-store.ts";

/** An account's name, which its id is a digest of. */
export type ProvenAccount = { readonly book: string; readonly code: string };

/** A row, with the accounts that it names; an account whose name is not known is left out. */
export type NamedTransfer = {
  readonly row: CanonicalTransfer;
  readonly debit?: ProvenAccount | undefined;
  readonly credit?: ProvenAccount | undefined;
};

export const PROOF_FORMAT = "tessera.proof.v1";

/**
 * All that `verify-proof.mjs` needs besides the public key, as JSON: whole numbers of 64 bits are decimal text,
 * digests hexadecimal.
 */
export type AuditProof = {
  readonly format: typeof PROOF_FORMAT;
  readonly row: {
    readonly [K in keyof CanonicalTransfer]: CanonicalTransfer[K] extends bigint
      ? string
      : CanonicalTransfer[K];
  };
  readonly accounts: { readonly debit?: ProvenAccount; readonly credit?: ProvenAccount };
  /** From the row's leaf to the batch's root; its place in the batch follows from seq. */
  readonly path: readonly string[];
  readonly batch: {
    readonly number: string;
    readonly firstSeq: string;
    readonly count: number;
    readonly mac: string;
  };
  /** From the batch's leaf, at `index`, to the checkpoint's root. */
  readonly checkpoint: {
    readonly index: number;
    readonly path: readonly string[];
    readonly signed: string;
    readonly signature: string;
  };
};

/** Why a row has no proof. */
export type NotProven =
  /** No checkpoint has its batch yet. */
  | "pending"
  /** It was posted before the chains began, or what is beside its checkpoint is gone. */
  | "unavailable"
  /** It is not the row that its batch was made of: the audit has to look. */
  | "altered";

export type ProofResult = { readonly proof: AuditProof } | { readonly missing: NotProven };

export type ProofSource = {
  readonly store: ObjectStore;
  readonly keys: VerifyingKeys;
  /** The rows of a batch in order, for one whose leaves are not beside its checkpoint. */
  readonly rowsOf: (header: BatchHeader) => Promise<readonly CanonicalTransfer[]>;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
};

export type Proofs = { proofOf(named: NamedTransfer): Promise<ProofResult> };

/** A row that no checkpoint has after so long is not about to be in one. */
const PENDING_MS = 60_000;
const CACHED_OBJECTS = 16;

/** Makes proofs from what the checkpointer has written; the database is asked only for leaves that are not there. */
export function createProofs({ store, keys, rowsOf, now = Date.now }: ProofSource): Proofs {
  const opened = new Map<string, Promise<readonly BatchLeaves[] | null>>();

  /** What is beside a checkpoint; a journal's rows are all in one. */
  function open({ stem, checkpoint }: FoundCheckpoint): Promise<readonly BatchLeaves[] | null> {
    const known = opened.get(stem);
    if (known !== undefined) return known;
    const bytes = store.get(leavesName(stem));
    const batches = bytes.then((found) => (found === null ? null : openLeaves(found, checkpoint.root)));
    opened.set(stem, batches);
    batches.catch(() => opened.delete(stem));
    const [oldest] = opened.keys();
    if (opened.size > CACHED_OBJECTS && oldest !== undefined) opened.delete(oldest);
    return batches;
  }

  return {
    async proofOf(named) {
      const { shard, seq, atMicros } = named.row;
      const atMs = Number(atMicros / 1_000n);
      const found = await findCheckpoint(store, keys, { shard, atMs, has: ({ lastSeq }) => lastSeq >= seq });
      if (found === null) return { missing: now() - atMs < PENDING_MS ? "pending" : "unavailable" };
      const batches = await open(found);
      const index = batches?.findIndex(({ header }) => header.shard === shard && has(header, seq)) ?? -1;
      const batch = batches?.[index];
      if (batches === null || batch === undefined) return { missing: "unavailable" };
      const leaves =
        batch.leaves === null ? (await rowsOf(batch.header)).map(leafOf) : splitLeaves(batch.leaves);
      const place = Number(seq - batch.header.firstSeq);
      const isWhole = leaves.length === batch.header.count && rootOf(leaves).equals(batch.header.root);
      if (!isWhole || !leaves[place]?.equals(leafOf(named.row))) return { missing: "altered" };
      return { proof: assemble(named, found, batches, index, pathOf(leaves, place)) };
    },
  };
}

const has = ({ firstSeq, count }: BatchHeader, seq: bigint): boolean =>
  firstSeq <= seq && seq < firstSeq + BigInt(count);

const hex = (digest: Buffer): string => digest.toString("hex");

function assemble(
  { row, debit, credit }: NamedTransfer,
  { signed }: FoundCheckpoint,
  batches: readonly BatchLeaves[],
  index: number,
  path: readonly Buffer[],
): AuditProof {
  const { header, mac } = batches[index] as BatchLeaves;
  return {
    format: PROOF_FORMAT,
    row: {
      ...row,
      seq: String(row.seq),
      debit: String(row.debit),
      credit: String(row.credit),
      amount: String(row.amount),
      atMicros: String(row.atMicros),
      content: String(row.content),
    },
    accounts: { ...(debit === undefined ? {} : { debit }), ...(credit === undefined ? {} : { credit }) },
    path: path.map(hex),
    batch: {
      number: String(header.number),
      firstSeq: String(header.firstSeq),
      count: header.count,
      mac: hex(mac),
    },
    checkpoint: {
      index,
      path: pathOf(batches.map(checkpointLeaf), index).map(hex),
      signed: signed.text,
      signature: signed.signature.toString("base64url"),
    },
  };
}
