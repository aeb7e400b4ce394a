/** What the payer's browser carries between us and the issuer (EMV 3-D Secure, sections 5.4 and 5.8). */

/**
 * Sizes of the frame that shows the challenge, in CSS pixels (`challengeWindowSize`); null: the whole screen.
 */
export const WINDOW_SIZES = {
  "01": { width: 250, height: 400 },
  "02": { width: 390, height: 400 },
  "03": { width: 500, height: 600 },
  "04": { width: 600, height: 400 },
  "05": null,
} as const;
export type WindowSize = keyof typeof WINDOW_SIZES;

export type Challenge = {
  readonly version: string;
  readonly serverTransaction: string;
  readonly acsTransaction: string;
  readonly windowSize: WindowSize;
};

/** JSON in base64url without padding, as every message that a browser carries. */
const encode = (message: object): string =>
  Buffer.from(JSON.stringify(message), "utf8").toString("base64url");

/** The `creq` field to post to the issuer's page. */
export const encodeCReq = (challenge: Challenge): string =>
  encode({
    threeDSServerTransID: challenge.serverTransaction,
    acsTransID: challenge.acsTransaction,
    messageType: "CReq",
    messageVersion: challenge.version,
    challengeWindowSize: challenge.windowSize,
  });

/**
 * The `threeDSMethodData` field to post to the issuer's 3DS Method page, which tells `notificationUrl` when
 * it is done.
 */
export const encodeMethodData = (serverTransaction: string, notificationUrl: string): string =>
  encode({ threeDSServerTransID: serverTransaction, threeDSMethodNotificationURL: notificationUrl });

/**
 * The largest of the standard sizes that fits into a place of this many CSS pixels; the whole screen fits
 * everywhere.
 */
export function windowSizeFor(place: { readonly width: number; readonly height: number }): WindowSize {
  const fitting = (["03", "04", "02", "01"] as const).find((size) => {
    const { width, height } = WINDOW_SIZES[size];
    return width <= place.width && height <= place.height;
  });
  return fitting ?? "05";
}

/**
 * Whether the payer's browser may be sent to an issuer's page: https only (an address that begins with
 * javascript: would run in our page), or http on this very machine where `loopback` allows it for
 * development.
 */
export function isSafePage(address: string, { loopback }: { readonly loopback: boolean }): boolean {
  const url = URL.parse(address);
  if (url === null || url.username !== "" || url.password !== "") return false;
  if (url.protocol === "https:") return true;
  const local =
    url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
  return loopback && local && url.protocol === "http:";
}
