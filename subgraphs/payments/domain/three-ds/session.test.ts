import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NextAction } from "../operation.ts";
import { conclude } from "./conclusion.ts";
import { weigh } from "./evidence.ts";
import type { RReq } from "./messages.ts";
import { eciRule, type Outcome, SCHEMES, type Scheme } from "./scheme.ts";
import {
  type AuthenticationAnswer,
  advance,
  type Question,
  type Session,
  type SessionEvent,
} from "./session.ts";

const AT = new Date("2026-11-22T12:00:00Z");
const UNTIL = new Date("2026-11-22T12:15:00Z");
const CAVV = "AAABBBCCCDDDEEEFFFGGGHHHIII=";
const action: NextAction = { type: "challenge", acsUrl: "https://acs.example", creq: "x", transaction: "s" };

const started = (scheme: Scheme = "visa"): Session => ({
  state: "started",
  version: "2.2.0",
  scheme,
  serverTransaction: "s",
  exemption: null,
  recurring: false,
  startedAt: AT,
});
const question = (kind: "challenge" | "decoupled" = "challenge"): Question => ({
  kind,
  version: "2.2.0",
  acsTransaction: "a",
  dsTransaction: "d",
  action,
  until: UNTIL,
});
const rreq = (change: Partial<RReq> = {}): RReq => ({
  messageType: "RReq",
  messageVersion: "2.2.0",
  threeDSServerTransID: "s",
  acsTransID: "a",
  dsTransID: "d",
  transStatus: "Y",
  transStatusReason: null,
  eci: "05",
  authenticationValue: CAVV,
  challengeCancel: null,
  interactionCounter: "01",
  ...change,
});
const answeredWith = (answer: AuthenticationAnswer): SessionEvent => ({ type: "answered", answer, at: AT });
const resulted = (change: Partial<RReq> = {}): SessionEvent => ({
  type: "results",
  results: rreq(change),
  at: AT,
});
const expired = (at: Date): SessionEvent => ({ type: "expired", at });
const frictionless = (scheme: Scheme, transStatus: Outcome): AuthenticationAnswer => {
  const proof = transStatus === "Y" || transStatus === "A" ? CAVV : null;
  const word = { transStatus, transStatusReason: null, eci: null, cavv: proof };
  const ids = { serverTransaction: "s", dsTransaction: "d", acsTransaction: "a" };
  return conclude(weigh(word, { version: "2.2.0", scheme, ...ids, challenged: false, recurring: false }));
};

/** The session after events that are all taken. */
function after(session: Session, ...events: SessionEvent[]): Session {
  return events.reduce((before, event) => {
    const next = advance(before, event);
    if (!next.ok) throw new Error(`${event.type}: ${next.error}`);
    return next.value;
  }, session);
}
const refused = (session: Session, event: SessionEvent): string | null => {
  const next = advance(session, event);
  return next.ok ? null : next.error;
};
const challenged = (): Session => after(started(), answeredWith(question()));

