import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { eventually } from "../../../test/support/eventually.ts";
import {
  answerChallenge,
  challengeOf,
  NOBODY,
  pay,
  startThreeDsWorld,
  stored,
  type ThreeDsWorld,
  takenFor,
  waits,
} from "../../../test/support/three-ds-world.ts";
import { uuidOf } from "../../kernel/ids.ts";
import type { Payment } from "../domain/payment.ts";
import { browserSample } from "../domain/three-ds/samples.ts";
import { receiveResults } from "./authentication-results.ts";
import type { PaymentDeps } from "./deps.ts";
import { createRecovery } from "./recover.ts";

/** How a wait for a payer ends who does not come, and what is kept meanwhile and after. */
let world: ThreeDsWorld;
beforeAll(async () => {
  world = await startThreeDsWorld();
});
afterAll(() => world.stop());

const CARD = magicNumber("visa", "05");

async function sweep(deps: PaymentDeps = world.another()): Promise<void> {
  await world.payments.database.owner`update payments.in_flight set resolve_after = now()`;
  await createRecovery(deps).sweep();
}

const inFlight = async ({ id }: Pick<Payment, "id">) => {
  const rows = await world.payments.database.owner`
    select f.request, f.resolve_after, p.updated_at from payments.in_flight f
    join payments.payment p on p.shard = f.shard and p.id = f.payment where p.id = ${uuidOf(id)}`;
  return rows as unknown as { request: object; resolve_after: Date; updated_at: Date }[];
};

async function later<T>(ms: number, act: () => Promise<T>): Promise<T> {
  world.payments.clock.aheadMs = ms;
  try {
    return await act();
  } finally {
    world.payments.clock.aheadMs = 0;
  }
}

async function expectAbsent({ id }: Pick<Payment, "id">, providerCode: string): Promise<void> {
  const { payment, operations } = await stored(world, id);
  expect(payment).toMatchObject({ phase: "declined", action: null, decline: { code: "payer_absent" } });
  expect(operations.map(({ kind, state }) => `${kind} ${state}`)).toEqual(["authenticate declined"]);
  expect(operations[0]?.failure).toMatchObject({ code: "payer_absent", providerCode });
  expect(await takenFor(world, operations)).toEqual([]);
  expect(await inFlight({ id })).toEqual([]);
}

describe("a wait for the payer", () => {
  it("is not asked for before its time, and not ended before it", async () => {
    const { payment } = await waits(world, CARD);
    const [row] = await inFlight(payment);
    const waitMs = (row?.resolve_after.getTime() ?? 0) - (row?.updated_at.getTime() ?? 0);
    expect(Math.round(waitMs / 60_000)).toBe(10);
    await later(9 * 60_000, () => sweep());
    expect((await stored(world, payment.id)).payment.phase).toBe("requires_action");
  });

  it("ends by its time: nothing is sent, and results that come later change nothing", async () => {
    const { payment, challenge } = await waits(world, CARD);
    await later(10 * 60_000 + 1_000, () => Promise.all([sweep(), sweep()]));
    await expectAbsent(payment, "timed_out");
    const before = world.inbox.deliveries.length;
    await answerChallenge(challenge, "1234");
    await eventually(async () => expect(world.inbox.deliveries.length).toBeGreaterThan(before));
    expect(world.inbox.deliveries[before]?.answer?.body).toContain("RRes");
    await expectAbsent(payment, "timed_out");
  });

  it("that is over and not ended yet still takes the results", async () => {
    const { payment, challenge } = await waits(world, CARD);
    await later(11 * 60_000, () => answerChallenge(challenge, "1234"));
    await eventually(async () => expect((await stored(world, payment.id)).payment.phase).toBe("open"));
  });

  it("that ends while its results are taken ends in one way", async () => {
    const rounds = Array.from({ length: 4 }, () => waits(world, CARD));
    for (const { payment, challenge } of await Promise.all(rounds)) {
      world.inbox.take = NOBODY;
      const before = world.inbox.deliveries.length;
      await answerChallenge(challenge, "1234");
      const { headers, body } = world.inbox.deliveries[before] as (typeof world.inbox.deliveries)[number];
      await later(11 * 60_000, () => Promise.all([sweep(), receiveResults(world.deps, headers, body)]));
      await eventually(async () =>
        expect(["open", "declined"]).toContain((await stored(world, payment.id)).payment.phase),
      );
      const after = await stored(world, payment.id);
      const taken = await takenFor(world, after.operations);
      expect(taken).toHaveLength(after.payment.phase === "open" ? 1 : 0);
      expect(after.operations).toHaveLength(after.payment.phase === "open" ? 2 : 1);
    }
    world.inbox.take = (headers, body) => receiveResults(world.deps, headers, body);
  });
});

