import { createHmac, type KeyObject } from "node:crypto";
import { invariant } from "../../kernel/result.ts";
import { DIGEST_BYTES } from "./sha256.ts";

/** The transfers that one shard got in one database transaction. */
export type BatchHeader = {
  readonly shard: number;
  /** From 1, without gaps. */
  readonly number: bigint;
  /** Of its first transfer; the others follow without gaps. */
  readonly firstSeq: bigint;
  /** Transfers in it, at least 1. */
  readonly count: number;
  /** Microseconds since the Unix epoch, the same for each of its transfers. */
  readonly atMicros: bigint;
  /** Of the Merkle tree over its transfers, in order of seq. */
  readonly root: Buffer;
};

const VERSION = 1;
export const HEADER_BYTES = 63;

/** What stands for the MAC before a shard's first batch. */
export const GENESIS: Buffer = Buffer.alloc(DIGEST_BYTES);

/** A header in bytes. Layout: docs/audit.md. */
export function encodeHeader(header: BatchHeader): Buffer {
  invariant(header.root.length === DIGEST_BYTES, "a root is a digest");
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt8(VERSION, 0);
  bytes.writeInt16BE(header.shard, 1);
  bytes.writeBigInt64BE(header.number, 3);
  bytes.writeBigInt64BE(header.firstSeq, 11);
  bytes.writeInt32BE(header.count, 19);
  bytes.writeBigInt64BE(header.atMicros, 23);
  header.root.copy(bytes, 31);
  return bytes;
}

/** The header that `encodeHeader` wrote at `offset`, or null if it did not write that. */
export function decodeHeader(bytes: Buffer, offset = 0): BatchHeader | null {
  if (bytes.length < offset + HEADER_BYTES || bytes[offset] !== VERSION) return null;
  return {
    shard: bytes.readInt16BE(offset + 1),
    number: bytes.readBigInt64BE(offset + 3),
    firstSeq: bytes.readBigInt64BE(offset + 11),
    count: bytes.readInt32BE(offset + 19),
    atMicros: bytes.readBigInt64BE(offset + 23),
    root: Buffer.from(bytes.subarray(offset + 31, offset + HEADER_BYTES)),
  };
}

/**
 * The batch's MAC: HMAC-SHA-256(key, previous || header). Whoever lacks the key cannot continue the chain, nor
 * change anything that it has passed.
 *
 * @param previous the MAC of the shard's batch before this one, or `GENESIS`
 */
export function macOf(key: KeyObject, previous: Buffer, header: BatchHeader): Buffer {
  invariant(previous.length === DIGEST_BYTES, "a MAC is a digest");
  return createHmac("sha256", key).update(previous).update(encodeHeader(header)).digest();
}
