import type { CardDetails, EncryptedCard, EncryptionKey } from "../card-message.ts";
import { encryptCard } from "../encrypt-card.ts";
import type { FieldName } from "./fields.ts";

/** The card page's two requests to its own origin. */
export type TokenizeAnswer =
  | { readonly ok: true; readonly token: string; readonly brand: string; readonly last4: string }
  | { readonly ok: false; readonly field: FieldName | null; readonly message: string };

const UNREACHABLE = {
  ok: false,
  field: null,
  message: "The card could not be sent safely. Please check your connection and try again.",
} as const;

async function fetchKey(): Promise<EncryptionKey> {
  const answer = await fetch("/v1/encryption-key");
  if (!answer.ok) throw new Error("no encryption key");
  return answer.json() as Promise<EncryptionKey>;
}

export class Tokenizer {
  #publishableKey: string;
  #key: Promise<EncryptionKey>;

  /** Fetches the vault's key ahead, so that paying does not wait for it. */
  constructor(publishableKey: string) {
    this.#publishableKey = publishableKey;
    this.#key = fetchKey();
    // Looked at when the key is used.
    this.#key.catch(() => undefined);
  }

  async tokenize(card: CardDetails): Promise<TokenizeAnswer> {
    try {
      const answer = await this.#send(card);
      if (answer.status === 201) {
        const { token, brand, last4 } = (await answer.json()) as Record<"token" | "brand" | "last4", string>;
        return { ok: true, token, brand, last4 };
      }
      const { error } = (await answer.json()) as { error: { message: string; field?: FieldName } };
      return { ok: false, field: error.field ?? null, message: error.message };
    } catch {
      return UNREACHABLE;
    }
  }

  /** Sends the card; once more, with a new key, if the page was open while the vault changed its key. */
  async #send(card: CardDetails, lastTry = false): Promise<Response> {
    this.#key = this.#key.catch(fetchKey);
    const answer = await post(
      await encryptCard(card, { publishableKey: this.#publishableKey, ...(await this.#key) }),
    );
    if (answer.status !== 422 || lastTry) return answer;
    const { error } = (await answer.clone().json()) as { error: { code: string } };
    if (error.code !== "UNKNOWN_ENCRYPTION_KEY") return answer;
    this.#key = fetchKey();
    return this.#send(card, true);
  }
}

function post(message: EncryptedCard): Promise<Response> {
  return fetch("/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(message),
  });
}
