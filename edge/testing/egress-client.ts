import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import type { CardDetails } from "../vault/card-message.ts";
import { startTestEdge, type TestEdge } from "./harness.ts";
import { cardForm, egressHeaders, VISA } from "./vault-client.ts";

/** What a test changes in an otherwise good request through the egress proxy. */
export type Change = {
  readonly url?: string;
  readonly token?: string;
  readonly reference?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
};

/** A merchant whose region sends card payments through the vault's proxy to the provider's double. */
export class EgressClient {
  readonly edge: TestEdge;
  readonly merchant: MerchantId;
  readonly auth: Record<string, string>;
  /** The card that requests are about unless they say otherwise: VISA, tokenized anew for each test. */
  token = "";
  #publishableKey: string;

  private constructor(edge: TestEdge, merchant: MerchantId, key: string, auth: Record<string, string>) {
    this.edge = edge;
    this.merchant = merchant;
    this.#publishableKey = key;
    this.auth = auth;
  }

  static async start(vaultVars: Readonly<Record<string, string>> = {}): Promise<EgressClient> {
    const edge = await startTestEdge({ vault: vaultVars });
    const merchant = edge.region.newMerchant();
    const key = await edge.region.issueKey("publishable", merchant);
    return new EgressClient(edge, merchant, key, await edge.vaultAuth(merchant));
  }

  /** Before each test: a new token, a provider that has seen nothing and answers 200. */
  async reset(): Promise<void> {
    this.edge.provider.requests.length = 0;
    this.edge.provider.answer = () => ({ body: '{"id":"pi_1"}' });
    this.token = await this.tokenize();
  }

  get intents(): string {
    return `${this.edge.provider.url}/v1/payment_intents`;
  }

  async tokenize(card: CardDetails = VISA): Promise<string> {
    const answer = await this.edge.postToVault(
      "/v1/tokens",
      await this.edge.encrypted(card, this.#publishableKey),
    );
    return ((await answer.json()) as { token: string }).token;
  }

  async send({ url, token, reference = "ref_1", body = cardForm(), headers = {} }: Change = {}) {
    const to = egressHeaders(url ?? this.intents, token ?? this.token, reference);
    const answer = await this.edge.postToVault("/v1/egress", body, { ...this.auth, ...to, ...headers });
    const text = await answer.text();
    const outcome = answer.headers.get("tessera-egress");
    const { error } = (outcome === "forwarded" ? {} : JSON.parse(text)) as { error?: { code: string } };
    return { status: answer.status, outcome, text, code: error?.code, headers: answer.headers };
  }
}
