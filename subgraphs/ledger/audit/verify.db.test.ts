import { createSecretKey } from "node:crypto";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freshDatabase, type TestDatabase } from "../../../test/support/database.ts";
import type { CanonicalTransfer } from "./canonical.ts";
import { createCheckpointer, type SealedBatch } from "./checkpointer.ts";
import {
  EMPTY,
  type Head,
  headAfter,
  sampleRows,
  sealRows,
  temporaryStore,
  testKeys,
  writeBatch,
} from "./testing/books.ts";
import { lineOf, type Verdict, type VerifyOptions, verifyAudit } from "./verify.ts";

// Shards 3, 7 and 200 with eight batches each of 1 to 13 rows; a checkpoint for every second batch of all.

const SHARDS = [3, 7, 200];
const ROUNDS = 8;
const START = Date.now() - 3_600_000;

const keys = testKeys();
let database: TestDatabase;
let owner: Sql;
let place: Awaited<ReturnType<typeof temporaryStore>>;
let books: Map<string, { rows: CanonicalTransfer[]; sealed: SealedBatch & { leaves: Buffer[] } }>;
let rowCount: number;

const book = (shard: number, number: number) => {
  const found = books.get(`${shard}/${number}`);
  if (found === undefined) throw new Error("no such batch");
  return found;
};

beforeEach(async () => {
  database = await freshDatabase();
  owner = database.owner;
  place = await temporaryStore();
  books = new Map();
  rowCount = 0;
  const heads = new Map<number, Head>(SHARDS.map((shard) => [shard, EMPTY]));
  let clock = START;
  const checkpointer = createCheckpointer({
    store: place.store,
    key: keys.signing,
    onProblem: (problem) => {
      throw new Error(`checkpointer: ${JSON.stringify(problem)}`);
    },
    now: () => clock,
    intervalMs: 1,
  });
  let waiting: SealedBatch[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const shard of SHARDS) {
      const head = heads.get(shard) as Head;
      const rows = sampleRows(shard, head, 1 + ((round * 5 + shard) % 13), BigInt(clock) * 1_000n);
      const sealed = sealRows(keys.auditKey, head, rows);
      await writeBatch(owner, rows, sealed);
      heads.set(shard, headAfter(sealed));
      books.set(`${shard}/${round}`, { rows, sealed });
      rowCount += rows.length;
      waiting.push(sealed);
    }
    clock += 1_000;
    if (round % 2 === 1) continue;
    for (const sealed of waiting) checkpointer.add(sealed);
    waiting = [];
    await vi.waitFor(async () => expect(await checkpointFiles()).toHaveLength(round / 2), { interval: 2 });
  }
  await checkpointer.stop();
});

afterEach(async () => {
  await database.drop();
  await place.remove();
});

const verify = (options: Partial<VerifyOptions> = {}): Promise<Verdict> =>
  verifyAudit({
    databaseUrl: database.url,
    store: place.store,
    auditKey: keys.auditKey,
    keys: keys.verifying,
    windowRows: 20,
    ...options,
  });

const lines = (verdict: Verdict) => verdict.findings.map(lineOf);

async function checkpointFiles(folder = "checkpoints"): Promise<string[]> {
  const groups = await readdir(join(place.folder, folder)).catch(() => []);
  const files = await Promise.all(
    groups.map(async (group) =>
      (await readdir(join(place.folder, folder, group))).map((file) => join(folder, group, file)),
    ),
  );
  return files
    .flat()
    .filter((file) => !file.includes("/."))
    .sort()
    .map((file) => join(place.folder, file));
}

