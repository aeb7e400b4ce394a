import type { ProviderResponse, Send } from "../connector.ts";
import type { ProviderAccount } from "../transport.ts";

/** A card as the vault keeps it. */
export type FullCard = {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvc: string;
};

/**
 * A `Send` for tests without vault and proxy: it fills the placeholders itself, and gives up after `deadlineMs`. `cardOf`
 * gives the card that a token stands for; test numbers only.
 */
export function directSend(
  account: ProviderAccount,
  cardOf: (token: string) => FullCard,
  deadlineMs: number,
): Send {
  return async (request, reference): Promise<ProviderResponse> => {
    const { method, path, body, token } = request;
    const filled = body === null || token === null ? body : fill(body, account.contentType, cardOf(token));
    try {
      const response = await fetch(account.baseUrl + path, {
        method,
        headers: {
          ...(body === null ? {} : { "content-type": account.contentType }),
          ...account.headers(request, reference),
        },
        body: filled,
        redirect: "manual",
        signal: AbortSignal.timeout(deadlineMs),
      });
      return {
        kind: "http",
        status: response.status,
        headers: response.headers,
        body: await response.text(),
      };
    } catch (error) {
      return { kind: "lost", because: error instanceof Error ? error.message : "the connection failed" };
    }
  };
}

const twoDigits = (value: number): string => String(value % 100).padStart(2, "0");

/** The vault's placeholders (edge/vault/egress) with their values. */
function fill(body: string, contentType: string, card: FullCard): string {
  const values: Readonly<Record<string, string>> = {
    "{{card.number}}": card.number,
    "{{card.exp_month}}": String(card.expMonth),
    "{{card.exp_mm}}": twoDigits(card.expMonth),
    "{{card.exp_year}}": String(card.expYear),
    "{{card.exp_yymm}}": twoDigits(card.expYear) + twoDigits(card.expMonth),
    "{{card.cvc}}": card.cvc,
  };
  const form = contentType.startsWith("application/x-www-form-urlencoded");
  let filled = body;
  for (const [placeholder, value] of Object.entries(values)) {
    filled = filled.replaceAll(placeholder, value);
    if (form) filled = filled.replaceAll(encodeURIComponent(placeholder), value);
  }
  return filled;
}
