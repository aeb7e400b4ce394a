import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { accountId, OPERATOR_BOOK } from "../accounts.ts";
import type { CanonicalTransfer } from "./canonical.ts";
import { createCheckpointer } from "./checkpointer.ts";
import { type AuditProof, createProofs, type NamedTransfer, type Proofs } from "./proof.ts";
import {
  EMPTY,
  type Head,
  headAfter,
  sampleRows,
  sealRows,
  temporaryStore,
  testKeys,
} from "./testing/books.ts";

const VERIFIER = join(import.meta.dirname, "verify-proof.mjs");
const START = Date.now() - 10_000;
const keys = testKeys();
const operator = { book: OPERATOR_BOOK, code: "provider_receivable" };
const merchant = { book: "019aab5c-7d2e-7f31-8a90-112233010007", code: "merchant_payable" };

let place: Awaited<ReturnType<typeof temporaryStore>>;
let proofs: Proofs;
const rows: CanonicalTransfer[] = [];
const asked: bigint[] = [];

/** Batches of 1 to 9 rows of three shards; the last of shard 7 without its leaves, as after a crash. */
beforeAll(async () => {
  place = await temporaryStore();
  const checkpointer = createCheckpointer({
    store: place.store,
    key: keys.signing,
    onProblem: () => {},
    intervalMs: 1,
  });
  for (const shard of [3, 7, 200]) {
    let head: Head = EMPTY;
    for (let number = 1; number <= 9; number++) {
      const batch = sampleRows(shard, head, number, BigInt(START) * 1_000n).map((row) => ({
        ...row,
        currency: "EUR",
        debit: accountId({ ...operator, currency: "EUR" }),
        credit: accountId({ ...merchant, currency: "EUR" }),
      }));
      const sealed = sealRows(keys.auditKey, head, batch);
      checkpointer.add(shard === 7 && number === 9 ? { ...sealed, leaves: null } : sealed);
      head = headAfter(sealed);
      rows.push(...batch);
    }
  }
  await checkpointer.stop();
  proofs = createProofs({
    store: place.store,
    keys: keys.verifying,
    rowsOf: async ({ shard, number, firstSeq, count }) => {
      asked.push(number);
      return rows.filter(
        (row) => row.shard === shard && row.seq >= firstSeq && row.seq < firstSeq + BigInt(count),
      );
    },
  });
});
afterAll(() => place.remove());

async function proofOf(named: NamedTransfer): Promise<AuditProof> {
  const result = await proofs.proofOf(named);
  if (!("proof" in result)) throw new Error(result.missing);
  return result.proof;
}

