/**
 * What the checkout on the merchant's page, our challenge page in its frame, and our return page in the frame inside
 * that one say to each other.
 *
 *   merchant's page, checkout  >  /3ds/challenge  >  the issuer's page, in the end /3ds/return
 *
 * The challenge page is ours so that a merchant's content policy need allow no issuer's address: it frames them. The
 * checkout opens with one `ChallengeHello` by postMessage, addressed to the edge's origin and carrying a port, and
 * hears `FromChallenge` through it. The return page tells its parent `RETURNED`, addressed to its own origin: that the
 * browser is back, and nothing about how it went, which only the server learns.
 */
export type ChallengeHello = {
  readonly type: "tessera:challenge";
  readonly acsUrl: string;
  /** Base64url, as it goes into the form field of that name. */
  readonly creq: string;
};

export type FromChallenge =
  /** The greeting was understood, and the browser is on its way to the issuer's page. */
  | "opening"
  /** A page of the issuer's is there. */
  | "shown"
  /** The issuer's page has sent the browser back. */
  | "returned"
  /** The address is none that a browser may be sent to. */
  | "refused";

export const RETURNED = "tessera:3ds-returned";

export function isChallengeHello(data: unknown): data is ChallengeHello {
  const hello = data as Partial<ChallengeHello> | null;
  return (
    hello?.type === "tessera:challenge" && typeof hello.acsUrl === "string" && typeof hello.creq === "string"
  );
}
