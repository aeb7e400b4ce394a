import { Pool } from "undici";
import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import { type SigningKey, signVaultRequest, VAULT_AUTH_HEADER } from "../../kernel/identity.ts";
import type { MerchantId } from "../../kernel/ids.ts";
import { err, ok, type Result } from "../../kernel/result.ts";
import type { Card } from "../domain/payment.ts";

/** The vault as the region sees it: tokens go in, card data never comes out. */
export interface VaultClient {
  /**
   * What is known of a token of this merchant's; another merchant's is unknown. `cvcAvailable` is a
   * promise to the operation `reference`: a security code goes to one operation only. Throws if the vault is away.
   */
  describe(
    merchant: MerchantId,
    token: string,
    reference: string,
  ): Promise<Result<DescribedCard, { code: "UNKNOWN_TOKEN" }>>;
  /** Forgets the security codes of tokens whose authorization is recorded. */
  forgetCvc(merchant: MerchantId, tokens: readonly string[]): Promise<void>;
  /** Sends a provider request in which the vault fills the card's placeholders. */
  egress(request: EgressRequest): Promise<EgressResponse>;
  close(): Promise<void>;
}

export type DescribedCard = { readonly card: Card; readonly cvcAvailable: boolean };

export type EgressRequest = {
  readonly merchant: MerchantId;
  readonly token: string;
  readonly reference: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly deadlineMs: number;
};

export type EgressResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

const TOKEN_FORMAT = /^tok_[0-9A-Za-z_]{8,64}$/;
const described = z.object({
  token: z.string(),
  brand: z.string(),
  bin: z.string().regex(/^\d{6,8}$/),
  last4: z.string().regex(/^\d{4}$/),
  expMonth: z.int().min(1).max(12),
  expYear: z.int(),
  fingerprint: z.string(),
  cvcAvailable: z.boolean(),
});

export function createVaultClient(options: {
  readonly url: string;
  readonly signer: SigningKey;
  readonly clock: Clock;
  readonly connections?: number;
}): VaultClient {
  const { signer, clock } = options;
  const pool = new Pool(options.url, { connections: options.connections ?? 128, pipelining: 1 });
  const authorization = async (merchant: MerchantId) => ({
    [VAULT_AUTH_HEADER]: await signVaultRequest(merchant, signer, clock.now()),
  });
  const postJson = async (merchant: MerchantId, path: string, body: object) =>
    pool.request({
      method: "POST",
      path,
      headers: { ...(await authorization(merchant)), "content-type": "application/json" },
      body: JSON.stringify(body),
      headersTimeout: 5_000,
      bodyTimeout: 5_000,
    });

  return {
    async describe(merchant, token, reference) {
      if (!TOKEN_FORMAT.test(token)) return err({ code: "UNKNOWN_TOKEN" });
      const response = await postJson(merchant, "/v1/tokens/describe", { token, reference });
      const text = await response.body.text();
      if (response.statusCode === 404) return err({ code: "UNKNOWN_TOKEN" });
      if (response.statusCode !== 200)
        throw new Error(`the vault answered ${response.statusCode} to describe`);
      const { cvcAvailable, ...card } = described.parse(JSON.parse(text));
      return ok({ card, cvcAvailable });
    },
    async forgetCvc(merchant, tokens) {
      const response = await postJson(merchant, "/v1/cvc/forget", { tokens });
      await response.body.dump();
      if (response.statusCode !== 200) throw new Error(`the vault answered ${response.statusCode} to forget`);
    },
    async egress(request) {
      const response = await pool.request({
        method: "POST",
        path: "/v1/egress",
        headers: {
          ...request.headers,
          ...(await authorization(request.merchant)),
          "tessera-egress-url": request.url,
          "tessera-egress-token": request.token,
          "tessera-egress-reference": request.reference,
        },
        body: request.body,
        headersTimeout: request.deadlineMs,
        bodyTimeout: request.deadlineMs,
      });
      return { status: response.statusCode, headers: response.headers, body: await response.body.text() };
    },
    close: () => pool.close(),
  };
}
