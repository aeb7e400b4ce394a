import { sha256 } from "./sha256.ts";

/**
 * A transfer as the audit sees it: every column of `ledger.transfer`. Numbers are the columns' own; a value that
 * does not fit its column is no transfer, and no table will take it.
 */
export type CanonicalTransfer = {
  readonly shard: number;
  readonly seq: bigint;
  /** A UUID in its text form. */
  readonly id: string;
  readonly kind: number;
  readonly cause: number;
  readonly debit: bigint;
  readonly credit: bigint;
  readonly amount: bigint;
  /** ASCII, at most 255 characters. */
  readonly currency: string;
  /** A UUID in its text form. */
  readonly pending: string | null;
  /** Microseconds since the Unix epoch. */
  readonly atMicros: bigint;
  readonly content: bigint;
};

/** Thrown for a row that has no canonical form: an id that is no UUID, a currency that is not ASCII. */
export class NotCanonical extends Error {}

const VERSION = 1;
const LEAF = 0;

// One row is written at a time, behind the byte that makes it a leaf: nothing is allocated for it.
const FIXED_BYTES = 88;
const MAX_CURRENCY = 255;
const scratch = Buffer.alloc(1 + FIXED_BYTES + MAX_CURRENCY);
const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length);
scratch[0] = LEAF;
scratch[1] = VERSION;
/** Views of the first n bytes of `scratch`, by n: a leaf's input has few lengths. */
const inputs: (Buffer | undefined)[] = [];

const NIL = "00000000-0000-0000-0000-000000000000";
/** Where the 16 bytes of a UUID stand in its text. */
const DIGITS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const NOT_HEX = 0xff;
const nibbles = new Uint8Array(256).fill(NOT_HEX);
for (let value = 0; value < 16; value++) {
  nibbles[value.toString(16).charCodeAt(0)] = value;
  nibbles[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

function writeUuid(uuid: string, offset: number): void {
  let seen = uuid.length === 36 ? 0 : NOT_HEX;
  for (let i = 0; i < 16; i++) {
    const digit = DIGITS[i] as number;
    const high = nibbles[uuid.charCodeAt(digit)] ?? NOT_HEX;
    const low = nibbles[uuid.charCodeAt(digit + 1)] ?? NOT_HEX;
    seen |= high | low;
    scratch[offset + i] = (high << 4) | low;
  }
  if (seen > 0x0f) throw new NotCanonical("an id is not a UUID");
}

/** Writes the row to `scratch` and gives where it ends. Layout: docs/audit.md. */
function write(transfer: CanonicalTransfer): number {
  view.setInt16(2, transfer.shard);
  view.setBigInt64(4, transfer.seq);
  writeUuid(transfer.id, 12);
  view.setInt16(28, transfer.kind);
  view.setInt16(30, transfer.cause);
  view.setBigInt64(32, transfer.debit);
  view.setBigInt64(40, transfer.credit);
  view.setBigInt64(48, transfer.amount);
  const { currency, pending } = transfer;
  if (currency.length > MAX_CURRENCY) throw new NotCanonical("a currency is too long");
  scratch[56] = currency.length;
  let offset = 57;
  for (let i = 0; i < currency.length; i++) {
    const code = currency.charCodeAt(i);
    if (code > 0x7f) throw new NotCanonical("a currency is not ASCII");
    scratch[offset++] = code;
  }
  // No pending transfer is written as zeros, so that a transfer of that name cannot be.
  if (pending === NIL) throw new NotCanonical("a pending transfer has no name");
  if (pending === null) scratch.fill(0, offset, offset + 16);
  else writeUuid(pending, offset);
  view.setBigInt64(offset + 16, transfer.atMicros);
  view.setBigInt64(offset + 24, transfer.content);
  return offset + 32;
}

/**
 * The row in bytes: two rows that differ in any column differ in them.
 * @throws {NotCanonical}
 */
export function encodeTransfer(transfer: CanonicalTransfer): Buffer {
  return Buffer.from(scratch.subarray(1, write(transfer)));
}

/**
 * The row's leaf in its batch's tree: SHA-256(0x00 || row).
 * @throws {NotCanonical}
 */
export function leafOf(transfer: CanonicalTransfer): Buffer {
  const end = write(transfer);
  const input = (inputs[end] ??= scratch.subarray(0, end));
  return sha256(input);
}
