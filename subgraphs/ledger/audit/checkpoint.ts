import { sign, verify } from "node:crypto";
import { type BatchHeader, encodeHeader } from "./chain.ts";
import type { SigningKey, VerifyingKeys } from "./keys.ts";
import { rootOf } from "./merkle.ts";
import { sha256 } from "./sha256.ts";

/** A batch that is in the books. */
export type ChainedBatch = { readonly header: BatchHeader; readonly mac: Buffer };

/** What a checkpoint has of one shard: batches `from` to `to`, the last of them with its last row and its MAC. */
export type Span = {
  readonly shard: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly lastSeq: bigint;
  readonly mac: Buffer;
};

/** What someone who cannot change it later says of batches. */
export type Checkpoint = {
  /** The process that wrote it. */
  readonly writer: string;
  /** Of this writer's checkpoints, from 1, without gaps. */
  readonly number: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Digest of the writer's previous one; of its first, that of the newest it found, or `NO_CHECKPOINT`. */
  readonly previous: Buffer;
  /** In order of shard. */
  readonly spans: readonly Span[];
  /** How many batches its tree has. */
  readonly batches: number;
  /** Of the tree over its batches, in order of shard and number. */
  readonly root: Buffer;
  /** The `kid` of the key that signs it. */
  readonly key: string;
};

/** As it is kept: the text is what is signed, in UTF-8, so that nobody needs to write JSON the way we do. */
export type SignedCheckpoint = { readonly text: string; readonly signature: Buffer };

export const FORMAT = "tessera.checkpoint.v1";
/** What stands for the one before the very first. */
export const NO_CHECKPOINT: Buffer = Buffer.alloc(32);

/** Order of batches in a checkpoint's tree. */
export function byShardAndNumber(a: ChainedBatch, b: ChainedBatch): number {
  if (a.header.shard !== b.header.shard) return a.header.shard - b.header.shard;
  return a.header.number < b.header.number ? -1 : a.header.number > b.header.number ? 1 : 0;
}

/** A batch's leaf in a checkpoint's tree: SHA-256(0x00 || header || mac). */
export function checkpointLeaf({ header, mac }: ChainedBatch): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), encodeHeader(header), mac]));
}

/**
 * What a checkpoint says of batches: at least one, in order of shard and number, each once, and those of a shard
 * without gaps.
 */
export function summaryOf(batches: readonly ChainedBatch[]): Pick<Checkpoint, "spans" | "batches" | "root"> {
  const spans: Span[] = [];
  for (const { header, mac } of batches) {
    const { shard, number: to } = header;
    const lastSeq = header.firstSeq + BigInt(header.count) - 1n;
    const open = spans.at(-1);
    if (open?.shard === shard) spans[spans.length - 1] = { shard, from: open.from, to, lastSeq, mac };
    else spans.push({ shard, from: to, to, lastSeq, mac });
  }
  return { spans, batches: batches.length, root: rootOf(batches.map(checkpointLeaf)) };
}

export function signCheckpoint(
  checkpoint: Omit<Checkpoint, "key">,
  { kid, key }: SigningKey,
): SignedCheckpoint {
  const text = textOf({ ...checkpoint, key: kid });
  return { text, signature: sign(null, Buffer.from(text), key) };
}

function textOf({ writer, number, at, previous, spans, batches, root, key }: Checkpoint): string {
  return JSON.stringify({
    format: FORMAT,
    key,
    writer,
    number,
    at: new Date(at).toISOString(),
    previous: previous.toString("hex"),
    batches,
    root: root.toString("hex"),
    shards: spans.map(({ shard, from, to, lastSeq, mac }) => ({
      shard,
      from: String(from),
      to: String(to),
      lastSeq: String(lastSeq),
      mac: mac.toString("hex"),
    })),
  });
}

/** What the next checkpoint has as `previous`. */
export const digestOf = ({ text }: SignedCheckpoint): Buffer => sha256(Buffer.from(text));

/** The content of the object that keeps it. */
export function encodeSigned({ text, signature }: SignedCheckpoint): Buffer {
  return Buffer.from(
    `${JSON.stringify({ signed: text, signature: signature.toString("base64url") }, null, 1)}\n`,
  );
}

/** The checkpoint in an object, or null if it is not one; says nothing of its signature. */
export function decodeSigned(bytes: Buffer): SignedCheckpoint | null {
  try {
    const { signed, signature } = JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
    if (typeof signed !== "string" || typeof signature !== "string") return null;
    return { text: signed, signature: Buffer.from(signature, "base64url") };
  } catch {
    return null;
  }
}

/** The checkpoint that one of the keys has signed, or null. */
export function openCheckpoint(signed: SignedCheckpoint, keys: VerifyingKeys): Checkpoint | null {
  const checkpoint = readText(signed.text);
  const key = checkpoint === null ? undefined : keys.get(checkpoint.key);
  if (checkpoint === null || key === undefined) return null;
  return verify(null, Buffer.from(signed.text), key, signed.signature) ? checkpoint : null;
}

/** What a checkpoint's text says, or null if we do not write such. */
export function readText(text: string): Checkpoint | null {
  try {
    const said = JSON.parse(text) as Record<string, unknown>;
    const checkpoint: Checkpoint = {
      writer: string(said["writer"]),
      number: integer(said["number"]),
      at: Date.parse(string(said["at"])),
      previous: digest(said["previous"]),
      spans: (said["shards"] as Record<string, unknown>[]).map((span) => ({
        shard: integer(span["shard"]),
        from: BigInt(string(span["from"])),
        to: BigInt(string(span["to"])),
        lastSeq: BigInt(string(span["lastSeq"])),
        mac: digest(span["mac"]),
      })),
      batches: integer(said["batches"]),
      root: digest(said["root"]),
      key: string(said["key"]),
    };
    // Written again it must be the same: nothing is in it that we did not read.
    return textOf(checkpoint) === text ? checkpoint : null;
  } catch {
    return null;
  }
}

class Unreadable extends Error {}

function string(value: unknown): string {
  if (typeof value !== "string") throw new Unreadable();
  return value;
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Unreadable();
  return value as number;
}

function digest(value: unknown): Buffer {
  if (!/^[0-9a-f]{64}$/.test(string(value))) throw new Unreadable();
  return Buffer.from(value as string, "hex");
}
