/** What the sandbox remembers of an authentication. The card's number is not in it. */

import type { Decision } from "../kit/world.ts";
import type { Behaviour, FinalStatus, TransStatus } from "./cards.ts";

type Outcome<S> = {
  readonly transStatus: S;
  readonly transStatusReason: string | null;
  readonly eci: string | null;
  readonly cavv: string | null;
};

/** How a challenge or a decoupled authentication ended. */
export type Result = Outcome<FinalStatus> & {
  /** 01 the payer cancelled, 04 timed out, 05 the first CReq never came. */
  readonly challengeCancel: string | null;
  /** Milliseconds since 1970. */
  readonly atMs: number;
};

export type AuthenticationRecord = {
  /** The ACS's UUID. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly serverTransaction: string;
  readonly dsTransaction: string;
  readonly version: string;
  readonly scheme: string;
  readonly cardFingerprint: string;
  readonly last4: string;
  readonly channel: "browser" | "requestor";
  readonly challengeIndicator: string;
  readonly completion: string | null;
  /** Whether the browser really was on the 3DS Method page. */
  readonly methodDone: boolean;
  readonly amount: string;
  readonly exponent: number;
  readonly currency: string;
  readonly merchantName: string;
  readonly language: string;
  readonly resultsUrl: string;
  readonly notificationUrl: string | null;
  readonly behaviour: Behaviour;
  /** The ARes. */
  readonly answer: Outcome<TransStatus>;
  /**
   * What became of a challenge or a decoupled authentication; null while it is open, or where there was none.
   */
  readonly result: Result | null;
  /** Codes that the payer has entered. */
  readonly tries: number;
  /** When the payer's browser came first. */
  readonly seenAtMs: number | null;
  readonly windowSize: string | null;
  /** The RReq's event. */
  readonly resultsEvent: string | null;
  /** When the browser got its CRes. */
  readonly returnedAtMs: number | null;
  readonly decision: Decision | null;
  /** What the next decision is. */
  readonly next: "time_out" | "decoupled_ends" | "results" | null;
};

export type MethodRecord = { readonly id: string; readonly created: number };
