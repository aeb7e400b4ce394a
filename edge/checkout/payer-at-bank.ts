import type { CheckoutApi, Confirmation, Session, SessionDetails } from "./api.ts";
import { showChallenge } from "./challenge/challenge.ts";
import type { PayerAction } from "./payer-action.ts";
import { pause, watchSession } from "./session-watch.ts";
import type { CheckoutView } from "./view.ts";

export type Question<Action extends PayerAction = PayerAction> = {
  readonly action: Action;
  readonly session: SessionDetails;
  /** The payer has just asked to pay or to go on, and so may be sent elsewhere without a further question. */
  readonly pressed: boolean;
  readonly signal: AbortSignal;
};

type Waiting = {
  readonly message: string;
  /** What the payer can do meanwhile, and from when on. */
  readonly offer?: { readonly label: string; readonly afterMs: number };
  readonly label?: string;
  /** Has the server ask the provider now and then, instead of only reading how the session stands. */
  readonly insist?: boolean;
  readonly giveUpMs?: number;
};

const CONFIRMING = "Your bank is confirming the payment. This can take a moment; please stay on this page.";
/** Issuers give a payer ten minutes or so for a challenge; who comes back later loads the page again. */
const GIVE_UP_MS = 60 * 60_000;
/** Results come within seconds of the payer; from then on it may help to look at the bank's page again. */
const RESULTS_MS = 20_000;
/** So that it can be read, or read out, where one is taken. */
const READING_MS = 900;
const LEAVING_MS = 8_000;

/**
 * The payer and the bank: shows what an attempt waits for (a challenge, a page elsewhere, the bank's app) until it
 * waits no more. What the browser sees of that proves nothing and decides nothing: the session is asked for all the
 * time, and confirming the same attempt again is how the server is told that the payer is back.
 */
export class PayerAtBank {
  #api: CheckoutApi;
  #view: CheckoutView;
  #edgeOrigin: string;
  #offer: (label: string) => void;

  /** `offer` gives the payer the button, under another label. Pressing it aborts the question's signal. */
  constructor(api: CheckoutApi, view: CheckoutView, edgeOrigin: string, offer: (label: string) => void) {
    this.#api = api;
    this.#view = view;
    this.#edgeOrigin = edgeOrigin;
    this.#offer = offer;
  }

  /** How the attempt goes on; null if nobody could tell for too long, or the question was aborted. */
  ask({ action, ...question }: Question): Promise<Confirmation | null> {
    switch (action.type) {
      case "challenge":
        return this.#challenge({ action, ...question });
      case "redirect":
        return this.#redirect({ action, ...question });
      case "decoupled":
        return this.#decoupled({ action, ...question });
      case "none":
        return this.#wait(
          { action, ...question },
          { message: CONFIRMING, offer: { label: "Look again", afterMs: RESULTS_MS }, insist: true },
        );
    }
  }

  async #challenge(question: Question<PayerAction & { type: "challenge" }>): Promise<Confirmation | null> {
    const { action, session, signal } = question;
    const over = new AbortController();
    signal.addEventListener("abort", () => over.abort(), { signal: over.signal });
    const about =
      `${session.amount.formatted} to ${session.merchantName}. ` +
      "Your bank asks you, on its own page below, to confirm this payment.";
    const shown = showChallenge({
      ...action,
      edgeOrigin: this.#edgeOrigin,
      about,
      root: this.#view.root,
      signal: over.signal,
    });
    // The issuer's page may end without sending the browser back, or be over for having taken too long.
    const watched = this.#watch({ ...question, signal: over.signal }, { firstMs: 2_500 });
    const end = await Promise.race([shown, watched]);
    over.abort();
    if (signal.aborted) return null;
    this.#view.focusButton();
    if (end === "stopped") {
      const message =
        "You have not confirmed this payment with your bank, and nothing has been charged so far. You can still " +
        "confirm it. To pay with another card, please wait: this page tells you when your bank has ended this one.";
      return this.#wait(question, { message, offer: { label: "Confirm with your bank", afterMs: 0 } });
    }
    if (end === null) return null;
    if (end !== "returned") return this.#after(question, end);

    this.#view.say(CONFIRMING);
    const answer = await this.#api.confirm(null, session.attempt);
    const asked = answer.kind === "action" ? answer.action : null;
    // Another one is another authentication, as after an issuer that wanted more than the first.
    if (asked?.type !== "challenge" || asked.creq !== action.creq) return answer;
    // The bank's word is on its way from the bank to the server.
    const offer = { label: "Open your bank’s page again", afterMs: RESULTS_MS };
    return this.#wait(question, { message: CONFIRMING, offer, insist: true });
  }

  async #redirect(question: Question<PayerAction & { type: "redirect" }>): Promise<Confirmation | null> {
    const { action, pressed, signal } = question;
    const { host } = new URL(action.url);
    const label = `Continue to ${host}`;
    if (!pressed) {
      const message = `This payment still has to be confirmed at ${host}. You come back here afterwards.`;
      return this.#wait(question, { message, offer: { label, afterMs: 0 }, insist: true });
    }
    const message = `Taking you to ${host} to confirm the payment. You come back here afterwards.`;
    this.#view.say(message);
    await pause(READING_MS, signal);
    if (signal.aborted) return null;
    location.assign(action.url);
    // Still here if that page could not be reached.
    return this.#wait(question, { message, offer: { label, afterMs: LEAVING_MS }, label: "One moment…" });
  }

  #decoupled(question: Question<PayerAction & { type: "decoupled" }>): Promise<Confirmation | null> {
    const { action, session } = question;
    this.#view.countDown(action.until);
    const left = (action.until?.getTime() ?? 0) - Date.now();
    return this.#wait(question, {
      message: `Please confirm this payment of ${session.amount.formatted} in your bank’s app. This page then goes on by itself.`,
      label: "Waiting for your bank…",
      giveUpMs: Math.max(GIVE_UP_MS, left + 5 * 60_000),
    });
  }

  async #wait(question: Question, waiting: Waiting): Promise<Confirmation | null> {
    const { message, offer, label } = waiting;
    this.#view.working(label);
    this.#view.say(message);
    const timer = offer && setTimeout(() => this.#offer(offer.label), offer.afterMs);
    const session = await this.#watch(question, waiting);
    clearTimeout(timer);
    if (question.signal.aborted) return null;
    if (session === null) return null;
    this.#view.working("One moment…");
    return this.#after(question, session);
  }

  /** The session once it waits for the payer no more; null after too long, or if nobody waits for it. */
  #watch(
    { session: { attempt }, signal }: Question,
    { insist = false, giveUpMs = GIVE_UP_MS, firstMs = 1_000 }: Partial<Waiting> & { firstMs?: number },
  ): Promise<Session | null> {
    let asked = 0;
    const ask = async (): Promise<Session | null> => {
      if (!insist || ++asked % 3 !== 0) return this.#api.session();
      const answer = await this.#api.confirm(null, attempt);
      return answer.kind === "refused" ? null : answer.session;
    };
    return watchSession({ ask, through: "REQUIRES_ACTION", signal, firstMs, giveUpMs });
  }

  /** A session tells that an attempt has ended, and not why: the attempt itself does. */
  async #after({ session: { attempt } }: Question, session: Session): Promise<Confirmation> {
    if (session.status !== "OPEN" || session.attempt <= attempt) return { kind: "session", session };
    const message =
      "The payment was not confirmed, and nothing was charged. Please try again, or use another card.";
    const answer = await this.#api.confirm(null, attempt).catch(() => null);
    return answer?.kind === "declined" ? answer : { kind: "declined", message, session };
  }
}
