import { invariant } from "../../kernel/result.ts";
import { DIGEST_BYTES, hashInto } from "./sha256.ts";

// Merkle trees of RFC 9162, section 2.1: n leaves split at the largest power of two below n, which is the same as
// pairing the nodes of each level from the left and lifting the one that stays alone. An inner node is
// SHA-256(0x01 || left || right); leaves come hashed, with 0x00 before them.

const node = Buffer.alloc(1 + 2 * DIGEST_BYTES);
node[0] = 1;

/**
 * The root over leaf hashes, of which there is at least one.
 */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  invariant(leaves.length > 0, "a tree has a leaf");
  const level = levelOf(leaves);
  for (let width = leaves.length; width > 1; width = lift(level, width));
  return Buffer.from(level.subarray(0, DIGEST_BYTES));
}

/**
 * The inclusion proof of the leaf at `index`: the siblings on its way to the root, lowest first (RFC 9162, 2.1.3).
 */
export function pathOf(leaves: readonly Buffer[], index: number): Buffer[] {
  invariant(index >= 0 && index < leaves.length, "the leaf is in the tree");
  const level = levelOf(leaves);
  const path: Buffer[] = [];
  let position = index;
  for (let width = leaves.length; width > 1; width = lift(level, width)) {
    const sibling = position ^ 1;
    if (sibling < width) path.push(Buffer.from(digestAt(level, sibling)));
    position >>= 1;
  }
  return path;
}

/**
 * The root that a path leads to, or null if no path of a tree of `count` leaves looks so (RFC 9162, 2.1.3.2).
 */
export function rootFromPath(
  leaf: Buffer,
  index: number,
  count: number,
  path: readonly Buffer[],
): Buffer | null {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 0 && index < count))
    return null;
  if (leaf.length !== DIGEST_BYTES || path.some((sibling) => sibling.length !== DIGEST_BYTES)) return null;
  let digest = Buffer.from(leaf);
  let used = 0;
  let position = index;
  for (let width = count; width > 1; width = Math.ceil(width / 2)) {
    if (position % 2 === 1 || position + 1 < width) {
      const sibling = path[used++];
      if (sibling === undefined) return null;
      digest = position % 2 === 1 ? innerNode(sibling, digest) : innerNode(digest, sibling);
    }
    position = Math.floor(position / 2);
  }
  return used === path.length ? digest : null;
}

function innerNode(left: Buffer, right: Buffer): Buffer<ArrayBuffer> {
  left.copy(node, 1);
  right.copy(node, 1 + DIGEST_BYTES);
  const digest = Buffer.alloc(DIGEST_BYTES);
  hashInto(digest, 0, node);
  return digest;
}

/** The leaves, one behind the other. */
function levelOf(leaves: readonly Buffer[]): Buffer {
  const level = Buffer.allocUnsafe(leaves.length * DIGEST_BYTES);
  leaves.forEach((leaf, i) => {
    invariant(leaf.length === DIGEST_BYTES, "a leaf is a digest");
    leaf.copy(level, i * DIGEST_BYTES);
  });
  return level;
}

const digestAt = (level: Buffer, position: number): Buffer =>
  level.subarray(position * DIGEST_BYTES, (position + 1) * DIGEST_BYTES);

/** Replaces a level of `width` nodes by the one above it, in place, and gives that one's width. */
function lift(level: Buffer, width: number): number {
  const pairs = width >> 1;
  for (let i = 0; i < pairs; i++) {
    level.copy(node, 1, 2 * i * DIGEST_BYTES, 2 * (i + 1) * DIGEST_BYTES);
    hashInto(level, i * DIGEST_BYTES, node);
  }
  if (width % 2 === 1)
    level.copy(level, pairs * DIGEST_BYTES, (width - 1) * DIGEST_BYTES, width * DIGEST_BYTES);
  return pairs + (width % 2);
}
