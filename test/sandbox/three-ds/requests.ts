/** The endpoints: what a directory server and an ACS are asked, and by whom. */

import type { Bending, Reply } from "../kit/world.ts";
import { type AReq, readAReq, Unread } from "./areq.ts";
import { authenticate, enter, seen } from "./issuer.ts";
import { aresOf, decode, type Erro, encode, erro } from "./messages.ts";
import { challengePage, methodPage, momentPage, refusedPage, returnPage } from "./pages.ts";
import type { AuthenticationRecord } from "./records.ts";
import type { Request, Work } from "./world.ts";

type Execution = (work: Work, bending: Bending) => Reply;

const WINDOW_SIZES = ["01", "02", "03", "04", "05"];
/** Ranges of all schemes that take part; their 3DS Method page is this sandbox's. */
const RANGES = ["34", "35", "37", "4", "51", "55", "52", "60", "62"];

/** An AReq comes from a 3DS server; the answer is an ARes or an Erro, both with a 200. */
export function authenticating({ body }: Request): Execution {
  const { areq, problem } = read(body);
  return (work, bending) => {
    if (areq === null) return { status: 200, body: problem };
    const record = authenticate(work, areq, bending);
    if (typeof record !== "number") return { status: 200, body: aresOf(record, work.baseUrl) };
    const about = { threeDSServerTransID: areq.serverTransaction, messageVersion: areq.version };
    return { status: 200, body: erro(record, "ordered by the card", about) };
  };
}

function read(body: string): { areq: AReq; problem: null } | { areq: null; problem: Erro } {
  try {
    return { areq: readAReq(body), problem: null };
  } catch (problem) {
    if (problem instanceof Unread) return { areq: null, problem: problem.erro };
    throw problem;
  }
}

/** A PReq asks which cards take part: answered whole each time, without serial numbers. */
export function preparing({ body }: Request): Execution {
  return (work) => {
    const preq = JSON.parse(body) as Record<string, unknown>;
    const range = (prefix: string) => ({
      startRange: prefix.padEnd(16, "0"),
      endRange: prefix.padEnd(16, "9"),
      actionInd: "A",
      acsStartProtocolVersion: "2.1.0",
      acsEndProtocolVersion: "2.3.1",
      threeDSMethodURL: `${work.baseUrl}/acs/method`,
    });
    return {
      status: 200,
      body: {
        messageType: "PRes",
        messageVersion: "2.2.0",
        threeDSServerTransID: preq["threeDSServerTransID"] ?? "",
        cardRangeData: RANGES.map(range),
      },
    };
  };
}

/** The browser brings the CReq: the challenge page, or the way back where it is over. */
export function challenging({ form }: Request): Execution {
  const creq = decode(form.get("creq"));
  return (work) => {
    const record = work.find("authentications", String(creq?.["acsTransID"] ?? ""));
    const ours =
      record !== undefined &&
      record.serverTransaction === creq?.["threeDSServerTransID"] &&
      creq["messageType"] === "CReq" &&
      record.answer.transStatus === "C";
    if (!ours) return refusedPage(400);
    if (record.result !== null) return returning(record)(work);
    const size = String(creq["challengeWindowSize"]);
    if (!WINDOW_SIZES.includes(size)) return refusedPage(400);
    return challengePage(seen(work, record, size));
  };
}

/** The payer's answer; it may come twice. */
export function answering({ form }: Request): Execution {
  const id = form.get("acsTransID") ?? "";
  const entry = form.has("cancel") ? ("cancel" as const) : { code: (form.get("code") ?? "").trim() };
  return (work) => {
    const record = work.find("authentications", id);
    if (record === undefined || record.answer.transStatus !== "C") return refusedPage(404);
    if (record.result !== null) return returning(record)(work);
    if (record.seenAtMs === null) return refusedPage(400);
    const entered = enter(work, record, entry);
    return entered.result === null ? challengePage(entered) : momentPage(entered);
  };
}

/** The browser asks whether it may go back: not before the RReq was answered, or too long has passed. */
export function goingBack({ ids: [id = ""] }: Request): Execution {
  return (work) => {
    const record = work.find("authentications", id);
    return record === undefined ? refusedPage(404) : returning(record)(work);
  };
}

const returning =
  (record: AuthenticationRecord) =>
  (work: Work): Reply => {
    const { result, resultsEvent } = record;
    if (result === null) return challengePage(record);
    const telling = resultsEvent !== null && work.store.undelivered.has(resultsEvent);
    if (telling && work.nowMs - result.atMs < work.settings.resultsWaitMs) return momentPage(record);
    work.put("authentications", { ...record, returnedAtMs: work.nowMs });
    return returnPage(record, result);
  };

/** The 3DS Method page in a hidden frame, before the AReq. */
export function fingerprinting({ form }: Request): Execution {
  const data = decode(form.get("threeDSMethodData"));
  return (work) => {
    const transaction = data?.["threeDSServerTransID"];
    const url = data?.["threeDSMethodNotificationURL"];
    const fits = typeof transaction === "string" && typeof url === "string" && /^https?:\/\//.test(url);
    if (!fits) return refusedPage(400);
    work.put("methods", { id: transaction.toLowerCase(), created: work.nowSeconds });
    return methodPage(url, encode({ threeDSServerTransID: transaction }));
  };
}
