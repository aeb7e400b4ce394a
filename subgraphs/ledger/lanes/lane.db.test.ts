import { createSecretKey } from "node:crypto";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { driftedAccounts } from "../../../test/support/agreement.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { freshDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { newId, transferId, uuidOf } from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import type { AccountRef } from "../accounts.ts";
import type { Commit, CommitResult } from "../commit.ts";
import { type Committer, type CommitterOptions, openCommitter } from "../committer.ts";
import type { Transfer } from "../transfer.ts";
import type { SealedBatch } from "./seal.ts";

const AT = new Date("2026-11-22T12:00:00Z");
const silent = pino({ level: "silent" });
let database: TestDatabase;
let committer: Committer;

const open = (overrides: Partial<CommitterOptions> = {}) =>
  openCommitter({ url: database.url, lanes: 2, auditKey: AUDIT_KEY, log: silent, ...overrides });

beforeAll(async () => {
  database = await freshDatabase();
  committer = open();
});
afterAll(async () => {
  await committer.close();
  await database.drop();
});

/** A book with two accounts that may overdraw and one that may not, each opened by its first commit. */
function shop(shard: number) {
  const merchant = newId("mer", { region: 1, shard }, AT);
  const account = (code: string, overdraft = true, currency: "EUR" | "JPY" = "EUR"): AccountRef => ({
    book: uuidOf(merchant),
    merchant: uuidOf(merchant),
    code,
    currency,
    normalSide: "credit",
    overdraft,
  });
  const [one, other, covered] = [account("one"), account("other"), account("covered", false)];
  return { merchant, shard, one, other, covered, account };
}
type Shop = ReturnType<typeof shop>;

function posting(
  { merchant, one, other, covered, shard }: Shop,
  transfers: readonly Transfer[],
  overrides: Partial<Commit> = {},
) {
  const journal = { cause: "adjustment", payment: null, transfers, opens: [one, other, covered] } as const;
  const id = newId("cmt", { region: 1, shard }, AT);
  return { id, merchant, at: AT, journal, events: [], ...overrides } satisfies Commit;
}
const move = ({ one, other }: Shop, minor = 5n, overrides: Partial<Transfer> = {}) =>
  ({ kind: "single", amount: moneyOf(minor, "EUR"), debit: one, credit: other, ...overrides }) as Transfer;

const isThere = async ({ id }: Commit): Promise<number> => {
  const [row] = await database.owner`
    select count(*)::int as count from ledger.transfer where ledger.commit_of(id) = ${uuidOf(id)}`;
  return row?.["count"] as number;
};
const applied: CommitResult = { outcome: "applied" };

