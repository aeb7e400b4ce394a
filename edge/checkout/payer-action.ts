import { isLoopback, isSafePage } from "../three-ds/safe-page.ts";

/** What the payer has to do before the attempt can go on. */
export type PayerAction =
  /** Go to a page of the bank's or the provider's, which sends the payer back to the page that mounts the checkout. */
  | { readonly type: "redirect"; readonly url: string }
  /** Answer the issuer's challenge. `creq` is base64url. */
  | { readonly type: "challenge"; readonly acsUrl: string; readonly creq: string }
  /** Confirm in the bank's app; `until` is null where it is not known. */
  | { readonly type: "decoupled"; readonly until: Date | null }
  /** Nothing that this checkout can show: what comes of it is learnt from the session. */
  | { readonly type: "none" };

/** `PaymentAction` as the API tells it. */
export type ToldAction = {
  readonly type: string;
  readonly url?: string | null;
  readonly acsUrl?: string | null;
  readonly creq?: string | null;
  readonly until?: string | null;
};

/**
 * Reads an action. Addresses come from issuers and providers: one that a browser must not be sent to is no action.
 * Plain http is for an edge in development, on this machine.
 */
export function payerAction(told: ToldAction | null | undefined, edgeOrigin: string): PayerAction {
  const loopback = isLoopback(new URL(edgeOrigin).hostname);
  const safe = (address: string) => isSafePage(address, { loopback });
  const { type, url, acsUrl, creq, until } = told ?? {};
  if (type === "REDIRECT" && url && safe(url)) return { type: "redirect", url };
  if (type === "CHALLENGE" && acsUrl && creq && safe(acsUrl)) return { type: "challenge", acsUrl, creq };
  if (type === "DECOUPLED") {
    const end = new Date(until ?? "");
    return { type: "decoupled", until: Number.isNaN(end.getTime()) ? null : end };
  }
  return { type: "none" };
}
