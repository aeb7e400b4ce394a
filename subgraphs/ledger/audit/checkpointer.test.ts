import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BrokenChain, catchUp, type Head as StoredHead } from "./catch-up.ts";
import {
  type Checkpoint,
  decodeSigned,
  digestOf,
  NO_CHECKPOINT,
  openCheckpoint,
  type SignedCheckpoint,
} from "./checkpoint.ts";
import {
  type CheckpointerOptions,
  type CheckpointerProblem,
  createCheckpointer,
  type SealedBatch,
} from "./checkpointer.ts";
import { openLeaves } from "./leaves.ts";
import {
  CHECKPOINTS,
  LEAVES,
  leavesName,
  newestCheckpoint,
  ObjectExists,
  type ObjectStore,
  stemOf,
} from "./object-store.ts";
import { EMPTY, headAfter, sampleRows, sealRows, temporaryStore, testKeys } from "./testing/books.ts";

const keys = testKeys();
const NOW = Date.now();
let place: Awaited<ReturnType<typeof temporaryStore>>;
let problems: CheckpointerProblem[];
beforeEach(async () => {
  place = await temporaryStore();
  problems = [];
});
afterEach(() => place.remove());

/** The next batches of a shard, each of `count` rows. */
function batchesOf(shard: number, numbers: number, count = 3, apartMs = 0): SealedBatch[] {
  let head = EMPTY;
  return Array.from({ length: numbers }, (_, i) => {
    const atMicros = BigInt(NOW - (numbers - i) * apartMs) * 1_000n;
    const sealed = sealRows(keys.auditKey, head, sampleRows(shard, head, count, atMicros));
    head = headAfter(sealed);
    return sealed;
  });
}

const open = (options: Partial<CheckpointerOptions> = {}) =>
  createCheckpointer({
    store: place.store,
    key: keys.signing,
    onProblem: (problem) => problems.push(problem),
    intervalMs: 20,
    ...options,
  });

async function collect(listed: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const name of listed) all.push(name);
  return all;
}

const names = async (folder = CHECKPOINTS) => collect(place.store.list(folder));

async function checkpoints(): Promise<{ name: string; signed: SignedCheckpoint; checkpoint: Checkpoint }[]> {
  return Promise.all(
    (await names()).map(async (name) => {
      const signed = decodeSigned((await place.store.get(name)) as Buffer) as SignedCheckpoint;
      return { name, signed, checkpoint: openCheckpoint(signed, keys.verifying) as Checkpoint };
    }),
  );
}

/** A store that fails while `down` is set, before or after it has kept the object. */
function flaky(): ObjectStore & { down: false | "before" | "after"; puts: string[] } {
  const { store } = place;
  return {
    down: false,
    puts: [],
    async put(name, bytes) {
      this.puts.push(name);
      if (this.down === "before") throw new Error("no answer");
      await store.put(name, bytes);
      if (this.down === "after") throw new Error("no answer");
    },
    get: store.get,
    list: store.list,
  };
}

