import { randomBytes } from "node:crypto";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import type { EgressRequest, VaultClient } from "../../subgraphs/payments/vault/client.ts";
import { schemeOf } from "../sandbox/kit/cards.ts";

type KeptCard = { number: string; expYear: number; cvc: string | null; boundTo: string | null };

const REFUSED = {
  status: 409,
  headers: { "tessera-egress": "refused" },
  body: '{"error":{"code":"CVC_UNAVAILABLE"}}',
} as const;

/** A vault without cryptography: a token names its card number. The provider gets what the real one would send. */
export class VaultDouble implements VaultClient {
  readonly cards = new Map<string, KeptCard>();
  readonly forgotten: string[] = [];

  tokenize(number = "4242424242424242", cvc: string | null = "123", expYear = 2040): string {
    const token = `tok_01_${randomBytes(16).toString("hex")}`;
    // American Express has four digits.
    const fitting = cvc === "123" && /^3[47]/.test(number) ? "1234" : cvc;
    this.cards.set(token, { number, expYear, cvc: fitting, boundTo: null });
    return token;
  }

  async describe(_: MerchantId, token: string, reference: string) {
    const card = this.cards.get(token);
    if (card === undefined) return { ok: false, error: { code: "UNKNOWN_TOKEN" } } as const;
    if (card.cvc !== null) card.boundTo ??= reference;
    const { number, expYear, cvc, boundTo } = card;
    const facts = { brand: schemeOf(number), bin: number.slice(0, 8), last4: number.slice(-4) };
    const cvcAvailable = cvc !== null && (boundTo === null || boundTo === reference);
    const fingerprint = `fp_${number.slice(-4)}`;
    return {
      ok: true,
      value: { card: { token, ...facts, expMonth: 12, expYear, fingerprint }, cvcAvailable },
    } as const;
  }

  async forgetCvc(_: MerchantId, tokens: readonly string[]) {
    for (const token of tokens) {
      const card = this.cards.get(token);
      if (card !== undefined) card.cvc = null;
      this.forgotten.push(token);
    }
  }

  async egress({ token, reference, url, headers, body, deadlineMs }: EgressRequest) {
    const card = this.cards.get(token);
    const wantsCvc = body.includes("card.cvc");
    const cvcUsable = card?.cvc && (card.boundTo === null || card.boundTo === reference);
    if (card === undefined || (wantsCvc && !cvcUsable)) return REFUSED;
    if (wantsCvc) card.boundTo = reference;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body: filled(body, card),
        redirect: "manual",
        signal: AbortSignal.timeout(deadlineMs - 1_000),
      });
      const answered = { "tessera-egress": "forwarded", ...Object.fromEntries(response.headers) };
      return { status: response.status, headers: answered, body: await response.text() };
    } catch {
      return { status: 502, headers: { "tessera-egress": "failed" }, body: "{}" };
    }
  }

  async close() {}
}

/** The body with the vault's placeholders (edge/vault/egress) replaced, as they stand in JSON and in a form. */
function filled(body: string, { number, expYear, cvc }: KeptCard): string {
  const year = String(expYear);
  const values: Readonly<Record<string, string>> = {
    "{{card.number}}": number,
    "{{card.exp_month}}": "12",
    "{{card.exp_mm}}": "12",
    "{{card.exp_year}}": year,
    "{{card.exp_yymm}}": `${year.slice(2)}12`,
    "{{card.cvc}}": cvc ?? "",
  };
  return Object.entries(values).reduce(
    (text, [placeholder, value]) =>
      text.replaceAll(placeholder, value).replaceAll(encodeURIComponent(placeholder), value),
    body,
  );
}
