import { decodeHeader, encodeHeader, HEADER_BYTES } from "./chain.ts";
import { type ChainedBatch, checkpointLeaf } from "./checkpoint.ts";
import { rootOf } from "./merkle.ts";
import { DIGEST_BYTES } from "./sha256.ts";

/**
 * A batch with the leaf hashes of its rows, one behind the other, or null if they were not kept. With them one
 * can say which row is not what it was, even if whoever owns the database has computed everything in it anew.
 */
export type BatchLeaves = ChainedBatch & { readonly leaves: Buffer | null };

const FIXED_BYTES = HEADER_BYTES + DIGEST_BYTES + 1;

/** The object beside a checkpoint: its batches in the tree's order, each header | MAC | u8 1 and leaves, or 0. */
export function encodeLeaves(batches: readonly BatchLeaves[]): Buffer {
  return Buffer.concat(
    batches.flatMap(({ header, mac, leaves }) => [
      encodeHeader(header),
      mac,
      Buffer.of(leaves === null ? 0 : 1),
      leaves ?? Buffer.alloc(0),
    ]),
  );
}

/**
 * The batches in an object, or null if that is not the one whose tree has `root`. Leaves that are not those of
 * their batch are null: the store does not sign them, but the batch's root does.
 */
export function openLeaves(bytes: Buffer, root: Buffer): BatchLeaves[] | null {
  const batches: BatchLeaves[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const header = decodeHeader(bytes, offset);
    const kept = bytes[offset + FIXED_BYTES - 1];
    if (header === null || header.count < 1 || (kept !== 0 && kept !== 1)) return null;
    const mac = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + DIGEST_BYTES);
    offset += FIXED_BYTES;
    const length = kept * header.count * DIGEST_BYTES;
    if (offset + length > bytes.length) return null;
    const leaves = bytes.subarray(offset, offset + length);
    offset += length;
    batches.push({
      header,
      mac,
      leaves: kept === 1 && rootOf(splitLeaves(leaves)).equals(header.root) ? leaves : null,
    });
  }
  return batches.length > 0 && rootOf(batches.map(checkpointLeaf)).equals(root) ? batches : null;
}

/** Leaf hashes one by one, from one behind the other. */
export function splitLeaves(leaves: Buffer): Buffer[] {
  return Array.from({ length: leaves.length / DIGEST_BYTES }, (_, i) =>
    leaves.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES),
  );
}