/** What the published verifier says of a proof, given the public key. */
function check(proof: unknown, publicKeys: unknown = jwks()): string {
  const [proofFile, keyFile] = [join(place.folder, "proof.json"), join(place.folder, "keys.json")];
  writeFileSync(proofFile, JSON.stringify(proof));
  writeFileSync(keyFile, JSON.stringify(publicKeys));
  try {
    return execFileSync(process.execPath, [VERIFIER, proofFile, keyFile], {
      encoding: "utf8",
      stdio: "pipe",
    });
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

const jwks = () => [...keys.verifying].map(([kid, key]) => ({ ...key.export({ format: "jwk" }), kid }));
const row = (shard: number, seq: bigint) =>
  rows.find((one) => one.shard === shard && one.seq === seq) as CanonicalTransfer;

describe("a proof", () => {
  it("is checked by the published verifier, which says what the row is", async () => {
    const some = row(7, 17n);
    const said = check(await proofOf({ row: some, debit: operator, credit: merchant }));
    expect(said).toMatch(/^PROVEN: transfer /);
    for (const part of [
      some.id,
      "(pending)",
      `${some.amount} minor units of\n  EUR`,
      `debits provider_receivable of book ${OPERATOR_BOOK}`,
      `credits merchant_payable of book ${merchant.book}`,
      "row 17 of shard 7, batch 6, in the checkpoint that test-1 signed at",
    ]) {
      expect(said).toContain(part);
    }
  });

  it("is there for every row, whatever the shape of the trees", async () => {
    const sample = rows.filter((_, i) => i % 9 === 0 || i > rows.length - 3);
    for (const one of sample) expect(check(await proofOf({ row: one }))).toMatch(/^PROVEN/);
  });

  it("asks the database for leaves that are not beside the checkpoint, and for no others", async () => {
    asked.length = 0;
    await proofOf({ row: row(7, 17n) });
    expect(asked).toEqual([]);
    expect(check(await proofOf({ row: row(7, 40n) }))).toMatch(/^PROVEN/);
    expect(asked).toEqual([9n]);
  });

  it("is refused for a row that is not the one that was written", async () => {
    for (const seq of [17n, 40n]) {
      const altered = { ...row(7, seq), amount: 1n };
      expect(await proofs.proofOf({ row: altered })).toEqual({ missing: "altered" });
    }
  });

  it("is refused if another row of a batch whose leaves are not kept has changed", async () => {
    const source = createProofs({
      store: place.store,
      keys: keys.verifying,
      rowsOf: async ({ firstSeq, count }) =>
        rows
          .filter(({ shard, seq }) => shard === 7 && seq >= firstSeq && seq < firstSeq + BigInt(count))
          .map((one) => (one.seq === 41n ? { ...one, amount: 1n } : one)),
    });
    expect(await source.proofOf({ row: row(7, 40n) })).toEqual({ missing: "altered" });
  });

  it("is pending until a checkpoint has the row, and unavailable if none will", async () => {
    const next = { ...row(7, 40n), seq: 1_000n };
    expect(await proofs.proofOf({ row: next })).toEqual({ missing: "pending" });
    const old = { ...next, atMicros: next.atMicros - 120_000_000n };
    expect(await proofs.proofOf({ row: old })).toEqual({ missing: "unavailable" });
  });
});

describe("the published verifier", () => {
  it("has at most 50 lines and needs nothing but Node", () => {
    const text = readFileSync(VERIFIER, "utf8");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(50);
    expect([...text.matchAll(/from "(.+)"/g)].map(([, name]) => name)).toEqual(["node:crypto", "node:fs"]);
  });

  it("refuses a proof of which anything was changed", async () => {
    const proof = await proofOf({ row: row(7, 17n), debit: operator, credit: merchant });
    const changes: [string, unknown][] = [];
    // Every value in it, one after the other.
    const visit = (value: unknown, put: (changed: unknown) => unknown, where: string): void => {
      if (typeof value === "object" && value !== null) {
        for (const [name, inner] of Object.entries(value)) {
          const copy = (changed: unknown) =>
            put(
              Array.isArray(value)
                ? value.map((one, i) => (String(i) === name ? changed : one))
                : { ...value, [name]: changed },
            );
          visit(inner, copy, `${where}.${name}`);
        }
        return;
      }
      const changed =
        typeof value === "number"
          ? value + 1
          : typeof value === "string"
            ? other(value)
            : "019aab5c-7d2e-7f31-8a90-1122330001ff";
      changes.push([where, put(changed)]);
    };
    visit(
      { row: proof.row, path: proof.path, batch: proof.batch, checkpoint: proof.checkpoint },
      (changed) => ({ ...proof, ...(changed as object) }),
      "",
    );
    expect(changes.length).toBeGreaterThan(25);
    for (const [where, changed] of changes) expect(check(changed), where).not.toContain("PROVEN: transfer");
    for (const [where, changed] of changes.slice(0, 12)) expect(check(changed), where).toMatch(/^NOT PROVEN/);
  });

  it("refuses a path that is too long or too short", async () => {
    const proof = await proofOf({ row: row(7, 17n) });
    const [first] = proof.path as [string];
    for (const path of [
      [...proof.path, first],
      proof.path.slice(1),
      proof.path.slice(0, -1),
      [first, ...proof.path],
    ]) {
      expect(check({ ...proof, path })).toMatch(/NOT PROVEN/);
    }
  });

  it("refuses what would only be read as the row: numbers beyond their size, text behind a digest", async () => {
    const proof = await proofOf({ row: row(7, 17n) });
    const { row: shown, batch } = proof;
    for (const changed of [
      { ...proof, row: { ...shown, shard: shown.shard + 65_536 } },
      { ...proof, row: { ...shown, kind: shown.kind - 65_536 } },
      { ...proof, row: { ...shown, amount: String(BigInt(shown.amount) + 2n ** 64n) } },
      { ...proof, row: { ...shown, id: `${shown.id}zz` } },
      { ...proof, batch: { ...batch, mac: `${batch.mac}zz` } },
    ]) {
      expect(check(changed)).not.toContain("PROVEN: transfer");
    }
  });

  it("believes only the key that it was given", async () => {
    const proof = await proofOf({ row: row(7, 17n) });
    const stranger = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
    expect(check(proof, { ...stranger, kid: "test-1" })).toMatch(/NOT PROVEN: the signature is wrong/);
    expect(check(proof, { ...stranger, kid: "other" })).not.toContain("PROVEN: transfer");
    expect(check(proof, jwks()[0])).toMatch(/^PROVEN/);
  });

  it("does not give an account a name that is not its own", async () => {
    const said = check(await proofOf({ row: row(7, 17n), debit: { ...operator, code: "fee_revenue" } }));
    expect(said).toContain(`debits account ${row(7, 17n).debit}`);
  });
});

/** A text of the same form that says something else: the first digit or letter is another. */
function other(text: string): string {
  if (text.startsWith("{")) return text.replace(/"at":"2/, '"at":"3');
  const place = text.search(/[0-9a-zA-Z]/);
  const character = text[place] as string;
  return (
    text.slice(0, place) +
    (character === "1" ? "2" : /[A-WYZ]/.test(character) ? "X" : "1") +
    text.slice(place + 1)
  );
}
vi.setConfig({ testTimeout: 60_000 });
