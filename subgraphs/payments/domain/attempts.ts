import type { Exemption } from "./authentication.ts";
import type { Payer } from "./commands.ts";
import type { RoutingReason } from "./routing/reason.ts";
import type { Browser } from "./three-ds/browser.ts";
import type { Circumstances } from "./three-ds/policy.ts";
import type { Session } from "./three-ds/session.ts";

/**
 * What a payment's attempts need besides the payment, from the first to the last: JSON, since an attempt that waits for the
 * payer goes on in another request, maybe of another process. It is kept with the operation that waits, and goes with it.
 */
export type Attempts = {
  /** The idempotency key of the request that asked for the payment. */
  readonly key: string;
  readonly payer: Payer;
  readonly browser: Browser | null;
  readonly returnUrl: string | null;
  /** Where the card was issued, by its BIN: ISO 3166-1 alpha-2. */
  readonly cardCountry: string | null;
  /** The vault keeps the card's security code for this reference: the same for all attempts of a payment. */
  readonly promisedTo: string;
  readonly cvcAvailable: boolean;
  /** Providers that have failed it definitely, in order. */
  readonly tried: readonly string[];
  /** The exemption from strong customer authentication that the authorization asks for. */
  readonly exemption: Exemption | null;
  /** An issuer's soft decline has been answered by asking the payer. */
  readonly steppedUp: boolean;
  readonly risk: "allow" | "challenge";
};

/** An authentication that waits: its session, and how the payment goes on when it has ended. */
export type AuthenticationUnderWay = {
  readonly session: Session;
  readonly circumstances: Circumstances;
  readonly exemption: Exemption | null;
  /** Who is asked to authorize it then, and why. */
  readonly provider: string;
  readonly routing: RoutingReason;
  readonly attempts: Attempts;
};

/** As JSON keeps it. */
export function encodeUnderWay(underWay: AuthenticationUnderWay): Readonly<Record<string, unknown>> {
  const { circumstances } = underWay;
  const cents = circumstances.euroCents?.toString() ?? null;
  return JSON.parse(JSON.stringify({ ...underWay, circumstances: { ...circumstances, euroCents: cents } }));
}

/** Of what `encodeUnderWay` made, by us, in a column that only we write. */
export function decodeUnderWay(kept: Readonly<Record<string, unknown>>): AuthenticationUnderWay {
  const { session, circumstances, ...rest } = kept as unknown as AuthenticationUnderWay;
  const cents = circumstances.euroCents as unknown as string | null;
  return {
    ...rest,
    circumstances: { ...circumstances, euroCents: cents === null ? null : BigInt(cents) },
    session: revived(session),
  };
}

function revived(session: Session): Session {
  const startedAt = new Date(session.startedAt);
  switch (session.state) {
    case "started":
      return { ...session, startedAt };
    case "challenge":
    case "decoupled":
      return { ...session, startedAt, until: new Date(session.until) };
    case "finished":
      return { ...session, startedAt, at: new Date(session.at) };
  }
}