describe("what the ledger refuses fails alone, with its reason", () => {
  const cases: readonly [string, string, (one: Shop) => readonly Transfer[]][] = [
    ["no transfer", "number_of_transfers", () => []],
    ["more than 255", "number_of_transfers", (one) => Array.from({ length: 256 }, () => move(one))],
    ["nothing", "amount_out_of_range", (one) => [move(one), move(one, 0n)]],
    ["less than nothing", "amount_out_of_range", (one) => [move(one, -1n)]],
    [
      "above 2^62",
      "amount_out_of_range",
      (one) => [move(one, 1n, { amount: { minor: 2n ** 62n + 1n, currency: "EUR" } as Transfer["amount"] })],
    ],
    ["an account with itself", "same_account", (one) => [move(one, 1n, { credit: one.one })]],
    [
      "another currency",
      "other_currency",
      (one) => [move(one, 1n, { debit: one.account("one", true, "JPY") })],
    ],
    ["another shard", "other_shard", (one) => [move(one, 1n, { debit: shop(one.shard + 1).one })]],
    [
      "an unknown account",
      "unknown_account",
      (one) => [move(one), move(one, 1n, { debit: one.account("nobody") })],
    ],
    ["more than an account has", "exceeds_limit", (one) => [move(one, 1n, { debit: one.covered })]],
    [
      "an unknown pending transfer",
      "unknown_pending",
      (one) => {
        const pending = transferId(newId("cmt", { region: 1, shard: one.shard }, AT), 1);
        return [{ ...move(one), kind: "post", pending }];
      },
    ],
  ];

  it.each(cases)("%s: %s", async (_, reason, transfersOf) => {
    const here = shop(9);
    const neighbours = Array.from({ length: 4 }, () => posting(shop(9), [move(here)]));
    const mine = neighbours.map((commit) => ({
      ...commit,
      journal: { ...posting(here, [move(here)]).journal },
    }));
    const bad = posting(here, transfersOf(here));
    const all = [...mine.slice(0, 2), bad, ...mine.slice(2)];
    const results = await Promise.all(all.map((commit) => committer.commit(commit)));
    expect(results[2]).toEqual({ outcome: "refused", reason });
    expect(results.filter((_result, at) => at !== 2)).toEqual(mine.map(() => applied));
    expect(await isThere(bad)).toBe(0);
  });

  it.each([
    ["debit", 5n],
    ["debit", 3n],
    ["credit", 5n],
    ["credit", 3n],
  ] as const)(
    "a post with another %s than its pending transfer's, of %i: other_pending_accounts",
    async (side, part) => {
      const committer = open({ lanes: 1 });
      const here = shop(9);
      const held = posting(here, [
        move(here, 5n, { kind: "pending" }),
        move(here, 5n, { credit: here.covered }),
      ]);
      expect(await committer.commit(held)).toEqual(applied);
      const pending = transferId(held.id, 1);
      const post = { ...move(here, part, { [side]: here.covered }), kind: "post", pending } as Transfer;
      expect(await committer.commit(posting(here, [post]))).toEqual({
        outcome: "refused",
        reason: "other_pending_accounts",
      });
      await committer.close();
    },
  );

  it("a part of what the commit holds itself: unknown_pending", async () => {
    const committer = open({ lanes: 1 });
    const here = shop(9);
    await committer.commit(posting(here, [move(here)]));
    const held = posting(here, [move(here, 5n, { kind: "pending" })]);
    const post = { ...move(here), kind: "post", pending: transferId(held.id, 1) } as Transfer;
    const both = { ...held, journal: { ...held.journal, transfers: [...held.journal.transfers, post] } };
    expect(await committer.commit(both)).toEqual({ outcome: "refused", reason: "unknown_pending" });
    await committer.close();
  });

  it("a balance that would pass 2^63: balance_out_of_range", async () => {
    const here = shop(9);
    const much = () => posting(here, [move(here, 2n ** 62n)]);
    expect([await committer.commit(much()), await committer.commit(much())]).toEqual([
      applied,
      { outcome: "refused", reason: "balance_out_of_range" },
    ]);
  });

  it("the same id with other content: conflict", async () => {
    const here = shop(9);
    const first = posting(here, [move(here)]);
    const neighbour = posting(here, [move(here)]);
    await committer.commit(first);
    const other = posting(here, [move(here, 6n)], { id: first.id });
    expect(await Promise.all([other, first, neighbour].map((one) => committer.commit(one)))).toEqual([
      { outcome: "conflict" },
      { outcome: "replayed" },
      applied,
    ]);
  });

  it("an account that is there and is another is not opened", async () => {
    const here = shop(9);
    await committer.commit(posting(here, [move(here)]));
    const opens = [here.one, here.other, { ...here.covered, overdraft: true }];
    const other = posting(here, [move(here)]);
    const afresh = open();
    try {
      const commit = { ...other, journal: { ...other.journal, opens } };
      await expect(afresh.commit(commit)).rejects.toMatchObject({ code: "TS003" });
      expect(await isThere(other)).toBe(0);
    } finally {
      await afresh.close();
    }
  });

  it("what the database does not take is an error of its commit only", async () => {
    const here = shop(9);
    const session = { insert: { shard: 9, merchant: uuidOf(here.merchant), id: "no uuid" } };
    const good = Array.from({ length: 5 }, () => posting(here, [move(here)]));
    const settled = await Promise.allSettled(
      [...good.slice(0, 2), posting(here, [move(here)], { session }), ...good.slice(2)].map((one) =>
        committer.commit(one),
      ),
    );
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
  });
});