describe("a checkpointer", () => {
  it("writes what was added, each batch once, in a chain of signed checkpoints", async () => {
    const [a, b] = [batchesOf(3, 40), batchesOf(200, 40)];
    const checkpointer = open({ intervalMs: 2 });
    for (let i = 0; i < 40; i++) {
      for (const batches of [b, a]) checkpointer.add(batches[i] as SealedBatch);
      if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await checkpointer.stop();
    const written = await checkpoints();
    expect(written.length).toBeGreaterThan(1);
    let previous = NO_CHECKPOINT;
    const found: string[] = [];
    for (const [i, { name, signed, checkpoint }] of written.entries()) {
      expect(checkpoint.number).toBe(i + 1);
      expect(checkpoint.previous).toEqual(previous);
      previous = digestOf(signed);
      const beside = openLeaves((await place.store.get(leavesName(stemOf(name)))) as Buffer, checkpoint.root);
      expect(beside).toHaveLength(checkpoint.batches);
      for (const { header, mac, leaves } of beside ?? []) {
        const original = (header.shard === 3 ? a : b)[Number(header.number) - 1] as SealedBatch;
        expect({ header, mac }).toEqual({ header: original.header, mac: original.mac });
        expect(leaves).toEqual(Buffer.concat(original.leaves ?? []));
        found.push(`${header.shard}/${header.number}`);
      }
    }
    expect(new Set(found).size).toBe(80);
    expect(found).toHaveLength(80);
    expect(problems).toEqual([]);
  });

  it("writes the first at once, then at most one each interval", async () => {
    const checkpointer = open({ intervalMs: 150 });
    const batches = batchesOf(3, 30, 1);
    const began = performance.now();
    checkpointer.add(batches[0] as SealedBatch);
    await vi.waitFor(async () => expect(await names()).toHaveLength(1), { interval: 5 });
    expect(performance.now() - began).toBeLessThan(140);
    for (const batch of batches.slice(1)) {
      checkpointer.add(batch);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const elapsed = performance.now() - began;
    expect((await names()).length).toBeLessThanOrEqual(Math.ceil(elapsed / 150));
    await checkpointer.stop();
    expect((await checkpoints()).at(-1)?.checkpoint.spans[0]?.to).toBe(30n);
  });

  it("goes on from the checkpoint of the process before it", async () => {
    const [first, second] = batchesOf(3, 2) as [SealedBatch, SealedBatch];
    for (const batch of [first, second]) {
      const checkpointer = open();
      checkpointer.add(batch);
      await checkpointer.stop();
    }
    const [one, two] = await checkpoints();
    expect(one?.checkpoint.writer).not.toBe(two?.checkpoint.writer);
    expect(two?.checkpoint).toMatchObject({ number: 1, previous: digestOf(one?.signed as SignedCheckpoint) });
  });

  it.each(["before", "after"] as const)(
    "writes the same again until the store has it (it fails %s keeping)",
    async (down) => {
      const store = flaky();
      store.down = down;
      const checkpointer = open({ store, intervalMs: 5 });
      const batches = batchesOf(3, 3);
      checkpointer.add(batches[0] as SealedBatch);
      await vi.waitFor(() => expect(store.puts.length).toBeGreaterThan(2));
      for (const batch of batches.slice(1)) checkpointer.add(batch);
      store.down = false;
      await checkpointer.stop();
      expect(problems.every(({ kind }) => kind === "store_failed")).toBe(true);
      const written = await checkpoints();
      expect(
        written.map(({ checkpoint: { number, spans } }) => [number, spans[0]?.from, spans[0]?.to]),
      ).toEqual([
        [1, 1n, 1n],
        [2, 2n, 3n],
      ]);
      expect(await names(LEAVES)).toHaveLength(2);
    },
  );

  it("keeps no more than its limits while the store is away, and says so once", async () => {
    const store = flaky();
    store.down = "before";
    const limits = { leaves: 10, batches: 6, stopMs: 20 };
    const checkpointer = open({ store, intervalMs: 5, limits });
    const batches = batchesOf(3, 12);
    checkpointer.add(batches[0] as SealedBatch);
    await vi.waitFor(() => expect(problems.length).toBeGreaterThan(0));
    for (const batch of batches.slice(1)) checkpointer.add(batch);
    const dropped = problems.filter(({ kind }) => kind !== "store_failed");
    expect(dropped).toMatchObject([
      { kind: "leaves_dropped", header: { number: 5n } },
      { kind: "batches_dropped", header: { number: 8n } },
    ]);
    store.down = false;
    await checkpointer.stop();
    const written = await checkpoints();
    expect(written.at(-1)?.checkpoint.spans).toMatchObject([{ from: 2n, to: 7n }]);
    const { name, checkpoint } = written.at(-1) as (typeof written)[number];
    const beside = openLeaves((await place.store.get(leavesName(stemOf(name)))) as Buffer, checkpoint.root);
    expect(beside?.map(({ leaves }) => leaves !== null)).toEqual([true, true, true, false, false, false]);
  });

  it("gives up when asked to stop while the store is away, and says how much is not written", async () => {
    const store = flaky();
    store.down = "before";
    const checkpointer = open({ store, intervalMs: 5, limits: { stopMs: 30 } });
    for (const batch of batchesOf(3, 4)) checkpointer.add(batch);
    await checkpointer.stop();
    expect(problems.at(-1)).toEqual({ kind: "unwritten", batches: 4 });
  });

  it("has no gap within one checkpoint", async () => {
    const checkpointer = open();
    const batches = batchesOf(3, 5);
    for (const i of [0, 1, 3, 4, 1]) checkpointer.add(batches[i] as SealedBatch);
    await checkpointer.stop();
    expect((await checkpoints()).map(({ checkpoint: { spans } }) => [spans[0]?.from, spans[0]?.to])).toEqual([
      [1n, 2n],
      [4n, 5n],
      [2n, 2n],
    ]);
  });
});

describe("a checkpoint", () => {
  it("is only what a known key has signed, byte for byte", async () => {
    const checkpointer = open();
    checkpointer.add(batchesOf(3, 1)[0] as SealedBatch);
    await checkpointer.stop();
    const [{ signed } = {}] = await checkpoints();
    if (signed === undefined) throw new Error("no checkpoint");
    expect(openCheckpoint(signed, testKeys().verifying)).toBeNull();
    expect(openCheckpoint(signed, new Map())).toBeNull();
    for (let i = 0; i < signed.text.length; i += 7) {
      const text = `${signed.text.slice(0, i)}${signed.text[i] === "0" ? "1" : "0"}${signed.text.slice(i + 1)}`;
      expect(openCheckpoint({ ...signed, text }, keys.verifying), text).toBeNull();
    }
  });
});

describe("the folder store", () => {
  it("never replaces an object, and takes the same again", async () => {
    await place.store.put("checkpoints/1.json", Buffer.from("a"));
    await place.store.put("checkpoints/1.json", Buffer.from("a"));
    await expect(place.store.put("checkpoints/1.json", Buffer.from("b"))).rejects.toThrow(ObjectExists);
    expect(await place.store.get("checkpoints/1.json")).toEqual(Buffer.from("a"));
    expect(await place.store.get("checkpoints/2.json")).toBeNull();
  });

  it("lets one of many have a name", async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => place.store.put("checkpoints/1.json", Buffer.from(`${i}`))),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("lists names in order, from one to another, and no unfinished ones", async () => {
    const stems = [
      "1795370343120-b",
      "1795370343120-a",
      "1795370999999-a",
      "1795371000000-a",
      "1800000000000-a",
    ];
    for (const stem of stems) await place.store.put(`checkpoints/${stem}.json`, Buffer.from(stem));
    await place.store.put("leaves/1795370343120-a.bin", Buffer.of(1));
    await writeFile(join(place.folder, CHECKPOINTS, "1795370", ".unfinished"), "half");
    const all = await names();
    expect(all).toEqual([...stems].sort().map((stem) => `checkpoints/${stem}.json`));
    const range = { from: "1795370343120-b", to: "1795371000000-a.json" };
    expect(await collect(place.store.list(CHECKPOINTS, range))).toEqual(all.slice(1, 4));
    expect(await newestCheckpoint(place.store, 1_795_371_000_000)).toBe(all[4]);
    expect(await collect(place.store.list("nothing"))).toEqual([]);
  });

  it("leaves nothing unfinished behind, and its objects cannot be written to", async () => {
    await place.store.put("checkpoints/1.json", Buffer.from("a"));
    await place.store.put("checkpoints/1.json", Buffer.from("b")).catch(() => {});
    expect(await readdir(join(place.folder, CHECKPOINTS, "1.json"))).toEqual(["1.json"]);
  });

  it.each(["../x.json", "checkpoints/../x", "checkpoints/.x", "x", "checkpoints/a/b", "/etc/x"])(
    "does not take %s for a name",
    async (name) => {
      await expect(place.store.put(name, Buffer.of(1))).rejects.toThrow("not a name");
    },
  );
});

describe("what beside a checkpoint was changed", () => {
  it("is not believed", async () => {
    const checkpointer = open();
    for (const batch of batchesOf(3, 2)) checkpointer.add(batch);
    await checkpointer.stop();
    const [{ name, checkpoint } = {}] = await checkpoints();
    const bytes = (await place.store.get(leavesName(stemOf(name ?? "")))) as Buffer;
    const root = (checkpoint as Checkpoint).root;
    expect(openLeaves(bytes, root)).toHaveLength(2);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] as number) ^ 4;
      const opened = openLeaves(changed, root);
      // A leaf may be lost, but none is taken for another.
      if (opened !== null)
        expect(
          opened.filter(({ leaves }) => leaves === null),
          `${i}`,
        ).toHaveLength(1);
    }
    for (const length of [0, 1, 95, bytes.length - 1])
      expect(openLeaves(bytes.subarray(0, length), root)).toBeNull();
  });
});

