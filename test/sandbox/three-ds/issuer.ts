/**
 * The issuer's mind: what it answers to an AReq, how a challenge ends, and what it tells by an RReq. All of
 * it is state and decisions; pages are in `pages.ts`, messages in `messages.ts`.
 */

import { randomBytes, randomUUID } from "node:crypto";
import { cardFingerprint, schemeOf } from "../kit/cards.ts";
import type { Bending } from "../kit/world.ts";
import type { AReq } from "./areq.ts";
import { type Behaviour, behaviourOf, eciOf, type FinalStatus, type TransStatus } from "./cards.ts";
import { rreqOf } from "./messages.ts";
import type { AuthenticationRecord, Result } from "./records.ts";
import type { Work } from "./world.ts";

export const RIGHT_CODE = "1234";
export const MOST_TRIES = 3;

/** 03 wanted, 04 mandated, 09 and 12 wanted together with something else. */
const WANTS_CHALLENGE = ["03", "04", "09", "12"];
/** Analysis done (05), trusted (08), low value (10), corporate (11). */
const ASKS_EXEMPTION = ["05", "08", "10", "11"];

type Answer = { readonly transStatus: TransStatus; readonly transStatusReason: string | null };

/** Answers an AReq, or gives the code of an Erro. */
export function authenticate(work: Work, areq: AReq, bending: Bending): AuthenticationRecord | number {
  const behaviour = bent(behaviourOf(areq.number), bending);
  if (typeof behaviour.answer === "number") return behaviour.answer;
  if (work.store.tables.authentications.ids(areq.serverTransaction).length > 0) return 305;
  const scheme = schemeOf(areq.number);
  const { transStatus, transStatusReason } = decide(areq, scheme, behaviour);
  const { number, ...kept } = areq;
  const record: AuthenticationRecord = {
    id: randomUUID(),
    created: work.nowSeconds,
    serverTransaction: kept.serverTransaction,
    dsTransaction: randomUUID(),
    version: kept.version,
    scheme,
    cardFingerprint: cardFingerprint(number),
    last4: number.slice(-4),
    channel: kept.channel,
    challengeIndicator: kept.challengeIndicator,
    completion: kept.completion,
    methodDone: work.find("methods", kept.serverTransaction) !== undefined,
    amount: kept.amount,
    exponent: kept.exponent,
    currency: kept.currency,
    merchantName: kept.merchantName,
    language: kept.language,
    resultsUrl: kept.resultsUrl,
    notificationUrl: kept.notificationUrl,
    behaviour,
    answer: {
      transStatus,
      transStatusReason,
      eci: transStatus === "C" || transStatus === "D" ? null : eciFor(scheme, transStatus, areq.recurring),
      cavv: proofOf(transStatus),
    },
    result: null,
    tries: 0,
    seenAtMs: null,
    windowSize: null,
    resultsEvent: null,
    returnedAtMs: null,
    ...waiting(work, transStatus, areq.decoupledMinutes),
  };
  return work.put("authentications", record);
}

function bent(behaviour: Behaviour, { declineCode, quirk }: Bending): Behaviour {
  if (declineCode !== undefined) return { answer: "R", transStatusReason: declineCode };
  if (quirk?.name === "ares") return { ...behaviour, ares: { ...behaviour.ares, ...quirk.parameters } };
  if (quirk?.name === "rreq") return { ...behaviour, rreq: { ...behaviour.rreq, ...quirk.parameters } };
  if (quirk?.name === "behave") return { ...behaviour, ...(quirk.parameters as Partial<Behaviour>) };
  return behaviour;
}

function decide(areq: AReq, scheme: string, behaviour: Behaviour): Answer {
  const answer = behaviour.answer as TransStatus;
  const plain = (transStatus: TransStatus, reason: string | null = null): Answer => ({
    transStatus,
    transStatusReason: reason,
  });
  if (areq.channel === "requestor" && (answer === "C" || behaviour.withoutPayer !== undefined)) {
    return behaviour.withoutPayer === undefined ? plain("N", "21") : plain(behaviour.withoutPayer);
  }
  if (answer === "D" && areq.decoupledMinutes === null) return plain("N", "23");
  if (answer !== "Y") return plain(answer, behaviour.transStatusReason ?? null);
  const browser = areq.channel === "browser";
  if (browser && WANTS_CHALLENGE.includes(areq.challengeIndicator) && behaviour.challenges !== false) {
    return plain("C");
  }
  if (ASKS_EXEMPTION.includes(areq.challengeIndicator))
    return plain("I", scheme === "mastercard" ? "81" : null);
  return plain("Y");
}

function eciFor(scheme: string, status: FinalStatus, recurring: boolean): string | null {
  return scheme === "mastercard" && status === "Y" && recurring ? "07" : eciOf(scheme, status);
}