describe("limits", () => {
  it("hold for many at once, in one batch", async () => {
    const here = shop(11);
    await committer.commit(posting(here, [move(here, 100n, { credit: here.covered })]));
    const takes = Array.from({ length: 30 }, () => posting(here, [move(here, 7n, { debit: here.covered })]));
    const results = await Promise.all(takes.map((one) => committer.commit(one)));
    expect(results.slice(0, 14)).toEqual(Array.from({ length: 14 }, () => applied));
    expect(results.slice(14)).toEqual(
      Array.from({ length: 16 }, () => ({ outcome: "refused", reason: "exceeds_limit" })),
    );
  });

  it.each(["credit", "debit"] as const)(
    "count what is held, of an account that grows by %s",
    async (normalSide) => {
      // A lane that has had to be careful stays so for a while; this one finds out by writing.
      const committer = open({ lanes: 1 });
      const here = shop(11);
      const flip = normalSide === "debit";
      const covered = { ...here.covered, code: `covered_${normalSide}`, normalSide };
      const out = (minor: bigint, kind = "single") =>
        move(here, minor, {
          kind,
          ...(flip ? { credit: covered, debit: here.one } : { debit: covered }),
        } as never);
      const cover = flip ? { debit: covered, credit: here.one } : { credit: covered };
      const opening = posting(here, [move(here, 100n, cover)]);
      const opens = [...opening.journal.opens, covered];
      expect(await committer.commit({ ...opening, journal: { ...opening.journal, opens } })).toEqual(applied);
      expect(await committer.commit(posting(here, [out(60n, "pending")]))).toEqual(applied);
      expect(await committer.commit(posting(here, [out(41n)]))).toMatchObject({ reason: "exceeds_limit" });
      await committer.close();
    },
  );

  it("give back what is released", async () => {
    const here = shop(11);
    const { covered } = here;
    await committer.commit(posting(here, [move(here, 100n, { credit: covered })]));
    const held = posting(here, [move(here, 60n, { kind: "pending", debit: covered })]);
    const take = (minor: bigint) => posting(here, [move(here, minor, { debit: covered })]);
    const exceeds = { outcome: "refused", reason: "exceeds_limit" };
    const commits = [held, take(41n), take(40n), take(1n)];
    const results = [];
    for (const commit of commits) results.push(await committer.commit(commit));
    expect(results).toEqual([applied, exceeds, applied, exceeds]);
    const pending = transferId(held.id, 1);
    const back = posting(here, [{ ...move(here, 60n, { debit: covered }), kind: "release", pending }]);
    const together = [take(60n), back, take(60n), take(1n)].map((commit) => committer.commit(commit));
    expect(await Promise.all(together)).toEqual([exceeds, applied, applied, exceeds]);
  });

  it("let through what the commit before it in the batch has covered", async () => {
    const here = shop(11);
    await committer.commit(posting(here, [move(here)]));
    const results = await Promise.all(
      [
        posting(here, [move(here, 50n, { debit: here.covered })]),
        posting(here, [move(here, 50n, { credit: here.covered })]),
        posting(here, [move(here, 50n, { debit: here.covered })]),
      ].map((one) => committer.commit(one)),
    );
    expect(results).toEqual([{ outcome: "refused", reason: "exceeds_limit" }, applied, applied]);
  });
});

it("what was applied before is not counted again when limits are judged", async () => {
  const judging = open({ lanes: 1 });
  try {
    const here = shop(11);
    const take = (minor: bigint) => posting(here, [move(here, minor, { debit: here.covered })]);
    await judging.commit(posting(here, [move(here, 100n, { credit: here.covered })]));
    const first = take(50n);
    expect(await judging.commit(first)).toEqual(applied);
    expect(await judging.commit(take(51n))).toMatchObject({ reason: "exceeds_limit" });
    // From now on its batches are judged first.
    const again = await Promise.all([first, take(50n)].map((commit) => judging.commit(commit)));
    expect(again).toEqual([{ outcome: "replayed" }, applied]);
  } finally {
    await judging.close();
  }
});

describe("an answer that is lost", () => {
  it.each([1, 2, 3])("leaves every commit applied once, and told so (%i)", async () => {
    const proxy = await startCuttingProxy(database.url);
    const told: bigint[] = [];
    const onBatch = ({ header }: SealedBatch) => told.push(header.number);
    const through = open({ url: proxy.url, lanes: 1, onBatch });
    try {
      const here = shop(13);
      expect(await through.commit(posting(here, [move(here)]))).toEqual(applied);
      proxy.cutNextAnswer();
      const subject = newId("op", { region: 1, shard: 13 }, AT);
      const key = `lost-${uuidOf(subject)}`;
      const claim = { key, fingerprint: "aa".repeat(32), kind: "capture", subject, payment: null } as const;
      const commits = [
        ...Array.from({ length: 20 }, () => posting(here, [move(here), move(here)])),
        posting(here, [move(here)], { claim }),
      ];
      const results = await Promise.all(commits.map((one) => through.commit(one)));
      expect(proxy.cuts).toBe(1);
      expect(results).toEqual(commits.map(() => applied));
      for (const commit of commits.slice(0, -1)) expect(await isThere(commit)).toBe(2);
      const [first = 0n] = told;
      expect(told).toEqual([first, first + 1n]); // the audit hears of each batch once
    } finally {
      await through.close();
      await proxy.close();
    }
  });

  it("of a batch that moves no money is found by its commits' ids", async () => {
    const proxy = await startCuttingProxy(database.url);
    const through = open({ url: proxy.url, lanes: 1 });
    try {
      const here = shop(13);
      await through.commit(posting(here, [move(here)]));
      proxy.cutNextAnswer();
      const subject = newId("op", { region: 1, shard: 13 }, AT);
      const key = `bare-${uuidOf(subject)}`;
      const claim = { key, fingerprint: "aa".repeat(32), kind: "capture", subject, payment: null } as const;
      const { journal: _none, ...bare } = posting(here, [], { claim });
      expect(await through.commit(bare)).toEqual({ outcome: "replayed" });
    } finally {
      await through.close();
      await proxy.close();
    }
  });
});

