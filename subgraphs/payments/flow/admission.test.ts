import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Admission, createAdmission } from "./admission.ts";
import { LOAD_CLASSES } from "./load-class.ts";
import { type Asked, ask, fixed, inside, states, turn, waiting } from "./testing/asked.ts";

/** As many authorizations as are let in. */
function fill(admission: Admission, merchant = "m"): Asked[] {
  const all: Asked[] = [];
  while (!admission.crowded) all.push(ask(admission, "authorization", merchant));
  return all;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("whatever happens", () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("ask" as const),
        class: fc.constantFrom(...LOAD_CLASSES),
        merchant: fc.constantFrom("a", "b", "c"),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom("end" as const, "fail" as const, "away" as const, "back" as const),
        which: fc.nat(30),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 60, 300) }),
    },
  );

  it("the bounds hold, and every place is given back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 6 }),
        fc.array(step, { maxLength: 80 }),
        async (most, atOnce, maxWaiting, steps) => {
          const admission = createAdmission(most, {
            atOnce: { initial: atOnce, least: 1, targetMs: 400 },
            paymentsAtOnce: { initial: 1, least: 1, most: 9, targetMs: 400 },
            maxWaiting,
            maxWaitMs: 100,
          });
          const asked: Asked[] = [];
          for (const one of steps) {
            const known = "which" in one ? asked.filter(({ state }) => state === "inside") : [];
            const subject = "which" in one ? known[one.which % Math.max(1, known.length)] : undefined;
            if (one.do === "ask") asked.push(ask(admission, one.class, one.merchant));
            else if (one.do === "wait") await vi.advanceTimersByTimeAsync(one.ms);
            else if (one.do === "end") subject?.end();
            else if (one.do === "fail") subject?.end(new Error("planned"));
            else if (one.do === "away") subject?.goAway();
            else subject?.comeBack();
            await turn();
            const running = asked.filter(({ state }) => state === "inside").length;
            expect(admission.inFlight).toBe(running);
            expect(running).toBeLessThanOrEqual(most);
            expect(waiting(admission)).toBeLessThanOrEqual(maxWaiting);
            expect(waiting(admission)).toBe(asked.filter(({ state }) => state === "waiting").length);
            expect(inside(admission)).toBeGreaterThanOrEqual(0);
            expect(inside(admission)).toBeLessThanOrEqual(running);
          }
          await vi.advanceTimersByTimeAsync(1_000);
          expect(states(asked)).not.toContain("waiting");
          for (const one of asked) one.end();
          await Promise.all(asked.map(({ settled }) => settled));
          expect([admission.inFlight, inside(admission), waiting(admission)]).toEqual([0, 0, 0]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(["ends", "throws", "throws at once", "is away when it ends"])(
    "a request that %s leaves room",
    async (how) => {
      const admission = createAdmission(1);
      for (let time = 0; time < 3; time++) {
        const work = {
          ends: async () => {},
          throws: () => Promise.reject(new Error("planned")),
          "throws at once": () => {
            throw new Error("planned");
          },
          "is away when it ends": async () => void admission.away(() => new Promise<void>(() => {})),
        }[how];
        const entered = admission.enter({ class: "read", merchant: "m" }, work as () => Promise<void>);
        await entered.catch((error: Error) => expect(error.message).toBe("planned"));
        expect([admission.inFlight, inside(admission)]).toEqual([0, 0]);
      }
    },
  );
});

describe("the order", () => {
  it("is by class, whoever came first", async () => {
    const admission = fixed(40);
    const captures = Array.from({ length: 40 }, () => ask(admission, "follow_up"));
    const others = (["read", "read", "authorization", "authorization"] as const).map((name) =>
      ask(admission, name),
    );
    await turn();
    expect(new Set(states([...captures, ...others]))).toEqual(new Set(["inside"])); // the last four as their classes' own
    const late = (["read", "authorization", "follow_up"] as const).map((name) => ask(admission, name));
    await turn();
    expect(states(late)).toEqual(["waiting", "waiting", "waiting"]);
    const inAtLast: string[] = [];
    for (const one of captures) {
      one.end();
      await turn();
      inAtLast.push(states(late).join());
    }
    const [read, authorization, capture] = [0, 1, 2].map((which) =>
      inAtLast.findIndex((seen) => seen.split(",")[which] === "inside"),
    );
    expect(capture).toBe(4); // 40 - 5 + 4 are below 40
    expect(authorization).toBeGreaterThan(capture as number);
    expect(read).toBeGreaterThan(authorization as number);
  });

  it("is by class where either could go in", async () => {
    const admission = fixed(4);
    const captures = Array.from({ length: 4 }, () => ask(admission, "follow_up"));
    for (const name of ["authorization", "read"] as const) ask(admission, name);
    const [authorization, capture] = [ask(admission, "authorization"), ask(admission, "follow_up")];
    await turn();
    for (const one of captures.slice(0, 3)) one.end();
    await turn();
    expect([capture.state, authorization.state, inside(admission)]).toEqual(["inside", "waiting", 4]);
  });

  it("keeps room for what comes before: a capture goes in at once where nothing else does", async () => {
    const admission = fixed(20);
    const all = fill(admission);
    await turn();
    expect(states(all).filter((state) => state === "inside")).toHaveLength(18);
    const [read, authorization, capture] = (["read", "authorization", "follow_up"] as const).map((name) =>
      ask(admission, name),
    );
    await turn();
    expect([read?.state, authorization?.state, capture?.state]).toEqual(["inside", "waiting", "inside"]); // one read always
    const second = ask(admission, "read");
    await turn();
    expect(second.state).toBe("waiting");
  });

  it("starves nobody: a class that has next to nothing gets in", async () => {
    const admission = fixed(40);
    const captures = Array.from({ length: 60 }, () => ask(admission, "follow_up"));
    const reads = Array.from({ length: 5 }, () => ask(admission, "read"));
    await turn();
    expect(captures.filter(({ state }) => state === "inside")).toHaveLength(40);
    expect(reads.filter(({ state }) => state === "inside")).toHaveLength(2);
  });

  it("of a full waiting room the less important leave it", async () => {
    const admission = fixed(1, { maxWaiting: 2 });
    ask(admission, "follow_up");
    const reads = [1, 2, 3].map(() => ask(admission, "read"));
    await turn();
    // The second finds the class's own place taken by the first.
    const waitingReads = reads.filter(({ state }) => state === "waiting");
    expect(waitingReads).toHaveLength(2);
    const capture = ask(admission, "follow_up");
    await turn();
    expect(capture.state).toBe("waiting");
    expect(states(waitingReads)).toEqual(["waiting", "overloaded"]);
    const [another, late] = [ask(admission, "follow_up"), ask(admission, "read")];
    await turn();
    expect([capture.state, another.state, late.state]).toEqual(["waiting", "waiting", "overloaded"]);
    expect(admission.turnsAway({ class: "read", merchant: "m" })).toMatchObject({ because: "overloaded" });
    expect(admission.turnsAway({ class: "follow_up", merchant: "other" })).toBeNull();
  });
});

describe("merchants", () => {
  it("have room in turn", async () => {
    const admission = fixed(1);
    const first = ask(admission, "authorization", "many");
    await turn();
    const many = Array.from({ length: 6 }, () => ask(admission, "authorization", "many"));
    const few = ask(admission, "authorization", "few");
    await turn();
    first.end();
    await turn();
    many[0]?.end();
    await turn();
    expect(few.state).toBe("inside");
    expect(states(many.slice(1))).toEqual(Array(5).fill("waiting"));
  });

  it("with too much give way to others, and are told that it is their share", async () => {
    const admission = fixed(10, { maxWaiting: 6 });
    const many = Array.from({ length: 30 }, () => ask(admission, "authorization", "many"));
    await turn();
    expect(admission.turnsAway({ class: "authorization", merchant: "few" })).toBeNull();
    const few = [1, 2].map(() => ask(admission, "authorization", "few"));
    await turn();
    expect(states(few)).toEqual(["waiting", "waiting"]);
    expect(many.filter(({ state }) => state === "merchant_share").length).toBe(2);
    expect(admission.turnsAway({ class: "authorization", merchant: "many" })).toMatchObject({
      because: "merchant_share",
    });
    // Alone, nobody has more than a share.
    expect(many.filter(({ state }) => state === "overloaded").length).toBe(30 - 9 - 6);
  });

  it("who are alike do not turn each other away by turns", async () => {
    const admission = fixed(1, { maxWaiting: 3 });
    ask(admission, "authorization", "x");
    const [first, second, third] = ["a", "a", "b"].map((name) => ask(admission, "authorization", name));
    await turn();
    const fourth = ask(admission, "authorization", "b");
    await turn();
    expect([first?.state, second?.state, third?.state, fourth.state]).toEqual([
      "waiting",
      "waiting",
      "waiting",
      "overloaded",
    ]);
    const another = ask(admission, "authorization", "c");
    await turn();
    expect([second?.state, another.state]).toEqual(["overloaded", "waiting"]);
  });

  it("are judged by what they have, not by what they had", async () => {
    const admission = fixed(1, { maxWaiting: 0 });
    for (let time = 0; time < 20; time++)
      await admission.admit(async () => {}, { class: "authorization", merchant: "many" });
    ask(admission, "authorization", "few");
    const refused = ask(admission, "authorization", "many");
    await turn();
    expect(refused.state).toBe("overloaded");
  });
});

describe("figures", () => {
  it("say what was let in and turned away, by class", async () => {
    const admission = fixed(1, { maxWaiting: 0 });
    const reads = [1, 2, 3].map(() => ask(admission, "read"));
    await turn();
    reads[0]?.end();
    await turn();
    expect(admission.figures()).toMatchObject({
      tessera_admission_limit: 1,
      'tessera_admission_admitted_total{class="read"}': 1,
      'tessera_admission_turned_away_total{class="read",because="overloaded"}': 2,
      'tessera_admission_waiting{class="read"}': 0,
    });
  });
});