/** 20 bytes; an outcome that proves nothing has none. */
function proofOf(status: TransStatus): string | null {
  return ["Y", "A", "I"].includes(status) ? randomBytes(20).toString("base64") : null;
}

/** What happens by itself if the payer does nothing. */
function waiting(
  work: Work,
  status: TransStatus,
  decoupledMinutes: number | null,
): Pick<AuthenticationRecord, "decision" | "next"> {
  const at = (afterMs: number) => ({ atMs: work.nowMs + afterMs, idempotencyKey: null });
  if (status === "C") return { decision: at(work.settings.firstCReqMs), next: "time_out" };
  if (status !== "D") return { decision: null, next: null };
  const mostMs = (decoupledMinutes ?? 5) * 60_000;
  const answers = work.settings.decoupledOutcome !== "never";
  const next = answers && work.settings.decoupledDelayMs < mostMs ? "decoupled_ends" : "time_out";
  return { decision: at(next === "time_out" ? mostMs : work.settings.decoupledDelayMs), next };
}

/** The time of a record has come. */
export function decideByItself(work: Work, id: string): void {
  const record = work.get("authentications", id);
  if (record.next === "results") announce(work, { ...record, decision: null, next: null });
  else if (record.next === "decoupled_ends") {
    endDecoupled(work, record, work.settings.decoupledOutcome === "N" ? "N" : "Y");
  } else if (record.next === "time_out") {
    const decoupled = record.answer.transStatus === "D";
    const cancel = decoupled ? "03" : record.seenAtMs === null ? "05" : "04";
    end(work, record, { status: "N", reason: decoupled ? "26" : "14", cancel });
  }
}

/** The payer has answered in the bank's app. */
export function endDecoupled(
  work: Work,
  record: AuthenticationRecord,
  status: "Y" | "N",
): AuthenticationRecord {
  return end(work, record, { status, reason: status === "Y" ? null : "01", cancel: null });
}

/** The browser shows the page, for the first time or again: the clock starts over. */
export function seen(work: Work, record: AuthenticationRecord, windowSize: string): AuthenticationRecord {
  const decision = { atMs: work.nowMs + work.settings.challengeMs, idempotencyKey: null };
  return work.put("authentications", {
    ...record,
    seenAtMs: work.nowMs,
    windowSize,
    decision,
    next: "time_out",
  });
}

export type Entry = { readonly code: string } | "cancel";

/** The payer enters a code or cancels; the third wrong code ends it. */
export function enter(work: Work, record: AuthenticationRecord, entry: Entry): AuthenticationRecord {
  if (entry === "cancel") return end(work, record, { status: "N", reason: "01", cancel: "01" });
  const tried = { ...record, tries: record.tries + 1 };
  if (entry.code === RIGHT_CODE) {
    const status = record.behaviour.ends ?? "Y";
    const reason = { Y: null, A: null, I: null, N: "01", U: "22", R: "11" }[status];
    return end(work, tried, { status, reason, cancel: null });
  }
  if (tried.tries >= MOST_TRIES) return end(work, tried, { status: "N", reason: "01", cancel: null });
  return work.put("authentications", tried);
}

type Ending = {
  readonly status: FinalStatus;
  readonly reason: string | null;
  readonly cancel: string | null;
};

function end(work: Work, record: AuthenticationRecord, ending: Ending): AuthenticationRecord {
  const { status, reason, cancel } = ending;
  const result: Result = {
    transStatus: status,
    transStatusReason: reason,
    eci: eciOf(record.scheme, status),
    cavv: proofOf(status),
    challengeCancel: cancel,
    atMs: work.nowMs,
  };
  const ended: AuthenticationRecord = { ...record, result, decision: null, next: null };
  if (record.behaviour.results === "never") return work.put("authentications", ended);
  if (record.behaviour.results === "late") {
    const decision = { atMs: work.nowMs + work.settings.lateResultsMs, idempotencyKey: null };
    return work.put("authentications", { ...ended, decision, next: "results" });
  }
  return announce(work, ended);
}

/** Sends the RReq on its way, as often as it takes until it is answered. */
function announce(work: Work, record: AuthenticationRecord): AuthenticationRecord {
  const { id, serverTransaction, resultsUrl, result, behaviour } = record;
  if (result === null) throw new Error("an RReq tells a result");
  const body = JSON.stringify(rreqOf(record, result));
  const copies = behaviour.results === "twice" ? 2 : 1;
  const events = Array.from({ length: copies }, () => randomUUID());
  for (const [index, event] of events.entries()) {
    const identity = `results ${index} ${serverTransaction}`;
    work.announce({ id: event, identity, type: "RReq", payment: id, url: resultsUrl, body });
  }
  return work.put("authentications", { ...record, resultsEvent: events[0] ?? null });
}
