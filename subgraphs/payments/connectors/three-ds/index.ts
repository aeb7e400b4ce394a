import type { Exemption } from "../../domain/authentication.ts";
import type { ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { encodeCReq, isSafePage, type WindowSize } from "../../domain/three-ds/challenge.ts";
import { conclude } from "../../domain/three-ds/conclusion.ts";
import { weigh } from "../../domain/three-ds/evidence.ts";
import { type ARes, readAnswer } from "../../domain/three-ds/messages.ts";
import {
  areq,
  type ChallengeWish,
  type Device,
  type Requestor,
  type Server,
  type Version,
} from "../../domain/three-ds/request.ts";
import { type Scheme, schemeOf } from "../../domain/three-ds/scheme.ts";
import type { AuthenticationAnswer, Session } from "../../domain/three-ds/session.ts";
import type { ProviderResponse } from "../connector.ts";
import type { ProviderAccount } from "../transport.ts";

/**
 * The schemes' directory servers, asked by us as a 3DS server (EMV 3-D Secure 2.2 and 2.3): AReqs out, ARes
 * and Erro in. RReqs come by themselves and are read in `results.ts`.
 *
 * An unknown outcome is resolved by asking again under a new transaction of ours: an authentication moves no
 * money, the issuer ends what nobody goes on with, and an RReq of the old transaction finds no session. It
 * must never be the same transaction: a directory refuses one that it has seen, and could not say what it had
 * answered.
 */
export const DIRECTORY = "three-ds";

export type DirectorySettings = {
  readonly version: Version;
  /** As the schemes registered us; `url` is where their RReqs reach us. */
  readonly server: Server;
  /** Where each scheme's directory is, below the account's base URL; a scheme without a path is not asked. */
  readonly paths: Readonly<Partial<Record<Scheme, string>>>;
  /** How long the payer has for a challenge, in ms, until we stop waiting for its RReq. */
  readonly challengeMs: number;
  /** Minutes that an issuer may take to ask in its own app; null: we do not take part in that. */
  readonly decoupledMinutes: number | null;
  /** Development: an issuer's page may be http on this machine. */
  readonly loopback: boolean;
};

export type AuthenticateOptions = {
  /** A new UUID each time that is asked. */
  readonly serverTransaction: string;
  readonly at: Date;
  readonly requestor: Requestor;
  readonly device: Device;
  readonly challenge: ChallengeWish;
  readonly exemption: Exemption | null;
  readonly email: string | null;
};

export interface Directory {
  readonly name: typeof DIRECTORY;
  /** The scheme whose directory knows this brand's cards; null where there is none for us. */
  serves(brand: string): Scheme | null;
  /** The session that an AReq begins. Throws for a brand that is not served. */
  start(payment: Payment, options: AuthenticateOptions): Session;
  /** The AReq, for the vault to fill in the card. Throws for a brand that is not served. */
  authenticate(payment: Payment, options: AuthenticateOptions): ProviderRequest;
  /** What came back for a session in `started`; `windowSize` is the frame that a challenge will be shown in. */
  answer(
    session: Session,
    response: ProviderResponse,
    at: Date,
    windowSize: WindowSize,
  ): AuthenticationAnswer;
}

export function createDirectory(settings: DirectorySettings): Directory {
  const served = (brand: string): Scheme | null => {
    const scheme = schemeOf(brand);
    return scheme !== null && settings.paths[scheme] !== undefined ? scheme : null;
  };
  const schemeFor = ({ terms }: Payment): Scheme => {
    const scheme = served(terms.card.brand);
    if (scheme === null) throw new Error(`no directory serves ${terms.card.brand}`);
    return scheme;
  };
  return {
    name: DIRECTORY,
    serves: served,
    start: (payment, { serverTransaction, exemption, at }) => ({
      state: "started",
      version: settings.version,
      scheme: schemeFor(payment),
      serverTransaction: serverTransaction.toLowerCase(),
      exemption,
      recurring: isSeries(payment),
      startedAt: at,
    }),
    authenticate: (payment, options) => ({
      method: "POST",
      path: settings.paths[schemeFor(payment)] as string,
      token: payment.terms.card.token,
      body: JSON.stringify(
        areq({
          ...options,
          version: settings.version,
          server: settings.server,
          amount: payment.amount,
          stored: payment.terms.stored,
          decoupledMinutes: settings.decoupledMinutes,
        }),
      ),
    }),
    answer: (session, response, at, windowSize) => {
      const read = readResponse(session, response);
      return "messageType" in read ? meaning(session, read, at, windowSize, settings) : read;
    },
  };
}

const isSeries = ({ terms: { stored } }: Payment): boolean =>
  stored?.reason === "recurring" || stored?.reason === "installment";

const unknown = (because: string): AuthenticationAnswer => ({ kind: "unknown", because });
const unavailable = (because: string): AuthenticationAnswer => ({
  kind: "unavailable",
  authentication: null,
  because,
  doubts: [],
});

/** The ARes, or what its absence means. */
function readResponse(session: Session, response: ProviderResponse): ARes | AuthenticationAnswer {
  if (response.kind === "not_sent") return unavailable(response.because);
  if (response.kind === "lost") return unknown(response.because);
  const message = readAnswer(response.body);
  // An Erro is the directory's word whatever the status; anything else with a status of failure is a proxy's.
  if (message.ok && message.value.messageType === "Erro") {
    const { errorCode, errorComponent, errorDetail } = message.value;
    return unavailable(`Erro ${errorCode} of ${errorComponent}: ${errorDetail ?? "no detail"}`);
  }
  if (response.status < 200 || response.status > 299) return unknown(`status ${response.status}`);
  if (!message.ok) return unknown(message.error);
  const ares = message.value as ARes;
  if (ares.threeDSServerTransID !== session.serverTransaction)
    return unknown("an answer to another transaction");
  return ares;
}

function meaning(
  session: Session,
  ares: ARes,
  at: Date,
  windowSize: WindowSize,
  settings: DirectorySettings,
): AuthenticationAnswer {
  const { transStatus } = ares;
  if (transStatus === "C") return challenge(session, ares, at, windowSize, settings);
  if (transStatus === "D") return decoupled(session, ares, at, settings);
  const evidence = weigh(
    {
      transStatus,
      transStatusReason: ares.transStatusReason,
      eci: ares.eci,
      cavv: ares.authenticationValue,
    },
    {
      version: ares.messageVersion,
      scheme: session.scheme,
      serverTransaction: session.serverTransaction,
      dsTransaction: ares.dsTransID,
      acsTransaction: ares.acsTransID,
      challenged: false,
      recurring: session.recurring,
    },
  );
  return conclude(evidence);
}

function challenge(
  session: Session,
  ares: ARes,
  at: Date,
  windowSize: WindowSize,
  { challengeMs, loopback }: DirectorySettings,
): AuthenticationAnswer {
  const { acsURL, acsTransID: acsTransaction, dsTransID: dsTransaction, messageVersion: version } = ares;
  if (acsURL === null || !isSafePage(acsURL, { loopback }))
    return unavailable("a challenge without a page to go to");
  const { serverTransaction } = session;
  const creq = encodeCReq({ version, serverTransaction, acsTransaction, windowSize });
  const until = new Date(at.getTime() + challengeMs);
  const action = { type: "challenge", acsUrl: acsURL, creq, transaction: serverTransaction } as const;
  return { kind: "challenge", version, acsTransaction, dsTransaction, action, until };
}

function decoupled(
  session: Session,
  ares: ARes,
  at: Date,
  { decoupledMinutes }: DirectorySettings,
): AuthenticationAnswer {
  if (decoupledMinutes === null || ares.acsDecConInd !== "Y")
    return unavailable("decoupled, which was not agreed");
  // The issuer has all of the time that was offered, and its RReq a minute more to reach us.
  const until = new Date(at.getTime() + (decoupledMinutes + 1) * 60_000);
  const transaction = session.serverTransaction;
  const action = { type: "decoupled", until: until.toISOString(), transaction } as const;
  const { messageVersion: version, acsTransID: acsTransaction, dsTransID: dsTransaction } = ares;
  return { kind: "decoupled", version, acsTransaction, dsTransaction, action, until };
}

export type AccountSettings = { readonly baseUrl: string; readonly key: string };

/** For the transport. The key stands where production has a client certificate of each scheme's. */
export const threeDsAccount = ({ baseUrl, key }: AccountSettings): ProviderAccount => ({
  baseUrl,
  headers: () => ({ authorization: `Bearer ${key}` }),
  contentType: "application/json",
});