describe("catching up", () => {
  let batches: SealedBatch[];
  const headOf = ({ header, mac }: SealedBatch): StoredHead => ({
    shard: header.shard,
    batch: header.number,
    mac,
    at: new Date(Number(header.atMicros / 1_000n)),
  });

  const run = async (stored: SealedBatch[], written: SealedBatch[]) => {
    if (written.length > 0) {
      let clock = 0;
      for (const batch of written) {
        clock = Number(batch.header.atMicros / 1_000n) + 900;
        const earlier = open({ now: () => clock });
        earlier.add(batch);
        await earlier.stop();
      }
    }
    const added: SealedBatch[] = [];
    const result = await catchUp({
      store: place.store,
      keys: keys.verifying,
      auditKey: keys.auditKey,
      heads: [headOf(stored.at(-1) as SealedBatch)],
      batchesAfter: async (_, number, limit) =>
        stored.filter(({ header }) => header.number > number).slice(0, Math.min(limit, 7)),
      checkpointer: { add: (batch) => added.push(batch) },
    });
    expect(result.batches).toBe(added.length);
    return added;
  };

  beforeEach(() => {
    batches = batchesOf(3, 20, 1, 60_000);
  });

  it.each([0, 1, 12, 19, 20])("adds the batches after number %i, which a checkpoint has", async (covered) => {
    const added = await run(batches, batches.slice(0, covered));
    expect(added.map(({ header }) => header.number)).toEqual(
      batches.slice(covered).map(({ header }) => header.number),
    );
    expect(added).toEqual(batches.slice(covered).map((batch) => ({ ...batch, leaves: null })));
  });

  it.each([0, 1, 12, 20])(
    "finds number %i, though for long there were checkpoints of others only",
    async (covered) => {
      await run(batches, batches.slice(0, covered));
      const other = open();
      other.add(batchesOf(9, 1)[0] as SealedBatch);
      await other.stop();
      const added = await run(batches, []);
      expect(added.map(({ header }) => header.number)).toEqual(
        batches.slice(covered).map(({ header }) => header.number),
      );
    },
  );

  it("refuses a chain that another key continued, that was cut off, or that ends otherwise", async () => {
    const forged = batches.map((batch, i) => (i === 14 ? { ...batch, mac: Buffer.alloc(32) } : batch));
    await expect(run(forged, batches.slice(0, 12))).rejects.toThrow(BrokenChain);
    await expect(run(batches.slice(0, 10), [])).rejects.toThrow(
      "ends in batch 10, and a checkpoint has another 12",
    );
    const other = [...batches.slice(0, 11), { ...(batches[11] as SealedBatch), mac: Buffer.alloc(32) }];
    await expect(run(other, [])).rejects.toThrow("a checkpoint has another 12");
  });

  it("does not believe a checkpoint that nobody of ours has signed", async () => {
    await run(batches, batches);
    for (const name of await names()) {
      const file = join(place.folder, CHECKPOINTS, stemOf(name).slice(0, 7), name.split("/")[1] as string);
      const text = await readFile(file, "utf8");
      await chmod(file, 0o600);
      await writeFile(file, text.replace(/"to\\":\\"\d+/, '"to\\":\\"99'));
    }
    expect(await run(batches, [])).toHaveLength(20);
  });
});
