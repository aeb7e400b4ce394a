/**
 * What the checkout on the merchant's page and the card page in the vault's frame say to each other. Only what
 * is listed here crosses between the two origins: a token comes out, a card never does.
 *
 * The checkout opens with one `Hello` by postMessage, addressed to the vault's origin and carrying a port; the
 * frame takes it from its parent only. Everything after travels through the port, which nobody else holds.
 */
export type Hello = { readonly type: "tessera:hello"; readonly publishableKey: string };

export type ToFrame =
  | { readonly type: "tokenize"; readonly id: number }
  /** The fields cannot be edited while a payment is under way. */
  | { readonly type: "busy"; readonly busy: boolean };

export type Tokenized =
  | { readonly ok: true; readonly token: string; readonly brand: string; readonly last4: string }
  /** `message` is null where the frame shows it beside the field itself. */
  | { readonly ok: false; readonly message: string | null };

export type FromFrame =
  | { readonly type: "ready" }
  | { readonly type: "resize"; readonly height: number }
  /** The card was edited: a token made before does not stand for it any more. */
  | { readonly type: "edited" }
  /** Enter was pressed in a field. */
  | { readonly type: "submit" }
  | { readonly type: "tokenized"; readonly id: number; readonly result: Tokenized };

export function isHello(data: unknown): data is Hello {
  const hello = data as Partial<Hello> | null;
  return hello?.type === "tessera:hello" && typeof hello.publishableKey === "string";
}
