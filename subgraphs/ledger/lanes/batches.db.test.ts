import fc from "fast-check";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { driftedAccounts } from "../../../test/support/agreement.ts";
import { freshDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { AUDIT_KEY } from "../../../test/support/payments.ts";
import { PlainLedger } from "../../../test/support/plain-ledger.ts";
import {
  type CheckoutSessionId,
  type CommitId,
  type MerchantId,
  newId,
  type TransferId,
  transferId,
  uuidOf,
} from "../../kernel/ids.ts";
import { moneyOf } from "../../kernel/money.ts";
import { type AccountRef, accountId } from "../accounts.ts";
import type { Commit, CommitResult } from "../commit.ts";
import { type Committer, openCommitter } from "../committer.ts";
import type { Transfer } from "../transfer.ts";

/** A batch is its commits, one after the other: whatever they are, the plain ledger says what must come of them. */
let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

const AT = new Date("2026-11-22T12:00:00Z");
const SHARDS = [3, 4, 5];

/** What a generated commit is, by small numbers that the world turns into ids. */
type Step =
  | { readonly kind: "post"; readonly parts: readonly PartStep[] }
  | { readonly kind: "resolve"; readonly which: number; readonly parts: readonly ResolveStep[] }
  | { readonly kind: "again"; readonly which: number; readonly other: boolean }
  | { readonly kind: "claim"; readonly key: number; readonly parts: readonly PartStep[] }
  | { readonly kind: "session"; readonly attempt: number; readonly complete: boolean };
type PartStep = {
  readonly pending: boolean;
  readonly debit: number;
  readonly credit: number;
  readonly minor: bigint;
};
type ResolveStep = {
  readonly release: boolean;
  readonly minor: bigint;
  readonly wrong: "debit" | "credit" | null;
};

// Accounts 0 to 3 may overdraw, 4 to 6 may not, 7 is never opened.
const ACCOUNTS = 8;
const amount = fc.bigInt({ min: 1n, max: 60n });
const account = fc.nat({ max: ACCOUNTS - 1 });
const part: fc.Arbitrary<PartStep> = fc
  .record({ pending: fc.boolean(), debit: account, credit: account, minor: amount })
  .filter(({ debit, credit }) => debit !== credit);
const parts = fc.array(part, { minLength: 1, maxLength: 3 });
const resolveParts = fc.array(
  fc.record({
    release: fc.boolean(),
    minor: amount,
    wrong: fc.constantFrom("debit", "credit", ...Array.from({ length: 16 }, () => null)),
  }),
  { minLength: 1, maxLength: 2 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("post" as const), parts }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("resolve" as const),
      which: fc.nat({ max: 30 }),
      parts: resolveParts,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("again" as const),
      which: fc.nat({ max: 30 }),
      other: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("claim" as const), key: fc.nat({ max: 3 }), parts }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("session" as const),
      attempt: fc.nat({ max: 2 }),
      complete: fc.boolean(),
    }),
  },
);

class World {
  readonly merchants: readonly MerchantId[] = SHARDS.map((shard) => newId("mer", { region: 1, shard }, AT));
  readonly sessions: readonly CheckoutSessionId[] = SHARDS.map((shard) =>
    newId("cs", { region: 1, shard }, AT),
  );
  readonly accounts = this.merchants.map((merchant) =>
    Array.from({ length: ACCOUNTS }, (_, index): AccountRef => {
      const book = uuidOf(merchant);
      const normalSide = index === 6 ? "debit" : "credit";
      return {
        book,
        merchant: book,
        code: `test_${index}`,
        currency: "EUR",
        normalSide,
        overdraft: index < 4,
      };
    }),
  );
  readonly made: Commit[] = [];
  readonly holds: { readonly id: TransferId; readonly transfer: Transfer; readonly shard: number }[] = [];

  opening(): Commit[] {
    return this.merchants.map((merchant, at) => {
      const [first, second, , , covered, alsoCovered, covering] = this.accounts[at] as AccountRef[];
      const give = (minor: bigint, debit: AccountRef | undefined, credit: AccountRef | undefined) =>
        ({ kind: "single", amount: moneyOf(minor, "EUR"), debit, credit }) as Transfer;
      const transfers = [
        give(1n, first, second),
        give(90n, first, covered),
        give(40n, second, alsoCovered),
        give(90n, covering, first),
      ];
      const opens = (this.accounts[at] as AccountRef[]).slice(0, ACCOUNTS - 1);
      return this.#commit(merchant, { cause: "adjustment", payment: null, transfers, opens });
    });
  }

