/** Sizes of the frame that shows a challenge, in CSS pixels, largest first (`challengeWindowSize`). */
const SIZES = [
  ["03", 500, 600],
  ["04", 600, 400],
  ["02", 390, 400],
  ["01", 250, 400],
] as const;

export type WindowSize = { readonly code: string; readonly width: number; readonly height: number };

/**
 * The largest of the standard sizes that fits into a place of this many CSS pixels; where none does, "the whole
 * screen" and all of the place.
 */
export function windowSizeFor(place: { readonly width: number; readonly height: number }): WindowSize {
  const fitting = SIZES.find(([, width, height]) => width <= place.width && height <= place.height);
  if (fitting === undefined) return { code: "05", ...place };
  const [code, width, height] = fitting;
  return { code, width, height };
}

/**
 * The CReq with the size of the frame that it will really be shown in: the region that made it could only guess.
 * One that is not understood is left as it is.
 */
export function withWindowSize(creq: string, { code }: WindowSize): string {
  try {
    const bytes = Uint8Array.from(atob(creq.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
      character.charCodeAt(0),
    );
    const message = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    if (message["messageType"] !== "CReq") return creq;
    const sized = new TextEncoder().encode(JSON.stringify({ ...message, challengeWindowSize: code }));
    const text = btoa(String.fromCharCode(...sized));
    return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  } catch {
    return creq;
  }
}
