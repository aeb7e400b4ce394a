import { type Answered, type GraphqlAnswer, type GraphqlRequest, Obstacle } from "./api.ts";

export type Ask = (request: GraphqlRequest) => Promise<Answered>;

/** How many of the page's own payments are looked through. */
const KEPT = 10;

const AUTHORIZE = `mutation MadeByTheExplorer($input: AuthorizePaymentInput!) {
  authorizePayment(input: $input) {
    __typename
    ... on Payment { id }
    ... on PaymentDeclined { message }
    ... on PaymentPending { message }
    ... on ProviderRefused { message }
    ... on UserError { message }
  }
}`;

type Authorized = { readonly __typename?: string; readonly id?: string; readonly message?: string };

/**
 * The payments that were authorized on this page since it was loaded. The examples capture, void and refund only
 * these: an explorer with a real account's key must not pick one of its customers' payments.
 */
export class OwnPayments {
  /** Newest first. */
  #ids: string[] = [];

  /** Remembers what an answer says to have been authorized. */
  note({ data }: GraphqlAnswer): void {
    const { id } = (data?.["authorizePayment"] ?? {}) as Authorized;
    if (typeof id === "string") this.#ids = [id, ...this.#ids.filter((known) => known !== id)].slice(0, KEPT);
  }

  /** The newest that is in one of `states` now, or null. */
  async newest(states: readonly string[], ask: Ask): Promise<string | null> {
    if (this.#ids.length === 0) return null;
    const fields = this.#ids.map((id, at) => `p${at}: payment(id: ${JSON.stringify(id)}) { id state }`);
    const { answer } = await ask({ query: `query StatesOfOwnPayments { ${fields.join(" ")} }` });
    const payments = Object.values(answer.data ?? {}) as ({ id: string; state: string } | null)[];
    return payments.find((payment) => payment !== null && states.includes(payment.state))?.id ?? null;
  }

  /**
   * Makes one over 20.00 EUR.
   * @throws Obstacle if it was not authorized
   */
  async make(captureMethod: "MANUAL" | "AUTOMATIC", token: string, ask: Ask): Promise<string> {
    const input = {
      idempotencyKey: crypto.randomUUID(),
      amount: { amount: 2_000, currency: "EUR" },
      token,
      captureMethod,
      description: "Made by the explorer for an example",
    };
    const { answer } = await ask({ query: AUTHORIZE, variables: { input } });
    const made = (answer.data?.["authorizePayment"] ?? {}) as Authorized;
    if (made.__typename !== "Payment" || made.id === undefined) {
      const why = made.message ?? answer.errors?.[0]?.message ?? "no answer";
      throw new Obstacle(`This needs a payment first, and making one failed: ${why}`);
    }
    this.note(answer);
    return made.id;
  }
}