describe("books that are as they were written", () => {
  it("are verified, whatever the window", async () => {
    for (const windowRows of [1, 20, 100_000]) {
      const verdict = await verify({ windowRows });
      expect(lines(verdict)).toEqual([]);
      expect(verdict).toMatchObject({
        rows: rowCount,
        batches: SHARDS.length * ROUNDS,
        young: 0,
        beforeChains: 0,
      });
      expect(verdict.checkpoints).toBe(ROUNDS / 2);
    }
  });

  it("are verified in part", async () => {
    const of7 = await verify({ shard: 7 });
    expect(lines(of7)).toEqual([]);
    expect(of7.batches).toBe(ROUNDS);
    const middle = await verify({ from: new Date(START + 2_000), to: new Date(START + 4_000) });
    expect(lines(middle)).toEqual([]);
    expect(middle.batches).toBe(3 * SHARDS.length);
    expect(middle.rows).toBe(
      SHARDS.flatMap((shard) => [3, 4, 5].map((number) => book(shard, number).rows.length)).reduce(
        (a, b) => a + b,
      ),
    );
  });

  it("may have rows from before their chains, which are counted", async () => {
    const [head, at] = [{ ...EMPTY, seq: 4n }, BigInt(START) * 1_000n];
    const rows = sampleRows(9, head, 3, at);
    const sealed = sealRows(keys.auditKey, head, rows);
    await writeBatch(owner, [...sampleRows(9, EMPTY, 4, at - 5_000_000n), ...rows], sealed);
    const extra = createCheckpointer({ store: place.store, key: keys.signing, onProblem: () => {} });
    extra.add(sealed);
    await extra.stop();
    expect(await verify()).toMatchObject({ found: 0, beforeChains: 4 });
    const insert = (seq: number, at: Date) => owner`
      insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency)
      values (${seq}, 1, 2, 3, ${at}, 4, gen_random_uuid(), 9, 0, 0, 'EUR')`;
    await insert(-5, new Date(START - 60_000));
    expect(lines(await verify())).toEqual([
      expect.stringMatching(/^row_inserted: shard 9 row -5 \(.*no batch has it/),
    ]);
    await owner`delete from ledger.transfer where shard = 9 and seq in (-5, 2)`;
    await insert(2, new Date(START + 60_000));
    expect(lines(await verify())).toContainEqual(
      expect.stringMatching(/^row_inserted: shard 9 row 2 \(.*no batch has it/),
    );
    await owner`delete from ledger.transfer where shard = 9 and seq = 2`;
    expect(lines(await verify())).toEqual([
      expect.stringContaining("row_missing: shard 9 row 0: before the chain there are 3 rows, and were 4"),
    ]);
  });

  it("may end in a batch that is too young to be in a checkpoint, but not in an old one", async () => {
    const head = headAfter(book(7, ROUNDS).sealed);
    const young = sampleRows(7, head, 2, BigInt(Date.now()) * 1_000n);
    const sealed = sealRows(keys.auditKey, head, young);
    await writeBatch(owner, young, sealed);
    expect(await verify()).toMatchObject({ found: 0, young: 1 });
    const old = sampleRows(3, headAfter(book(3, ROUNDS).sealed), 2, BigInt(Date.now() - 60_000) * 1_000n);
    await writeBatch(owner, old, sealRows(keys.auditKey, headAfter(book(3, ROUNDS).sealed), old));
    expect(lines(await verify())).toEqual([
      expect.stringMatching(/^not_in_checkpoint: shard 3 batch 9: batches 9,/),
    ]);
  });

  it("need no checkpoint's leaves to be verified", async () => {
    for (const file of await checkpointFiles("leaves")) await rm(file, { force: true });
    expect(await verify()).toMatchObject({ found: 0 });
  });
});

/** Changes a column of one row so little as it goes. */
const FLIPS: Readonly<Record<string, string>> = {
  debit: "debit = debit # 1",
  credit: "credit = credit # (1::bigint << 61)",
  amount: "amount = amount # 1",
  at: "at = at + interval '1 microsecond'",
  content: "content = content # 1",
  id: "id = overlay(id::text placing case when substr(id::text, 1, 1) = 'a' then 'b' else 'a' end from 1 for 1)::uuid",
  kind: "kind = kind # 1",
  cause: "cause = cause # 1",
  currency: "currency = 'EUS'",
  pending: "pending = 'aaaaaaaa-0000-4000-8000-000000000000'",
};

describe("a changed row is named:", () => {
  beforeEach(async () => {
    const checks = await owner`
      select conname as name from pg_constraint where conrelid = 'ledger.transfer'::regclass and contype = 'c'`;
    for (const { name } of checks)
      await owner.unsafe(`alter table ledger.transfer drop constraint "${name}"`);
  });

  it.each(Object.entries(FLIPS))("%s", async (_, change) => {
    const row = book(7, 4).rows.at(-1) as CanonicalTransfer;
    await owner.unsafe(`update ledger.transfer set ${change} where shard = 7 and seq = ${row.seq}`);
    expect(lines(await verify())).toEqual([
      expect.stringMatching(new RegExp(`^row_altered: shard 7 batch 4 row ${row.seq} \\(`)),
    ]);
    expect(lines(await verify({ windowRows: 100_000 }))).toEqual(lines(await verify()));
    // Whoever looks at this shard or time only sees it too, and at others not.
    expect((await verify({ shard: 7 })).found).toBe(1);
    expect((await verify({ shard: 3 })).found).toBe(0);
    const around = { from: new Date(START + 3_000), to: new Date(START + 4_000) };
    expect((await verify(around)).found).toBe(1);
  });

  it("its shard", async () => {
    const row = book(7, 4).rows[0] as CanonicalTransfer;
    await owner`update ledger.transfer set shard = 3 where shard = 7 and seq = ${row.seq as never}`;
    const found = lines(await verify());
    expect(found).toContainEqual(
      expect.stringMatching(new RegExp(`^row_missing: shard 7 batch 4 row ${row.seq}: it is gone`)),
    );
    expect(found).toContainEqual(expect.stringContaining(`(${row.id})`));
    expect(found).toHaveLength(2);
  });

  it("its position", async () => {
    const row = book(7, 4).rows[0] as CanonicalTransfer;
    await owner`update ledger.transfer set seq = 9999 where shard = 7 and seq = ${row.seq as never}`;
    expect(lines(await verify())).toEqual([
      expect.stringMatching(/^row_inserted: shard 7 row 9999 \(.*no batch has it/),
      expect.stringMatching(new RegExp(`^row_missing: shard 7 batch 4 row ${row.seq}`)),
    ]);
  });

  it("a currency that has no canonical form", async () => {
    const row = book(7, 4).rows[0] as CanonicalTransfer;
    await owner`update ledger.transfer set currency = '€' where shard = 7 and seq = ${row.seq as never}`;
    expect(lines(await verify())).toEqual([
      expect.stringMatching(new RegExp(`^row_altered: shard 7 batch 4 row ${row.seq}`)),
    ]);
  });

  it("an infinite time", async () => {
    const row = book(7, 4).rows[0] as CanonicalTransfer;
    await owner`update ledger.transfer set at = 'infinity' where shard = 7 and seq = ${row.seq as never}`;
    expect(lines(await verify())).toEqual([
      expect.stringMatching(new RegExp(`^row_altered: shard 7 batch 4 row ${row.seq}`)),
    ]);
  });

  it("but only its batch, if the leaves beside the checkpoint are gone", async () => {
    for (const file of await checkpointFiles("leaves")) await rm(file, { force: true });
    const row = book(7, 4).rows[0] as CanonicalTransfer;
    await owner`update ledger.transfer set amount = amount + 1 where shard = 7 and seq = ${row.seq as never}`;
    expect(lines(await verify())).toEqual([expect.stringMatching(/^root_wrong: shard 7 batch 4:/)]);
  });
});

describe("a row that is gone, new or elsewhere is named:", () => {
  it("deleted", async () => {
    const row = book(200, 5).rows[1] as CanonicalTransfer;
    await owner`delete from ledger.transfer where shard = 200 and seq = ${row.seq as never}`;
    expect(lines(await verify())).toEqual([
      expect.stringMatching(new RegExp(`^row_missing: shard 200 batch 5 row ${row.seq}: it is gone`)),
    ]);
  });

  it("inserted in another's place, at its time or at another", async () => {
    const row = book(200, 5).rows[1] as CanonicalTransfer;
    const copies = {
      before: "aaaaaaaa-0000-4000-8000-0000000000c8",
      after: "bbbbbbbb-0000-4000-8000-0000000000c8",
    };
    const copy = (id: string, at: string) =>
      owner.unsafe(`insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency, pending)
        select seq, debit, credit, amount, ${at}, content, '${id}', shard, kind, cause, currency, pending
        from ledger.transfer where shard = 200 and seq = ${row.seq} limit 1`);
    await copy(copies.before, "at");
    expect(lines(await verify())).toEqual([
      expect.stringMatching(
        new RegExp(
          `^row_inserted: shard 200 batch 5 row ${row.seq} \\(${copies.before}\\): another row is in this place: ${row.id}$`,
        ),
      ),
    ]);
    await owner`delete from ledger.transfer where id = ${copies.before}`;
    await copy(copies.after, "at - interval '2 seconds'");
    expect(lines(await verify())).toEqual([
      expect.stringMatching(
        new RegExp(`^row_inserted: shard 200 row ${row.seq} \\(${copies.after}\\): no batch has it`),
      ),
    ]);
  });

  it("inserted in another's place, whichever of them the table has first", async () => {
    const row = book(200, 5).rows[1] as CanonicalTransfer;
    const double = "aaaaaaaa-0000-4000-8000-0000000000c8";
    await owner.unsafe(`insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency, pending)
      select seq, debit, credit, amount, at, content, '${double}', shard, kind, cause, currency, pending
      from ledger.transfer where shard = 200 and seq = ${row.seq}`);
    await owner`update ledger.transfer set amount = amount where shard = 200 and id = ${row.id}`;
    expect(lines(await verify())).toEqual([
      expect.stringMatching(new RegExp(`^row_inserted: shard 200 batch 5 row ${row.seq} \\(${double}\\)`)),
    ]);
  });

  it.each(["-5", "0", "100000"])("inserted as row %s, in no batch", async (seq) => {
    await owner.unsafe(`insert into ledger.transfer (seq, debit, credit, amount, at, content, id, shard, kind, cause, currency)
      values (${seq}, 1, 2, 3, now(), 4, gen_random_uuid(), 3, 0, 0, 'EUR')`);
    expect(lines(await verify())).toEqual([
      expect.stringMatching(new RegExp(`^row_inserted: shard 3 row ${seq} \\(.*no batch has it`)),
    ]);
  });

  it("two that changed places", async () => {
    const [a, b] = book(3, 7).rows as [CanonicalTransfer, CanonicalTransfer];
    await owner`update ledger.transfer set seq = ${a.seq as never} + ${b.seq as never} - seq
      where shard = 3 and seq in (${a.seq as never}, ${b.seq as never})`;
    expect(lines(await verify()).sort()).toEqual(
      [
        `row_reordered: shard 3 batch 7 row ${a.seq} (${b.id}): this row was written as row ${b.seq}`,
        `row_reordered: shard 3 batch 7 row ${b.seq} (${a.id}): this row was written as row ${a.seq}`,
      ].sort(),
    );
  });
});

describe("a batch that is not what it was is named:", () => {
  it.each([
    ["root = sha256('x')"],
    ["mac = sha256('x')"],
    ["mac = '\\x00'"],
    ["root = ''"],
    ["count = count + 1"],
    ["count = 2000000000"],
    ["first_seq = first_seq - 1"],
    ["at = at + interval '1 second'"],
    ["at = 'infinity'"],
  ])("%s", async (change) => {
    await owner.unsafe(`update ledger.batch set ${change} where shard = 7 and number = 4`);
    const found = lines(await verify());
    expect(found).toContainEqual(expect.stringMatching(/^mac_wrong: shard 7 batch 4: the MAC of batches 4/));
    expect(found).toContainEqual(expect.stringMatching(/^batch_altered: shard 7 batch 4: rows/));
    const others = found.filter((line) => !/shard 7 (batch [45]|row)/.test(line));
    expect(others).toEqual([]);
  });

  it("deleted, with its rows", async () => {
    await owner`delete from ledger.batch where shard = 7 and number = 4`;
    const { rows } = book(7, 4);
    await owner`delete from ledger.transfer where shard = 7 and seq between ${rows[0]?.seq as never} and ${rows.at(-1)?.seq as never}`;
    const found = lines(await verify());
    expect(found).toContainEqual(
      expect.stringMatching(
        new RegExp(`^batch_missing: shard 7 batch 4: rows ${rows[0]?.seq} to ${rows.at(-1)?.seq}:`),
      ),
    );
    expect(found.every((line) => /shard 7 batch [45]/.test(line))).toBe(true);
  });

  it("the end cut off, and the chain's head with it", async () => {
    const { rows } = book(7, 6);
    await owner`delete from ledger.transfer where shard = 7 and seq >= ${rows[0]?.seq as never}`;
    await owner`delete from ledger.batch where shard = 7 and number >= 6`;
    await owner`update ledger.chain c set batch = 5, seq = ${rows[0]?.seq as never} - 1, mac = b.mac, at = b.at
      from ledger.batch b where b.shard = c.shard and b.number = 5 and c.shard = 7`;
    const found = lines(await verify());
    expect(found).toEqual(
      [6, 7, 8].map((number) =>
        expect.stringMatching(
          new RegExp(`^batch_missing: shard 7 batch ${number}: rows ${book(7, number).rows[0]?.seq} to`),
        ),
      ),
    );
  });

  it("a whole shard gone", async () => {
    for (const table of ["transfer", "batch", "chain"])
      await owner.unsafe(`delete from ledger.${table} where shard = 7`);
    const found = lines(await verify());
    expect(found).toHaveLength(ROUNDS);
    expect(found.every((line) => line.startsWith("batch_missing: shard 7 batch"))).toBe(true);
  });

  it("deleted, though there are no checkpoints that have it", async () => {
    await rm(join(place.folder, "checkpoints"), { recursive: true });
    await owner`delete from ledger.batch where (shard, number) in ((7, 4), (3, 1))`;
    const found = lines(await verify()).filter((line) => line.startsWith("batch_missing"));
    expect(found).toEqual([
      "batch_missing: shard 3 batch 1: batches 1 are not there",
      "batch_missing: shard 7 batch 4: batches 4 are not there",
    ]);
    await owner`delete from ledger.batch where shard = 200`;
    expect(lines(await verify())).toContainEqual(expect.stringMatching(/^head_wrong: shard 200 batch 8:/));
  });

  it("that leaves out rows or takes them again, by a holder of the key", async () => {
    for (const [shard, by] of [
      [3, 5n],
      [7, -1n],
    ] as const) {
      const { number, seq, mac } = headAfter(book(shard, ROUNDS).sealed);
      const head = { number, seq: seq + by, mac };
      const rows = sampleRows(shard, head, 2, BigInt(Date.now()) * 1_000n);
      await writeBatch(owner, rows, sealRows(keys.auditKey, head, rows));
    }
    const found = lines(await verify());
    expect(found).toContainEqual(expect.stringMatching(/^batch_inserted: shard 3 batch 9: begins with row/));
    expect(found).toContainEqual(expect.stringMatching(/^batch_inserted: shard 7 batch 9: begins with row/));
  });

  it("the chain's head moved back or away", async () => {
    await owner`update ledger.chain set seq = seq - 1 where shard = 7`;
    expect(lines(await verify())).toEqual([expect.stringMatching(/^head_wrong: shard 7 batch 8:/)]);
  });
});

/** Changes a row of shard 7, batch 4, and computes everything after it anew, as the database's owner could. */
async function rehash(key: ReturnType<typeof createSecretKey>): Promise<CanonicalTransfer> {
  let head = headAfter(book(7, 3).sealed);
  const victim = { ...(book(7, 4).rows[1] as CanonicalTransfer), amount: 1_000_000n };
  await owner`update ledger.transfer set amount = 1000000 where shard = 7 and seq = ${victim.seq as never}`;
  for (let number = 4; number <= ROUNDS; number++) {
    const rows = book(7, number).rows.map((row) => (row.seq === victim.seq ? victim : row));
    const sealed = sealRows(key, head, rows);
    head = headAfter(sealed);
    await owner`update ledger.batch set root = ${sealed.header.root}, mac = ${sealed.mac}
      where shard = 7 and number = ${number}`;
  }
  await owner`update ledger.chain set mac = ${head.mac} where shard = 7`;
  return victim;
}

describe("a chain that was computed anew", () => {
  it("without the key is found by its MACs, and the row by what is beside the checkpoint", async () => {
    const victim = await rehash(createSecretKey(Buffer.alloc(32, 8)));
    const found = lines(await verify());
    expect(found).toContainEqual(
      expect.stringMatching(/^mac_wrong: shard 7 batch 4: the MAC of batches 4 to 8 /),
    );
    expect(found).toContainEqual(
      expect.stringMatching(/^batch_altered: shard 7 batch 4: .*its rows' root is another/),
    );
    expect(found).toContainEqual(
      expect.stringMatching(/^batch_altered: shard 7 batch 8: .*its rows' root the same/),
    );
    expect(found.filter((line) => line.startsWith("row_"))).toEqual([
      `row_altered: shard 7 batch 4 row ${victim.seq} (${victim.id}): not the row that was written here`,
    ]);
  });

  it("with the stolen key is still found by the checkpoints", async () => {
    const victim = await rehash(keys.auditKey);
    const found = lines(await verify());
    expect(found.some((line) => line.startsWith("mac_wrong"))).toBe(false);
    expect(found).toContainEqual(
      expect.stringMatching(new RegExp(`^row_altered: shard 7 batch 4 row ${victim.seq}`)),
    );
  });
});

describe("checkpoints", () => {
  it("of which one is deleted: the next says so", async () => {
    const files = await checkpointFiles();
    await rm(files[1] as string, { force: true });
    const found = lines(await verify());
    const next = (files[2] as string).split("/").at(-1);
    expect(found).toContainEqual(expect.stringContaining(`checkpoint_missing: checkpoints/${next}`));
    expect(found).toContainEqual(expect.stringMatching(/^not_in_checkpoint: shard 7 batch/));
  });

  it("of which the first or the last is deleted", async () => {
    const files = await checkpointFiles();
    await rm(files.at(-1) as string, { force: true });
    expect(lines(await verify())).toContainEqual(
      expect.stringMatching(/^not_in_checkpoint: shard 200 batch/),
    );
    await rm(files[0] as string, { force: true });
    expect(lines(await verify())).toContainEqual(expect.stringMatching(/^checkpoint_missing: /));
  });

  it("that are all gone", async () => {
    await rm(join(place.folder, "checkpoints"), { recursive: true });
    const found = lines(await verify());
    expect(found).toEqual(
      SHARDS.map((shard) =>
        expect.stringMatching(new RegExp(`^not_in_checkpoint: shard ${shard} batch 1: batches 1 to 8`)),
      ),
    );
  });

  it.each([
    ["its text", (text: string) => text.replace('\\"number\\":2', '\\"number\\":3')],
    ["its signature", (text: string) => text.replace(/("signature": ")./, (_, start) => `${start}_`)],
    ["all of it", () => "not JSON"],
  ])("of which one was forged: %s", async (_, forge) => {
    const file = (await checkpointFiles())[1] as string;
    const forged = forge(await readFile(file, "utf8"));
    expect(forged).not.toBe(await readFile(file, "utf8"));
    await chmod(file, 0o600);
    await writeFile(file, forged);
    expect(lines(await verify())).toContainEqual(
      `checkpoint_forged: checkpoints/${file.split("/").at(-1)}: not a checkpoint that our key has signed`,
    );
  });

  it("shown again under a later name", async () => {
    const [first] = await checkpointFiles();
    const [name] = (first as string).split("/").slice(-1) as [string];
    const later = `${Number(name.slice(0, 13)) + 900}${name.slice(13)}`;
    await writeFile((first as string).replace(name, later), await readFile(first as string));
    expect(lines(await verify())).toEqual([
      `checkpoint_forged: checkpoints/${later}: not a checkpoint that our key has signed`,
    ]);
  });

  it("signed with another key under the same name", async () => {
    const stranger = testKeys();
    expect(lines(await verify({ keys: stranger.verifying }))).toContainEqual(
      expect.stringContaining("checkpoint_forged"),
    );
  });

  it("whose leaves were forged cannot put the blame on another row", async () => {
    const file = (await checkpointFiles("leaves"))[1] as string;
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    await chmod(file, 0o600);
    await writeFile(file, bytes);
    expect((await verify()).found).toBe(0);
    // The last leaf in the object is of shard 200; say that something there has changed.
    const { rows } = book(200, 3);
    await owner`update ledger.transfer set amount = amount + 1 where shard = 200 and seq = ${rows[0]?.seq as never}`;
    const found = lines(await verify());
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/shard 200 batch 3/);
  });
});

describe("the auditor", () => {
  it("sees everything and changes nothing", async () => {
    const [{ rows } = { rows: 0 }] = await owner.begin(async (sql) => {
      await sql`set local role tessera_auditor`;
      return sql`select count(*)::int as rows from ledger.transfer`;
    });
    expect(rows).toBe(rowCount);
    for (const table of ["transfer", "batch", "chain", "account"]) {
      for (const statement of [
        `delete from ledger.${table}`,
        `update ledger.${table} set shard = 1`,
        `truncate ledger.${table}`,
      ]) {
        const tried = owner.begin(async (sql) => {
          await sql`set local role tessera_auditor`;
          await sql.unsafe(statement);
        });
        await expect(tried, statement).rejects.toMatchObject({ code: "42501" });
      }
    }
  });
});