describe("a process that dies", () => {
  it.each(["authenticate.after-commit-1", "the directory's answer"])(
    "at %s leaves a payment that ends as one whose payer was absent",
    async (point) => {
      const { deps } = world;
      const dying = world.another({
        crash: (name) => {
          if (name === point) throw new Error("killed");
        },
        commit: async (commit) => {
          if (commit.resolution?.state === "requires_action" && point.startsWith("the directory"))
            throw new Error("killed");
          return deps.commit(commit);
        },
      });
      await expect(pay(world, CARD, { deps: dying })).rejects.toThrow("killed");
      const [left] = await deps.reads.page(world.merchant, {
        limit: 1,
        cursor: null,
        direction: "older",
        states: null,
      });
      expect(left?.phase).toBe("processing");
      await sweep();
      await expectAbsent(left as Payment, "abandoned");
    },
  );

  it("with the issuer's yes in hand leaves an authentication that ends, and a payment that nobody charges", async () => {
    const dying = world.another({
      crash: (name) => {
        if (name === "authenticate.before-commit") throw new Error("killed");
      },
    });
    await expect(pay(world, magicNumber("visa", "01"), { deps: dying })).rejects.toThrow("killed");
    const [left] = await world.deps.reads.page(world.merchant, {
      limit: 1,
      cursor: null,
      direction: "older",
      states: null,
    });
    await sweep();
    await expectAbsent(left as Payment, "abandoned");
  });

  it("is not missed by a payer who waits: the challenge that another process shows is the same", async () => {
    const { payment, challenge } = await waits(world, CARD);
    const seen = await stored({ ...world, deps: world.another() }, payment.id);
    expect(challengeOf(seen.payment)).toEqual(challenge);
  });
});

describe("what is kept", () => {
  const browser = { ...browserSample(), userAgent: "Curious/1.0 (one of a kind)" };
  const payer = { ip: null, country: "DE", email: "only.here@example.com" };

  /** Rows of all tables that hold the text. */
  async function rowsWith(text: string): Promise<string[]> {
    const { owner } = world.payments.database;
    const tables = await owner`
      select schemaname as schema, tablename as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')`;
    const found: string[] = [];
    for (const { schema, name } of tables) {
      const [row] = await owner.unsafe(
        `select count(*)::int as hits from ${schema}.${name} t where t::text like $1`,
        [`%${text}%`],
      );
      if (row?.["hits"] !== 0) found.push(`${schema}.${name}`);
    }
    return found;
  }

  it("of the payer is only with what waits, and gone when the payment has ended; the card is nowhere", async () => {
    for (const code of ["1234", "cancel"]) {
      const { payment, challenge } = await waits(world, CARD, { browser, payer });
      for (const text of [payer.email, browser.userAgent])
        expect(await rowsWith(text), text).toEqual(["payments.in_flight"]);
      expect(await rowsWith(CARD)).toEqual([]);
      await answerChallenge(challenge, code);
      await eventually(async () => expect(await inFlight(payment)).toEqual([]));
      for (const text of [payer.email, browser.userAgent, CARD, challenge.creq])
        expect(await rowsWith(text), text).toEqual([]);
    }
    // The search finds what is there.
    expect(await rowsWith(uuidOf(world.merchant))).toContain("payments.payment");
  });
});