describe("one authentication", () => {
  const outcomes: readonly Outcome[] = ["Y", "A", "I", "N", "U", "R"];
  const kinds = {
    Y: "authenticated",
    A: "authenticated",
    I: "authenticated",
    N: "rejected",
    U: "unavailable",
    R: "rejected",
  };
  it.each(SCHEMES.flatMap((scheme) => outcomes.map((outcome) => [scheme, outcome] as const)))(
    "%s answers %s at once",
    (scheme, outcome) => {
      const session = after(started(scheme), answeredWith(frictionless(scheme, outcome)));
      expect(session).toMatchObject({ state: "finished", conclusion: { kind: kinds[outcome] } });
      expect(refused(session, answeredWith(question()))).toBe("late");
    },
  );

  it.each(["challenge", "decoupled"] as const)("is asked by %s, and ends by the RReq", (kind) => {
    const asked = after(started(), answeredWith(question(kind)));
    expect(asked).toMatchObject({ state: kind, until: UNTIL, action });
    expect(after(asked, resulted())).toMatchObject({
      state: "finished",
      conclusion: {
        kind: "authenticated",
        authentication: { challenged: true, liabilityShift: true, cavv: CAVV },
      },
    });
  });

  it("goes on where the answer was lost: it is asked again as another", () => {
    expect(after(started(), answeredWith({ kind: "unknown", because: "reset" }))).toEqual(started());
  });

  it("knows that the browser is back, and waits for the RReq all the same", () => {
    const back = after(challenged(), { type: "returned" }, { type: "returned" });
    expect(back).toMatchObject({ state: "challenge", returned: true });
    expect(after(back, expired(UNTIL))).toMatchObject({
      conclusion: { kind: "rejected", decline: { code: "payer_absent" } },
    });
  });

  it("takes an RReq of its own transaction only", () => {
    for (const change of [{ threeDSServerTransID: "x" }, { acsTransID: "x" }, { dsTransID: "x" }]) {
      expect(refused(challenged(), resulted(change)), JSON.stringify(change)).toBe("not_ours");
    }
    expect(refused(started(), resulted())).toBe("unexpected");
  });

  it("takes the same RReq twice, and another one never", () => {
    const session = after(challenged(), resulted());
    expect(after(session, resulted())).toEqual(session);
    const contradicting = { transStatus: "N", eci: "07", authenticationValue: null } as const;
    expect(refused(session, resulted(contradicting))).toBe("late");
    const no = after(challenged(), resulted(contradicting));
    expect(refused(no, resulted())).toBe("late");
    expect(no).toMatchObject({ conclusion: { kind: "rejected" } });
  });

  it("expires in its time, and stays expired when the yes comes late", () => {
    expect(refused(challenged(), expired(new Date(UNTIL.getTime() - 1)))).toBe("too_early");
    expect(refused(started(), expired(UNTIL))).toBe("unexpected");
    const over = after(challenged(), expired(UNTIL));
    expect(refused(over, resulted())).toBe("late");
  });

  it("can be given up at any time before its end", () => {
    const abandoned: SessionEvent = { type: "abandoned", at: AT };
    expect(after(started(), abandoned)).toMatchObject({ conclusion: { kind: "rejected" } });
    expect(refused(after(challenged(), resulted()), abandoned)).toBe("late");
  });

  it.each([
    [{ transStatus: "N", challengeCancel: "01", transStatusReason: "01" }, "authentication_failed"],
    [{ transStatus: "N", challengeCancel: "04", transStatusReason: "14" }, "payer_absent"],
    [{ transStatus: "N", challengeCancel: "05" }, "payer_absent"],
    [{ transStatus: "R", transStatusReason: "11" }, "suspected_fraud"],
    [{ transStatus: "N", transStatusReason: "10" }, "stolen_card"],
    [{ transStatus: "N", transStatusReason: "99" }, "authentication_failed"],
  ] as const)("%o is declined as %s", (change, code) => {
    const session = after(challenged(), resulted({ eci: null, authenticationValue: null, ...change }));
    expect(session).toMatchObject({ conclusion: { kind: "rejected", decline: { code } } });
  });
});

describe("any history", () => {
  const anyStatus = fc.constantFrom("Y" as const, "A" as const, "N" as const, "U" as const, "R" as const);
  const anyResults = fc.record({
    transStatus: anyStatus,
    eci: fc.constantFrom(null, "05", "06", "02", "01", "07", "00"),
    authenticationValue: fc.constantFrom(null, CAVV, "short"),
    acsTransID: fc.constantFrom("a", "a", "a", "x"),
  });
  const anyEvent = (scheme: Scheme): fc.Arbitrary<SessionEvent> =>
    fc.oneof(
      anyResults.map((change) => resulted(change)),
      fc
        .constantFrom<Outcome[]>("Y", "A", "I", "N", "U", "R")
        .map((outcome) => answeredWith(frictionless(scheme, outcome))),
      fc.constantFrom(answeredWith(question()), answeredWith(question("decoupled"))),
      fc.constant<SessionEvent>({ type: "returned" }),
      fc.constantFrom(expired(AT), expired(UNTIL)),
      fc.constant<SessionEvent>({ type: "abandoned", at: AT }),
    );
  const anyHistory = fc
    .constantFrom(...SCHEMES)
    .chain((scheme) => fc.tuple(fc.constant(scheme), fc.array(anyEvent(scheme), { maxLength: 12 })));

  it("ends once, and with a yes only by an answer at once or an RReq of the transaction that was asked", () => {
    fc.assert(
      fc.property(anyHistory, ([scheme, events]) => {
        let session = started(scheme);
        for (const event of events) {
          const next = advance(session, event);
          if (!next.ok) continue;
          if (session.state === "finished") expect(next.value).toEqual(session);
          else if (next.value.state === "finished") expectEarned(session, next.value, event);
          session = next.value;
        }
      }),
      { numRuns: 3_000 },
    );
  });

  function expectEarned(before: Session, session: Session, event: SessionEvent): void {
    if (session.state !== "finished" || session.conclusion.kind !== "authenticated") return;
    const { authentication } = session.conclusion;
    if (before.state === "started") return expect(event.type).toBe("answered");
    expect(event).toMatchObject({ type: "results", results: { acsTransID: "a", dsTransID: "d" } });
    expect(authentication.challenged).toBe(true);
    const { transStatus, eci, transStatusReason } = authentication;
    const claim = { outcome: transStatus as Outcome, eci, transStatusReason, recurring: false };
    expect(eciRule(before.scheme, claim)).not.toBeNull();
    expect(authentication.cavv).toBe(CAVV);
  }
});
