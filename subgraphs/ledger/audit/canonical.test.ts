import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CanonicalTransfer, encodeTransfer, leafOf, NotCanonical } from "./canonical.ts";

const sample: CanonicalTransfer = {
  shard: 7,
  seq: 1_234_567n,
  id: "019aab5c-7d2e-7f31-8a90-1122330103ff",
  kind: 2,
  cause: 3,
  debit: 4_611_686_018_427_387_905n,
  credit: 42n,
  amount: 10_000n,
  currency: "EUR",
  pending: "019aab5c-7d2e-7f31-8a90-1122330001ff",
  atMicros: 1_795_370_343_120_000n,
  content: -2n,
};

/** What the format says, written as plainly as possible. */
function plainly(t: CanonicalTransfer): Buffer {
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
  return Buffer.concat([
    Buffer.of(1),
    i16(t.shard),
    i64(t.seq),
    uuid(t.id),
    i16(t.kind),
    i16(t.cause),
    i64(t.debit),
    i64(t.credit),
    i64(t.amount),
    Buffer.of(t.currency.length),
    Buffer.from(t.currency, "ascii"),
    t.pending === null ? Buffer.alloc(16) : uuid(t.pending),
    i64(t.atMicros),
    i64(t.content),
  ]);
}

const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const i16 = fc.integer({ min: -32_768, max: 32_767 });
const transfer = fc.record({
  shard: i16,
  seq: i64,
  id: fc.uuid(),
  kind: i16,
  cause: i16,
  debit: i64,
  credit: i64,
  amount: i64,
  currency: fc.string({ unit: fc.constantFrom(..."ABCXYZ09"), maxLength: 255 }),
  pending: fc.option(fc.uuid({ version: [4, 7] })),
  atMicros: i64,
  content: i64,
});

describe("a row in bytes", () => {
  it("is what it has always been", () => {
    expect(encodeTransfer(sample).toString("hex")).toBe(
      [
        "01",
        "0007",
        "000000000012d687",
        "019aab5c7d2e7f318a901122330103ff",
        "0002",
        "0003",
        "4000000000000001",
        "000000000000002a",
        "0000000000002710",
        "03455552",
        "019aab5c7d2e7f318a901122330001ff",
        1_795_370_343_120_000n.toString(16).padStart(16, "0"),
        "fffffffffffffffe",
      ].join(""),
    );
    expect(encodeTransfer({ ...sample, pending: null, currency: "DOGE" }).length).toBe(92);
  });

  it("is what the format says, for any row", () => {
    fc.assert(
      fc.property(transfer, (row) => {
        expect(encodeTransfer(row)).toEqual(plainly(row));
      }),
    );
  });

  it("does not depend on the row before it", () => {
    const [long, short] = [
      { ...sample, currency: "A".repeat(255) },
      { ...sample, pending: null, currency: "" },
    ];
    for (const row of [long, short, long, sample, short]) expect(encodeTransfer(row)).toEqual(plainly(row));
  });

  it("differs if any column does", () => {
    const others: { [K in keyof CanonicalTransfer]: CanonicalTransfer[K] } = {
      shard: 8,
      seq: 1_234_568n,
      id: "019aab5c-7d2e-7f31-8a90-1122330203ff",
      kind: 3,
      cause: 4,
      debit: 4_611_686_018_427_387_904n,
      credit: 43n,
      amount: 10_001n,
      currency: "EUS",
      pending: "019aab5c-7d2e-7f31-8a90-1122330002ff",
      atMicros: 1_795_370_343_120_001n,
      content: -3n,
    };
    const all = Object.entries(others).map(([column, value]) =>
      encodeTransfer({ ...sample, [column]: value }),
    );
    const texts = [encodeTransfer(sample), ...all].map((bytes) => bytes.toString("hex"));
    expect(new Set(texts).size).toBe(13);
  });

  it.each([
    { id: "019aab5c-7d2e-7f31-8a90-1122330103f" },
    { id: "019aab5c-7d2e-7f31-8a90-1122330103fg" },
    { id: "019aab5c-7d2e-7f31-8a90-1122330103f\u0141" },
    { pending: "" },
    { pending: "00000000-0000-0000-0000-000000000000" },
    { currency: "€" },
    { currency: "A".repeat(256) },
  ])("has none if it is %o", (wrong) => {
    expect(() => encodeTransfer({ ...sample, ...wrong })).toThrow(NotCanonical);
    expect(() => leafOf({ ...sample, ...wrong })).toThrow(NotCanonical);
  });
});

describe("a leaf", () => {
  it("is the digest of the row behind a zero byte", () => {
    expect(leafOf(sample).toString("hex")).toBe(
      "8de773b36be55c3434adcb6fb00fd40fb843adb0ed872a6a2f38e446946ee7c4",
    );
    fc.assert(
      fc.property(transfer, (row) => {
        expect(leafOf(row)).toEqual(createHash("sha256").update(Buffer.of(0)).update(plainly(row)).digest());
      }),
    );
  });

  it("keeps its bytes when the next is made", () => {
    const first = leafOf(sample);
    const copy = Buffer.from(first);
    leafOf({ ...sample, amount: 1n });
    expect(first).toEqual(copy);
  });
});
