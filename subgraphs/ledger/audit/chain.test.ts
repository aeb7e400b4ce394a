import { createHmac, createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type BatchHeader, decodeHeader, encodeHeader, GENESIS, HEADER_BYTES, macOf } from "./chain.ts";

const header: BatchHeader = {
  shard: 7,
  number: 12n,
  firstSeq: 1_001n,
  count: 250,
  atMicros: 1_795_370_343_120_000n,
  root: Buffer.alloc(32, 0xab),
};
const key = createSecretKey(Buffer.from("0b".repeat(32), "hex"));

describe("a header in bytes", () => {
  it("is what it has always been", () => {
    expect(encodeHeader(header).toString("hex")).toBe(
      [
        "01",
        "0007",
        "000000000000000c",
        "00000000000003e9",
        "000000fa",
        1_795_370_343_120_000n.toString(16).padStart(16, "0"),
        "ab".repeat(32),
      ].join(""),
    );
    expect(encodeHeader(header).length).toBe(HEADER_BYTES);
  });

  it("is read as it was written, and nothing else is", () => {
    const bytes = Buffer.concat([Buffer.alloc(3), encodeHeader(header)]);
    expect(decodeHeader(bytes, 3)).toEqual(header);
    expect(decodeHeader(bytes, 2)).toBeNull();
    expect(decodeHeader(bytes.subarray(0, -1), 3)).toBeNull();
  });
});

describe("a MAC", () => {
  it("is what it has always been", () => {
    expect(macOf(key, GENESIS, header).toString("hex")).toBe(
      "140d2a627b51527e3b87020a30f2b1608089f8c81d65667d185d71a4a6537560",
    );
  });

  it("depends on the key, the one before and every part of the header", () => {
    const previous = Buffer.alloc(32, 1);
    const others: BatchHeader[] = [
      { ...header, shard: 8 },
      { ...header, number: 13n },
      { ...header, firstSeq: 1_002n },
      { ...header, count: 251 },
      { ...header, atMicros: header.atMicros + 1n },
      { ...header, root: Buffer.alloc(32, 0xac) },
    ];
    const macs = [
      macOf(key, GENESIS, header),
      macOf(key, previous, header),
      macOf(createSecretKey(Buffer.alloc(32, 0x0c)), GENESIS, header),
      ...others.map((other) => macOf(key, GENESIS, other)),
    ];
    expect(new Set(macs.map((mac) => mac.toString("hex"))).size).toBe(macs.length);
    expect(macs[1]).toEqual(
      createHmac("sha256", key)
        .update(Buffer.concat([previous, encodeHeader(header)]))
        .digest(),
    );
  });
});
