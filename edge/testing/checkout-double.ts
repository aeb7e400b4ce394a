import { randomUUID } from "node:crypto";
import type { RegionAnswer, RegionRequest } from "./region-double.ts";

type Status = "OPEN" | "PROCESSING" | "COMPLETE" | "EXPIRED";
type Session = { id: string; status: Status; attempt: number; amount: object; merchantName: string };
type Creation = { idempotencyKey: string; amount: object };
type Variables = { clientSecret?: string; input?: Creation & Confirmation };
type Confirmation = { clientSecret: string; token: string; attempt: number };

/** What becomes of the next confirmation. */
export type Fate =
  | "complete"
  | "decline"
  | "pending, then complete"
  | "pending, then declined"
  | "lost"
  | "refuse";

/**
 * A region's checkout sessions, as far as the checkout on a page can tell: created by the merchant's server,
 * confirmed by attempt, and safe to confirm again with the same token.
 */
export class CheckoutDouble {
  readonly confirmations: Confirmation[] = [];
  readonly sessions = new Map<string, Session>();
  fate: Fate = "complete";
  /** Every decided confirmation's session and attempt: another one of them is answered as the first. */
  #decided = new Map<string, string>();

  readonly answer = async ({ body, identity }: RegionRequest): Promise<RegionAnswer | "reset"> => {
    const { query, variables } = JSON.parse(body) as { query: string; variables: Variables };
    const { input, clientSecret = "" } = variables;
    if (input === undefined) return data({ checkoutSession: this.sessions.get(clientSecret) ?? null });
    if (!query.includes("createCheckoutSession")) return this.#confirm(input);
    const refused = identity?.scope === "secret" ? null : error("This needs the secret key.");
    return data({ createCheckoutSession: refused ?? this.#create(input) });
  };

  #create({ idempotencyKey, amount }: Creation) {
    const clientSecret = `cs_${idempotencyKey}_secret`;
    const id = `cs_${randomUUID()}`;
    const fresh = { id, status: "OPEN" as const, attempt: 1, merchantName: "Opus & Tile" };
    if (!this.sessions.has(clientSecret))
      this.sessions.set(clientSecret, { ...fresh, amount: { ...amount, formatted: "49.00 EUR" } });
    return { __typename: "CheckoutSession", id: this.sessions.get(clientSecret)?.id, clientSecret };
  }

  async #confirm(input: Confirmation): Promise<RegionAnswer | "reset"> {
    this.confirmations.push(input);
    const session = this.sessions.get(input.clientSecret);
    const answer = (value: object) => data({ confirmCheckoutSession: value });
    if (session === undefined) return answer(error("There is no such checkout session."));
    // Long enough for the second click of a double click to arrive meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 150));
    const claim = `${input.clientSecret} ${input.attempt}`;
    const before = this.#decided.get(claim);
    if (before !== undefined && before !== input.token)
      return answer(error("This attempt has another card."));
    this.#decided.set(claim, input.token);
    if (this.fate === "lost") {
      session.status = "COMPLETE";
      return "reset";
    }
    if (this.fate === "refuse") return answer(error("This checkout cannot be paid."));
    if (this.fate === "decline") {
      session.attempt++;
      const message = "Your card was declined. Please use another card.";
      return answer({ __typename: "CheckoutDeclined", message, code: "card_declined", session });
    }
    if (this.fate !== "complete") {
      session.status = "PROCESSING";
      const declined = this.fate === "pending, then declined";
      setTimeout(() => {
        session.status = declined ? "OPEN" : "COMPLETE";
        if (declined) session.attempt++;
      }, 900);
      return answer({ __typename: "CheckoutPending", message: "pending", session });
    }
    session.status = "COMPLETE";
    return answer({ __typename: "CheckoutSession", ...session });
  }
}

const data = (value: object): RegionAnswer => ({ body: JSON.stringify({ data: value }) });
const error = (message: string) => ({ __typename: "InvalidInput", message });