  sessionOpenings(): Commit[] {
    return this.sessions.map((id, at) => {
      const merchant = this.merchants[at] as MerchantId;
      const row = {
        shard: SHARDS[at] as number,
        merchant: uuidOf(merchant),
        id: uuidOf(id),
        status: "open",
        attempt: 0,
        amount: "100",
        currency: "EUR",
        capture_method: "manual",
        description: null,
        reference: null,
        payment: null,
        created_at: AT.toISOString(),
        expires_at: AT.toISOString(),
      };
      return { ...this.#commit(merchant), session: { insert: row } };
    });
  }

  commitOf(one: Step, at: number): Commit {
    const where = at % SHARDS.length;
    const merchant = this.merchants[where] as MerchantId;
    switch (one.kind) {
      case "post":
        return this.#posting(merchant, where, one.parts);
      case "claim": {
        const claimed = this.#posting(merchant, where, one.parts);
        const subject = newId("op", { region: 1, shard: SHARDS[where] as number }, AT);
        const key = `${uuidOf(merchant)}-${one.key}`;
        return {
          ...claimed,
          claim: { key, fingerprint: "aa".repeat(32), kind: "capture", subject, payment: null },
        };
      }
      case "resolve": {
        const hold = this.holds[one.which % Math.max(1, this.holds.length)];
        if (hold === undefined)
          return this.#posting(merchant, where, [{ pending: true, debit: 0, credit: 1, minor: 5n }]);
        const home = this.accounts[hold.shard] as AccountRef[];
        const transfers = one.parts.map(
          ({ release, minor, wrong }): Transfer => ({
            kind: release ? "release" : "post",
            amount: moneyOf(minor, "EUR"),
            debit: wrong === "debit" ? other(home, hold.transfer) : hold.transfer.debit,
            credit: wrong === "credit" ? other(home, hold.transfer) : hold.transfer.credit,
            pending: hold.id,
          }),
        );
        return this.#commit(this.merchants[hold.shard] as MerchantId, {
          cause: "capture",
          payment: null,
          transfers,
          opens: [],
        });
      }
      case "again": {
        const made = this.made[one.which % this.made.length] as Commit;
        return one.other ? { ...this.#posting(made.merchant, where, []), ...otherContent(made) } : made;
      }
      case "session": {
        const update = {
          id: this.sessions[where] as CheckoutSessionId,
          expectedAttempt: one.attempt,
          attempt: one.attempt + 1,
          status: one.complete ? "complete" : "open",
          payment: newId("pay", { region: 1, shard: SHARDS[where] as number }, AT),
        } as const;
        return { ...this.#commit(merchant), session: { update } };
      }
    }
  }

  #posting(merchant: MerchantId, where: number, steps: readonly PartStep[]): Commit {
    const home = this.accounts[where] as AccountRef[];
    const transfers = steps.map(
      ({ pending, debit, credit, minor }): Transfer => ({
        kind: pending ? "pending" : "single",
        amount: moneyOf(minor, "EUR"),
        debit: home[debit] as AccountRef,
        credit: home[credit] as AccountRef,
      }),
    );
    const commit = this.#commit(
      merchant,
      transfers.length === 0 ? undefined : { cause: "adjustment", payment: null, transfers, opens: [] },
    );
    for (const [index, transfer] of transfers.entries()) {
      if (transfer.kind === "pending")
        this.holds.push({ id: transferId(commit.id, index + 1), transfer, shard: where });
    }
    return commit;
  }

  #commit(merchant: MerchantId, journal?: Commit["journal"]): Commit {
    const shard = SHARDS[this.merchants.indexOf(merchant)] as number;
    const id = newId("cmt", { region: 1, shard }, AT) as CommitId;
    const commit: Commit = {
      id,
      merchant,
      at: AT,
      ...(journal === undefined ? {} : { journal }),
      events: [],
    };
    this.made.push(commit);
    return commit;
  }
}

const other = (home: readonly AccountRef[], { debit, credit }: Transfer): AccountRef =>
  home.find((one) => one !== debit && one !== credit && home.indexOf(one) < 7) as AccountRef;

