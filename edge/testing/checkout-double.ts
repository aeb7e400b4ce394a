import { randomUUID } from "node:crypto";
import type { RegionAnswer, RegionRequest } from "./region-double.ts";

type Status = "OPEN" | "PROCESSING" | "REQUIRES_ACTION" | "COMPLETE" | "EXPIRED";
type Session = { id: string; status: Status; attempt: number; amount: object; merchantName: string };
type Creation = { idempotencyKey: string; amount: object; returnUrl?: string };
type Variables = { clientSecret?: string; input?: Creation & Confirmation };
type Confirmation = { clientSecret: string; token: string | null; attempt: number; browser?: object };

/** `PaymentAction`, as the API tells it. */
export type Action = {
  readonly type: "REDIRECT" | "CHALLENGE" | "DECOUPLED";
  readonly url?: string;
  readonly acsUrl?: string;
  readonly creq?: string;
  readonly until?: string;
};

/** What becomes of the next confirmation. */
export type Fate =
  | "complete"
  | "decline"
  | "pending, then complete"
  | "pending, then declined"
  | "lost"
  | "refuse"
  | "action";

/**
 * A region's checkout sessions, as far as the checkout on a page can tell: created by the merchant's server,
 * confirmed by attempt, and safe to confirm again with the same token or, while the payer is needed, with none.
 */
export class CheckoutDouble {
  readonly confirmations: Confirmation[] = [];
  readonly sessions = new Map<string, Session>();
  readonly creations: Creation[] = [];
  fate: Fate = "complete";
  /** Makes what the payer has to do, for fate "action". */
  act: (confirmation: Confirmation) => Promise<Action> = () => Promise.resolve({ type: "DECOUPLED" });
  /** What a provider says when it is asked because the payer came back; by itself nothing. */
  resumed: (clientSecret: string) => void = () => undefined;
  /** Attempts that were begun: more than one without a decline between them would be a second charge. */
  begun = 0;
  /** Every decided confirmation's session and attempt: another one of them is answered as the first. */
  #decided = new Map<string, string | null>();
  #actions = new Map<string, Action>();
  #refusals = new Map<string, string>();

  readonly answer = async ({ body, identity }: RegionRequest): Promise<RegionAnswer | "reset"> => {
    const { query, variables } = JSON.parse(body) as { query: string; variables: Variables };
    const { input, clientSecret = "" } = variables;
    if (input === undefined) return data({ checkoutSession: this.sessions.get(clientSecret) ?? null });
    if (!query.includes("createCheckoutSession")) return this.#confirm(input);
    const refused = identity?.scope === "secret" ? null : error("This needs the secret key.");
    return data({ createCheckoutSession: refused ?? this.#create(input) });
  };

  /** How an attempt that waited for the payer, or for the bank, ends. */
  conclude(clientSecret: string, how: "processing" | "complete" | "declined", message = "Declined."): void {
    const session = this.sessions.get(clientSecret);
    if (session === undefined || !["REQUIRES_ACTION", "PROCESSING"].includes(session.status)) return;
    if (how === "declined") this.#decline(clientSecret, session, message);
    else session.status = how === "complete" ? "COMPLETE" : "PROCESSING";
  }

  #decline(clientSecret: string, session: Session, message: string): void {
    this.#refusals.set(`${clientSecret} ${session.attempt}`, message);
    session.status = "OPEN";
    session.attempt++;
  }

  #create(creation: Creation) {
    const { idempotencyKey, amount } = creation;
    this.creations.push(creation);
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
    if (session.status === "REQUIRES_ACTION") this.resumed(input.clientSecret);
    const claim = `${input.clientSecret} ${input.attempt}`;
    const message = this.#refusals.get(claim);
    if (message !== undefined)
      return answer({ __typename: "CheckoutDeclined", message, code: "card_declined", session });
    const before = this.#decided.get(claim);
    if (before !== undefined) {
      if (input.token !== null && before !== input.token)
        return answer(error("This attempt has another card."));
      if (session.status === "REQUIRES_ACTION") return answer(this.#required(claim, session));
      if (session.status === "PROCESSING") return answer(pending(session));
      if (session.status === "COMPLETE") return answer({ __typename: "CheckoutSession", ...session });
    }
    if (input.token === null) return answer(error("A card is needed."));
    this.#decided.set(claim, input.token);
    return this.#begin(input, session, claim);
  }

  async #begin(input: Confirmation, session: Session, claim: string): Promise<RegionAnswer | "reset"> {
    const answer = (value: object) => data({ confirmCheckoutSession: value });
    this.begun++;
    if (this.fate === "lost") {
      session.status = "COMPLETE";
      return "reset";
    }
    if (this.fate === "refuse") return answer(error("This checkout cannot be paid."));
    if (this.fate === "decline") {
      const message = "Your card was declined. Please use another card.";
      this.#decline(input.clientSecret, session, message);
      return answer({ __typename: "CheckoutDeclined", message, code: "card_declined", session });
    }
    if (this.fate === "action") {
      this.#actions.set(claim, await this.act(input));
      session.status = "REQUIRES_ACTION";
      return answer(this.#required(claim, session));
    }
    if (this.fate !== "complete") {
      session.status = "PROCESSING";
      const declined = this.fate === "pending, then declined";
      setTimeout(() => this.conclude(input.clientSecret, declined ? "declined" : "complete"), 900);
      return answer(pending(session));
    }
    session.status = "COMPLETE";
    return answer({ __typename: "CheckoutSession", ...session });
  }

  #required(claim: string, session: Session): object {
    const action = this.#actions.get(claim);
    return { __typename: "CheckoutActionRequired", message: "Please confirm.", action, session };
  }
}

const pending = (session: Session) => ({ __typename: "CheckoutPending", message: "pending", session });
const data = (value: object): RegionAnswer => ({ body: JSON.stringify({ data: value }) });
const error = (message: string) => ({ __typename: "InvalidInput", message });