it("a batch that was given up and is in the books after all is told to the audit", async () => {
  const proxy = await startCuttingProxy(database.url);
  const told: bigint[] = [];
  const onBatch = ({ header }: SealedBatch) => told.push(header.number);
  const through = open({ url: proxy.url, lanes: 1, onBatch });
  try {
    const here = shop(15);
    await through.commit(posting(here, [move(here)]));
    await through.commit(posting(here, [move(here)])); // prepares the statement whose answer is cut
    proxy.cutNextAnswer();
    proxy.refuse();
    const given = posting(here, [move(here)]);
    await expect(through.commit(given)).rejects.toThrow();
    expect([told, await isThere(given)]).toEqual([[1n, 2n], 1]);
    await proxy.listenAgain();
    expect(await through.commit(posting(here, [move(here)]))).toEqual(applied);
    expect(told).toEqual([1n, 2n, 3n, 4n]);
  } finally {
    await through.close();
    await proxy.close();
  }
});

describe("two writers of one shard", () => {
  it("follow each other, lose nothing and book nothing twice", async () => {
    const another = open();
    try {
      const here = shop(17);
      await committer.commit(posting(here, [move(here)]));
      const commits = Array.from({ length: 200 }, () => posting(here, [move(here)]));
      const results = await Promise.all(
        commits.map(async (one, at) => {
          await new Promise((resolve) => setTimeout(resolve, at));
          return (at % 2 === 0 ? committer : another).commit(one);
        }),
      );
      expect(results).toEqual(commits.map(() => applied));
      const [sum] = await database.owner`
        select count(*)::int as count, max(seq) - min(seq) + 1 as span from ledger.transfer where shard = 17`;
      expect(Number(sum?.["span"])).toBe(sum?.["count"]);
    } finally {
      await another.close();
    }
  });

  it.each([
    ["the next batch", 1n],
    ["a batch in another's place", 0n],
  ])("but nothing is written after what somebody without the key wrote: %s", async (_, next) => {
    const shard = next === 1n ? 21 : 23;
    const here = shop(shard);
    const mine = open();
    const forger = open({ auditKey: createSecretKey(Buffer.alloc(32, "another")) });
    try {
      await mine.commit(posting(here, [move(here)]));
      if (next === 1n) {
        // The forger has to make the database's owner lend a hand: its own committer would not follow either.
        await database.owner`
          update ledger.chain set batch = batch + 1, seq = seq + 1, mac = sha256('x') where shard = ${shard}`;
        await database.owner`
          insert into ledger.batch select shard, 2, 2, 1, at, root, sha256('x') from ledger.batch where shard = ${shard}`;
      } else {
        await database.owner`update ledger.chain set mac = sha256('x') where shard = ${shard}`;
      }
      const refused = { name: "ChainBroken", shard };
      await expect(mine.commit(posting(here, [move(here)]))).rejects.toMatchObject(refused);
      await expect(forger.commit(posting(here, [move(here)]))).rejects.toMatchObject(refused);
      const elsewhere = shop(shard + 2);
      expect(await mine.commit(posting(elsewhere, [move(elsewhere)]))).toEqual(applied);
    } finally {
      await mine.close();
      await forger.close();
    }
  });
});

it("turns away new claims when too much waits, and nothing else", async () => {
  const crowded = open({ lanes: 1, maxQueued: 10 });
  try {
    const here = shop(27);
    await crowded.commit(posting(here, [move(here)]));
    const claimed = (): Commit => {
      const subject = newId("op", { region: 1, shard: 27 }, AT);
      const claim = {
        key: uuidOf(subject),
        fingerprint: "aa".repeat(32),
        kind: "void",
        subject,
        payment: null,
      };
      return posting(here, [move(here)], { claim } as Partial<Commit>);
    };
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        crowded.commit(at % 2 === 0 ? claimed() : posting(here, [move(here)])),
      ),
    );
    const told = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
    expect([told("applied"), told("overloaded")]).toEqual([25, 15]);
    expect(results.filter((_result, at) => at % 2 === 1)).toEqual(Array.from({ length: 20 }, () => applied));
  } finally {
    await crowded.close();
  }
});

it("keeps balances that are what the transfers give", async () => {
  expect(await driftedAccounts(database.owner)).toEqual([]);
  const unbalanced = await database.owner`
    select journal from ledger.entry group by shard, journal, currency having sum(amount) <> 0`;
  expect(unbalanced).toEqual([]);
});