/** The same id with another amount, or with a claim where there was no transfer. */
function otherContent(made: Commit): Partial<Commit> {
  const [first, ...rest] = made.journal?.transfers ?? [];
  if (first === undefined || made.journal === undefined) {
    return {
      id: made.id,
      events: [
        {
          id: newId("evt", { region: 1, shard: 3 }, AT),
          type: "test.v1",
          payment: newId("pay", { region: 1, shard: 3 }, AT),
          body: {},
        },
      ],
    };
  }
  const more = { ...first, amount: moneyOf(first.amount.minor + 1n, "EUR") } as Transfer;
  return { id: made.id, journal: { ...made.journal, transfers: [more, ...rest] } };
}

const verdictOf = (result: CommitResult): string =>
  result.outcome === "refused" ? result.reason : result.outcome;
/** A commit with several faults may be told any of them. */
const coarse = (verdict: string): string =>
  ["applied", "replayed", "conflict", "key_taken", "guard_failed"].includes(verdict) ? verdict : "refused";

async function expectTheSame(committer: Committer, steps: readonly Step[], together: boolean): Promise<void> {
  const world = new World();
  const plain = new PlainLedger();
  for (const commit of [...world.opening(), ...world.sessionOpenings()]) {
    expect(plain.apply(commit)).toBe("applied");
    expect(await committer.commit(commit)).toEqual({ outcome: "applied" });
  }
  const commits = steps.map((one, at) => world.commitOf(one, at));
  const expected = commits.map((commit) => plain.apply(commit));
  const results: CommitResult[] = [];
  if (together) results.push(...(await Promise.all(commits.map((commit) => committer.commit(commit)))));
  else for (const commit of commits) results.push(await committer.commit(commit));
  expect(results.map((result) => coarse(verdictOf(result)))).toEqual(expected.map(coarse));
  for (const [at, commit] of commits.entries()) {
    if (commit.journal?.transfers.length === 1)
      expect(verdictOf(results[at] as CommitResult)).toBe(expected[at]);
  }
  await expectBooksToBe(world, plain);
}

async function expectBooksToBe(world: World, plain: PlainLedger): Promise<void> {
  for (const [at, shard] of SHARDS.entries()) {
    const rows = await database.owner`
      select b.id, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
      from ledger.balance b join ledger.account a using (shard, id)
      where b.shard = ${shard} and a.merchant = ${uuidOf(world.merchants[at] as MerchantId)}`;
    const kept = new Map(rows.map(({ id, ...balance }) => [id, Object.values(balance)]));
    const home = (world.accounts[at] as AccountRef[]).slice(0, 7);
    const known = new Map(
      home.map((one) => [accountId(one), Object.values(plain.balanceOf(one) ?? {})] as const),
    );
    expect(kept).toEqual(known);
  }
  const ids = world.holds.map(({ id }) => uuidOf(id));
  const left = await database.owner`
    select transfer, remaining from ledger.pending where transfer = any (${ids}::uuid[])`;
  const expected = [...plain.held].filter(([, { left: rest }]) => rest > 0n);
  expect(new Map(left.map(({ transfer, remaining }) => [transfer, remaining]))).toEqual(
    new Map(expected.map(([id, { left: rest }]) => [uuidOf(id), rest])),
  );
  const made = plain.transfers.map(({ id }) => uuidOf(id));
  const [count] = await database.owner`
    select count(*)::int as count from ledger.transfer where id = any (${made}::uuid[])`;
  expect(count?.["count"]).toBe(made.length);
}

const silent = pino({ level: "silent" });
const open = (lanes: number, maxCommitsPerBatch?: number) =>
  openCommitter({
    url: database.url,
    lanes,
    auditKey: AUDIT_KEY,
    log: silent,
    ...(maxCommitsPerBatch === undefined ? {} : { maxCommitsPerBatch }),
  });

it.each([
  ["in one batch", 1, undefined, true],
  ["in batches of a few, on two lanes", 2, 5, true],
  ["one by one", 1, undefined, false],
] as const)("commits %s come to what they come to one after the other", async (_, lanes, size, together) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      // Each time another one: a lane that has had to be careful stays so for a while.
      const committer = open(lanes, size);
      try {
        await expectTheSame(committer, steps, together);
      } finally {
        await committer.close();
      }
    }),
    { numRuns: together ? 60 : 15 },
  );
  expect(await driftedAccounts(database.owner)).toEqual([]);
});
