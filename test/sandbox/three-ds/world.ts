/** The types of this sandbox, and its settings. */

import type { Movement } from "../kit/book.ts";
import { choice, count, sharedSettings, type ValuesOf } from "../kit/settings.ts";
import type { Work as KitWork } from "../kit/work.ts";
import type { ApiRequest, Bending, Reply, WebhookEvent } from "../kit/world.ts";
import type { AuthenticationRecord, MethodRecord } from "./records.ts";

export const settings = {
  ...sharedSettings,
  /** How long the ACS waits for the first CReq after its ARes, in milliseconds. */
  firstCReqMs: count(30_000),
  /** How long the ACS waits for the payer at the challenge page. */
  challengeMs: count(600_000),
  /** When a decoupled authentication ends, and how; `never` leaves it to the control or to its time. */
  decoupledDelayMs: count(1_000),
  decoupledOutcome: choice("Y", ["Y", "N", "never"]),
  /** How late the RReq of a card with late results leaves. */
  lateResultsMs: count(2_000),
  /** How long the browser is kept waiting for the RReq to be answered before it gets its CRes. */
  resultsWaitMs: count(3_000),
};

export const OPERATIONS = [
  "authenticate",
  "prepare",
  "challenge",
  "answer",
  "return",
  "method",
  "other",
] as const;
export type OperationName = (typeof OPERATIONS)[number];

export type Request = ApiRequest & {
  readonly operation: OperationName;
  readonly ids: readonly string[];
  readonly body: string;
  readonly form: URLSearchParams;
  readonly run: (request: Request) => (work: Work, bending: Bending) => Reply;
};

export type ThreeDsWorld = {
  kinds: { authentications: AuthenticationRecord; methods: MethodRecord };
  settings: ValuesOf<typeof settings>;
  /** No money moves here: the book of authentications is made of the records. */
  movement: Movement;
  request: Request;
  event: WebhookEvent & { readonly body: string };
  indexes: { readonly byProof: Map<string, string> };
};

export type Work = KitWork<ThreeDsWorld>;
