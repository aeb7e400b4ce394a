import { err, ok, type Result } from "../../../kernel/result.ts";
import type { Exemption } from "../authentication.ts";
import { declineOf } from "../decline.ts";
import type { NextAction } from "../operation.ts";
import { type Conclusion, conclude } from "./conclusion.ts";
import { weigh } from "./evidence.ts";
import type { RReq } from "./messages.ts";
import type { Scheme } from "./scheme.ts";

/**
 * One authentication, from its AReq to its end: started -> challenge | decoupled -> finished, or finished at
 * once. JSON but for the dates.
 *
 * Once the payer was asked, only an RReq of the same transaction ends it with a yes: what the browser brings
 * back (CRes) says no more than that it is back. It ends once; what comes after that changes nothing. An RReq
 * that never comes is a no, whatever the browser said, since nothing proves the payer.
 */
export type Session = {
  readonly version: string;
  readonly scheme: Scheme;
  /** Ours, the UUID that every message of it carries. */
  readonly serverTransaction: string;
  /** What the AReq asked to be spared. */
  readonly exemption: Exemption | null;
  readonly recurring: boolean;
  readonly startedAt: Date;
} & Progress;

export type Progress =
  | { readonly state: "started" }
  | (Asked & { readonly state: "challenge"; readonly returned: boolean })
  | (Asked & { readonly state: "decoupled" })
  | { readonly state: "finished"; readonly conclusion: Conclusion; readonly at: Date };

/** The payer is being asked. */
type Asked = {
  readonly acsTransaction: string;
  readonly dsTransaction: string;
  readonly action: NextAction;
  /** When we stop waiting. */
  readonly until: Date;
};

/** The issuer wants to ask the payer, on its page or in its app. */
export type Question = Asked & { readonly kind: "challenge" | "decoupled"; readonly version: string };

/** What an AReq's answer means. */
export type AuthenticationAnswer =
  | Conclusion
  | Question
  /** No answer that can be read: no money moves here, so it is asked again under a new transaction. */
  | { readonly kind: "unknown"; readonly because: string };

export type SessionEvent =
  | { readonly type: "answered"; readonly answer: AuthenticationAnswer; readonly at: Date }
  | { readonly type: "results"; readonly results: RReq; readonly at: Date }
  /** The browser came back from the issuer's page. */
  | { readonly type: "returned" }
  /** The time is over: only from `until` on. */
  | { readonly type: "expired"; readonly at: Date }
  /** The payer gave up on our side, or the payment ended. */
  | { readonly type: "abandoned"; readonly at: Date };

export type SessionRefusal =
  /** The ids are another transaction's. */
  | "not_ours"
  /** It has ended, and otherwise. */
  | "late"
  /** Nothing of the kind is under way. */
  | "unexpected"
  /** It has time left. */
  | "too_early";

/** The session after an event. The same event again gives the same session. */
export function advance(session: Session, event: SessionEvent): Result<Session, SessionRefusal> {
  switch (event.type) {
    case "answered":
      return answered(session, event.answer, event.at);
    case "results":
      return resulted(session, event.results, event.at);
    case "returned":
      if (session.state !== "challenge") return err(session.state === "finished" ? "late" : "unexpected");
      return ok({ ...session, returned: true });
    case "expired":
      if (session.state === "finished") return err("late");
      if (session.state === "started") return err("unexpected");
      if (event.at < session.until) return err("too_early");
      return ok(finished(session, unproven("timed_out"), event.at));
    case "abandoned":
      return session.state === "finished"
        ? err("late")
        : ok(finished(session, unproven("abandoned"), event.at));
  }
}

function answered(session: Session, answer: AuthenticationAnswer, at: Date): Result<Session, SessionRefusal> {
  if (session.state !== "started") return err(session.state === "finished" ? "late" : "unexpected");
  if (answer.kind === "unknown") return ok(session);
  if (!("until" in answer)) return ok(finished(session, answer, at));
  const { acsTransaction, dsTransaction, action, until, version } = answer;
  const asked = { ...commonOf(session), version, acsTransaction, dsTransaction, action, until };
  if (answer.kind === "decoupled") return ok({ ...asked, state: "decoupled" });
  return ok({ ...asked, state: "challenge", returned: false });
}

function resulted(session: Session, results: RReq, at: Date): Result<Session, SessionRefusal> {
  if (results.threeDSServerTransID !== session.serverTransaction) return err("not_ours");
  if (session.state === "started") return err("unexpected");
  if (session.state === "finished") return repeated(session.conclusion, results) ? ok(session) : err("late");
  const { acsTransaction, dsTransaction } = session;
  if (results.acsTransID !== acsTransaction || results.dsTransID !== dsTransaction) return err("not_ours");
  const { version, scheme, serverTransaction, recurring } = session;
  const evidence = weigh(
    {
      transStatus: results.transStatus,
      transStatusReason: results.transStatusReason,
      eci: results.eci,
      cavv: results.authenticationValue,
    },
    { version, scheme, serverTransaction, acsTransaction, dsTransaction, recurring, challenged: true },
  );
  return ok(finished(session, conclude(evidence, results.challengeCancel), at));
}

/** The same word once more: directories send an RReq until it is answered. */
function repeated({ authentication }: Conclusion, results: RReq): boolean {
  return (
    authentication !== null &&
    authentication.challenged &&
    authentication.acsTransaction === results.acsTransID &&
    authentication.dsTransaction === results.dsTransID &&
    (authentication.transStatus === results.transStatus || authentication.transStatus === "U") &&
    (authentication.cavv === results.authenticationValue || authentication.cavv === null)
  );
}

const unproven = (providerCode: string): Conclusion => ({
  kind: "rejected",
  authentication: null,
  decline: declineOf("payer_absent", providerCode),
  doubts: [],
});

const commonOf = ({ version, scheme, serverTransaction, exemption, recurring, startedAt }: Session) => ({
  version,
  scheme,
  serverTransaction,
  exemption,
  recurring,
  startedAt,
});

const finished = (session: Session, conclusion: Conclusion, at: Date): Session => ({
  ...commonOf(session),
  state: "finished",
  conclusion,
  at,
});
