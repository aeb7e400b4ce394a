import { encryptCard } from "../../edge/vault/encrypt-card.ts";

export type CardInput = {
  readonly number: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly cvc?: string;
};

export type TokenizedCard = { readonly token: string; readonly brand: string; readonly last4: string };

/** Encrypts a card for the vault, as the checkout's iframe does in a browser, and exchanges it for a token. */
export async function tokenize(
  vaultUrl: string,
  publishableKey: string,
  card: CardInput,
): Promise<TokenizedCard> {
  const key = (await (await fetch(`${vaultUrl}/v1/encryption-key`)).json()) as Parameters<
    typeof encryptCard
  >[1];
  const body = await encryptCard(card, { ...key, publishableKey });
  const response = await fetch(`${vaultUrl}/v1/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as TokenizedCard & { error?: { code: string; message: string } };
  if (!response.ok)
    throw new Error(
      answer.error ? `${answer.error.code}: ${answer.error.message}` : `HTTP ${response.status}`,
    );
  return answer;
}
