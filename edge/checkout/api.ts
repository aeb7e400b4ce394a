import { browserInformation } from "./browser.ts";
import { type PayerAction, payerAction, type ToldAction } from "./payer-action.ts";

/** The checkout's two GraphQL operations, sent with the publishable key from the payer's browser. */

export type SessionStatus = "OPEN" | "PROCESSING" | "REQUIRES_ACTION" | "COMPLETE" | "EXPIRED";

export type Session = {
  readonly id: string;
  readonly status: SessionStatus;
  /** Raised by the server after a definite decline only; a confirmation names the attempt that it means. */
  readonly attempt: number;
};

export type SessionDetails = Session & {
  readonly amount: { readonly formatted: string };
  readonly merchantName: string;
};

export type Confirmation =
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "declined"; readonly message: string; readonly session: Session }
  | { readonly kind: "pending"; readonly session: Session }
  | { readonly kind: "action"; readonly action: PayerAction; readonly session: Session }
  | { readonly kind: "refused"; readonly message: string };

/** The service could not be reached or could not answer now: the same request may be sent again. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** The request itself was refused: the page that mounts the checkout has to be mended. */
export class Misconfigured extends Error {
  override name = "Misconfigured";
}

const SESSION = "id status attempt";
export const QUERY = `query CheckoutSession($clientSecret: String!) {
  checkoutSession(clientSecret: $clientSecret) { ${SESSION} amount { amount currency formatted } merchantName }
}`;
export const CONFIRM = `mutation ConfirmCheckoutSession($input: ConfirmCheckoutSessionInput!) {
  confirmCheckoutSession(input: $input) {
    __typename
    ... on CheckoutSession { ${SESSION} }
    ... on CheckoutDeclined { message code session { ${SESSION} } }
    ... on CheckoutPending { message session { ${SESSION} } }
    ... on CheckoutActionRequired { message action { type url acsUrl creq until } session { ${SESSION} } }
    ... on UserError { message }
  }
}`;

type ConfirmPayload = {
  readonly __typename: string;
  readonly message?: string;
  readonly session?: Session;
  readonly action?: ToldAction | null;
} & Partial<Session>;

/** Longer than the edge waits for a region, so that its answer is the one that is seen. */
const TIMEOUT_MS = 45_000;

export class CheckoutApi {
  #origin: string;
  #publishableKey: string;
  #clientSecret: string;

  constructor(origin: string, publishableKey: string, clientSecret: string) {
    this.#origin = origin;
    this.#publishableKey = publishableKey;
    this.#clientSecret = clientSecret;
  }

  /** The session that the merchant's server made, or null if there is none of that secret. */
  async session(): Promise<SessionDetails | null> {
    const data = await this.#send(QUERY, { clientSecret: this.#clientSecret });
    return (data["checkoutSession"] as SessionDetails | null | undefined) ?? null;
  }

  /**
   * Pays with the token; or, with null, goes on with an attempt that waited for the payer, and never begins one. The
   * same may be sent again: the server answers as it did before, or how the attempt stands by now.
   */
  async confirm(token: string | null, attempt: number): Promise<Confirmation> {
    const input = { clientSecret: this.#clientSecret, token, attempt, browser: browserInformation() };
    const data = await this.#send(CONFIRM, { input });
    const answer = data["confirmCheckoutSession"] as ConfirmPayload;
    const { __typename: type, message = "", session } = answer;
    if (type === "CheckoutSession") return { kind: "session", session: answer as Session };
    if (type === "CheckoutDeclined" && session) return { kind: "declined", message, session };
    if (type === "CheckoutPending" && session) return { kind: "pending", session };
    if (type === "CheckoutActionRequired" && session)
      return { kind: "action", action: payerAction(answer.action, this.#origin), session };
    return { kind: "refused", message };
  }

  async #send(query: string, variables: object): Promise<Record<string, unknown>> {
    let status: number;
    let body: { data?: Record<string, unknown> | null; errors?: { message: string }[] };
    try {
      const answer = await fetch(`${this.#origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${this.#publishableKey}` },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      status = answer.status;
      body = await answer.json();
    } catch {
      throw new Unreachable();
    }
    const [error] = body.errors ?? [];
    if (status >= 500 || status === 429) throw new Unreachable(error?.message);
    if (status >= 400) throw new Misconfigured(error?.message);
    // An error inside a 200 is the server's own fault, and it does not say what was done before it.
    if (error !== undefined || !body.data) throw new Unreachable(error?.message);
    return body.data;
  }
}
