import type { CanonicalTransfer } from "../canonical.ts";

/** The columns of a copied row, in the order in which `copiedRows` reads them. */
export const COPIED_COLUMNS =
  "shard, seq, id, kind, cause, debit, credit, amount, currency, pending, at, content";

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const HEADER_BYTES = SIGNATURE.length + 8;
const COLUMNS = 12;
/** From 1970-01-01 to 2000-01-01, in microseconds: Postgres counts from the latter. */
const EPOCH = 946_684_800_000_000n;

/**
 * Reads rows of `COPY … TO STDOUT (FORMAT binary)` from chunks that may end anywhere. Binary, since numbers need no
 * text then: this is most of what checking a row costs besides its digest.
 */
export async function* copiedRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<CanonicalTransfer> {
  let begun = false;
  let rest: Buffer | null = null;
  for await (const chunk of chunks) {
    let bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk]);
    rest = null;
    if (!begun) {
      if (bytes.length < HEADER_BYTES) {
        rest = bytes;
        continue;
      }
      if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error("not a binary copy");
      bytes = bytes.subarray(HEADER_BYTES);
      begun = true;
    }
    let offset = 0;
    for (;;) {
      const end = endOfRow(bytes, offset);
      if (end === null) break;
      if (end > offset + 2) yield readRow(bytes, offset + 2);
      offset = end;
    }
    if (offset < bytes.length) rest = bytes.subarray(offset);
  }
}

/** Where the row that begins at `offset` ends, or null if not all of it is there. The trailer has -1 columns. */
function endOfRow(bytes: Buffer, offset: number): number | null {
  if (bytes.length < offset + 2) return null;
  const columns = bytes.readInt16BE(offset);
  if (columns === -1) return offset + 2;
  if (columns !== COLUMNS) throw new Error("a copied row has other columns");
  let end = offset + 2;
  for (let column = 0; column < COLUMNS; column++) {
    if (bytes.length < end + 4) return null;
    end += 4 + Math.max(0, bytes.readInt32BE(end));
  }
  return end <= bytes.length ? end : null;
}

const i64 = (view: DataView, offset: number): bigint => view.getBigInt64(offset);

/** Each column is its length in four bytes, -1 for null, and its bytes. */
function readRow(bytes: Buffer, start: number): CanonicalTransfer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const currencyAt = start + 90;
  const currencyEnd = currencyAt + view.getInt32(start + 86);
  const pendingLength = view.getInt32(currencyEnd);
  const pendingEnd = currencyEnd + 4 + Math.max(0, pendingLength);
  return {
    shard: view.getInt16(start + 4),
    seq: i64(view, start + 10),
    id: uuidText(bytes, start + 22),
    kind: view.getInt16(start + 42),
    cause: view.getInt16(start + 48),
    debit: i64(view, start + 54),
    credit: i64(view, start + 66),
    amount: i64(view, start + 78),
    currency: bytes.toString("latin1", currencyAt, currencyEnd),
    pending: pendingLength === -1 ? null : uuidText(bytes, currencyEnd + 4),
    atMicros: i64(view, pendingEnd + 4) + EPOCH,
    content: i64(view, pendingEnd + 16),
  };
}

function uuidText(bytes: Buffer, offset: number): string {
  const hex = bytes.toString("hex", offset, offset + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
