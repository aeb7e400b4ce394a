import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CanonicalTransfer } from "../canonical.ts";
import { copiedRows } from "./copied-rows.ts";

const EPOCH = 946_684_800_000_000n;

const i16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const i64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const uuid = (text: string) => Buffer.from(text.replaceAll("-", ""), "hex");
const field = (bytes: Buffer | null) => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes?.length ?? -1);
  return Buffer.concat([length, bytes ?? Buffer.alloc(0)]);
};

/** As Postgres writes it: signature, flags, an extension of no bytes, rows, a trailer. */
const copied = (rows: readonly CanonicalTransfer[]) =>
  Buffer.concat([
    Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"),
    Buffer.alloc(8),
    ...rows.flatMap((row) => [
      i16(12),
      ...[
        i16(row.shard),
        i64(row.seq),
        uuid(row.id),
        i16(row.kind),
        i16(row.cause),
        i64(row.debit),
        i64(row.credit),
        i64(row.amount),
        Buffer.from(row.currency),
        row.pending === null ? null : uuid(row.pending),
        i64(row.atMicros - EPOCH),
        i64(row.content),
      ].map(field),
    ]),
    i16(-1),
  ]);

const any64 = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
const any16 = fc.integer({ min: -32_768, max: 32_767 });
const row = fc.record({
  shard: any16,
  seq: any64,
  id: fc.uuid(),
  kind: any16,
  cause: any16,
  debit: any64,
  credit: any64,
  amount: any64,
  currency: fc.string({ unit: fc.constantFrom(..."ABC"), maxLength: 12 }),
  pending: fc.option(fc.uuid()),
  atMicros: any64,
  content: any64,
});

async function read(bytes: Buffer, size: number): Promise<CanonicalTransfer[]> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  const rows: CanonicalTransfer[] = [];
  async function* stream() {
    yield* chunks;
  }
  for await (const one of copiedRows(stream())) rows.push(one);
  return rows;
}

describe("copied rows", () => {
  it("are read as they were written, wherever the chunks end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 8 }),
        fc.integer({ min: 1, max: 400 }),
        async (rows, size) => {
          expect(await read(copied(rows), size)).toEqual(rows);
        },
      ),
    );
  });

  it("are refused if they are something else", async () => {
    await expect(read(Buffer.alloc(40), 40)).rejects.toThrow("not a binary copy");
    const bytes = copied([]);
    bytes.writeInt16BE(3, bytes.length - 2);
    await expect(read(bytes, 1_000)).rejects.toThrow("other columns");
  });
});
