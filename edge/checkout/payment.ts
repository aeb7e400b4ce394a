import { CheckoutApi, type Confirmation, Misconfigured, type Session, type SessionDetails } from "./api.ts";
import { CardFrame } from "./card-frame.ts";
import { PayerAtBank } from "./payer-at-bank.ts";
import { watchSession } from "./session-watch.ts";
import { CheckoutView } from "./view.ts";

export type MountOptions = {
  /** Names the merchant; made to be public. */
  readonly publishableKey: string;
  /** The secret of one checkout session, which the merchant's server created and which fixes the amount. */
  readonly clientSecret: string;
  /** Called once, when the payment is complete. The page also gets a `tessera:complete` event. */
  readonly onComplete?: (result: { readonly id: string }) => void;
};

const NOT_LOADED = "The payment form could not be loaded. Please check your connection.";
const NOT_KNOWN =
  "We could not reach the payment service, so we do not know yet whether your payment went through. " +
  "Press “Try again” to find out: you will not be charged twice.";

/**
 * One payer paying one session.
 *
 * What makes repeating safe: a token is kept until it is known what became of it (or the card was edited), and
 * sent again with the same attempt number, so the server recognises the confirmation and answers with the first
 * one's result. Only the server raises the attempt, after a definite decline. While an attempt is under way, which is
 * any status but OPEN, no token is made or sent at all, so a page that is opened again cannot begin a second one.
 */
export class CheckoutPayment {
  #container: Element;
  #options: MountOptions;
  #api: CheckoutApi;
  #view: CheckoutView;
  #frame: CardFrame;
  #bank: PayerAtBank;
  #session: SessionDetails | undefined;
  #token: string | undefined;
  #busy = true;
  /** Aborted once nothing more is to happen. */
  #ended = new AbortController();
  /** Aborted as soon as something else is done than to wait for what was waited for. */
  #waiting = new AbortController();

  constructor(container: Element, options: MountOptions, edgeOrigin: string, vaultOrigin: string) {
    this.#container = container;
    this.#options = options;
    this.#api = new CheckoutApi(edgeOrigin, options.publishableKey, options.clientSecret);
    this.#view = new CheckoutView(container, () => void this.#pressed());
    this.#frame = new CardFrame(vaultOrigin, options.publishableKey, {
      ready: () => undefined,
      submit: () => void this.#pressed(),
      edited: () => {
        this.#token = undefined;
        if (!this.#busy) this.#open("");
      },
    });
    this.#bank = new PayerAtBank(this.#api, this.#view, edgeOrigin, (label) => this.#offer(label));
    // Brought back by the browser as it was when it was left for the bank's page: much may have happened since.
    const again = (event: PageTransitionEvent) => void (event.persisted && this.#begin());
    window.addEventListener("pageshow", again, { signal: this.#ended.signal });
    void this.#begin();
  }

  unmount(): void {
    this.#end();
    this.#frame.close();
    this.#view.remove();
  }

  async #begin(): Promise<void> {
    await this.#step(async () => {
      const session = await this.#api.session();
      if (session === null) throw new Misconfigured("There is no checkout session of this client secret.");
      const first = this.#session === undefined;
      this.#session = session;
      if (first) this.#view.showForm(session.merchantName, session.amount.formatted, this.#frame.element);
      // Came back from the bank's page, or closed the tab and opened it again: goes on where it was.
      if (session.status === "PROCESSING") return this.#resume(false);
      return this.#follow(session);
    });
  }

  /** Pay, or Try again, or go on: whatever is the next step. */
  async #pressed(): Promise<void> {
    if (this.#busy || this.#ended.signal.aborted) return;
    if (this.#session === undefined) return this.#begin();
    await this.#step(async () => {
      if (this.#details.status !== "OPEN") return this.#resume(true);
      this.#token ??= await this.#tokenize();
      if (this.#token === undefined) return;
      await this.#conclude(await this.#api.confirm(this.#token, this.#details.attempt), true);
    });
  }

  /** One step at a time: what was waited for before is not any more. */
  async #step(step: () => Promise<void>): Promise<void> {
    // Set before anything is awaited: the second click of a double click finds it set.
    this.#busy = true;
    this.#waiting.abort();
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#view.countDown(null);
    if (this.#session !== undefined) {
      this.#view.say("");
      this.#view.working(this.#session.status === "OPEN" ? undefined : "One moment…");
    }
    // An edit while the token is made would leave a token of the card as it was before.
    this.#frame.busy = true;
    try {
      await step();
    } catch (error) {
      if (!waiting.signal.aborted) this.#fail(error);
    } finally {
      // Another step has begun since, and says itself when it is over.
      if (!waiting.signal.aborted) this.#frame.busy = this.#busy || this.#session?.status !== "OPEN";
    }
  }

  async #tokenize(): Promise<string | undefined> {
    const result = await this.#frame.tokenize();
    if (result.ok) return result.token;
    this.#open(result.message ?? "Please check the card details.", "bad");
    return undefined;
  }

  /** Asks how the attempt stands that is under way. `pressed`: the payer has just asked to go on. */
  async #resume(pressed: boolean): Promise<void> {
    this.#view.working("One moment…");
    await this.#conclude(await this.#api.confirm(null, this.#details.attempt), pressed);
  }

  async #conclude(answer: Confirmation, pressed: boolean): Promise<void> {
    switch (answer.kind) {
      case "session":
      case "pending":
        // Not followed, which would ask the same again at once.
        if (answer.session.status === "REQUIRES_ACTION")
          return this.#askPayer(
            { kind: "action", action: { type: "none" }, session: answer.session },
            pressed,
          );
        return this.#follow(answer.session);
      case "declined":
        return this.#tryAnotherCard(answer.session, answer.message);
      case "action":
        return this.#askPayer(answer, pressed);
      case "refused": {
        // Not understood as it stands (such as an attempt that is over): learn how the session stands.
        this.#token = undefined;
        const session = (await this.#api.session()) ?? { ...this.#details, status: "EXPIRED" };
        this.#session = session;
        if (session.status === "OPEN") return this.#open(answer.message, "bad");
        // Asking again by itself would be refused again.
        if (session.status === "REQUIRES_ACTION") {
          this.#view.say(answer.message, "bad");
          return this.#offer("Try again");
        }
        return this.#follow(session);
      }
    }
  }

  /** The payer is needed: shows what is to be done, and follows what comes of it. */
  async #askPayer(answer: Confirmation & { kind: "action" }, pressed: boolean): Promise<void> {
    this.#session = { ...this.#details, ...answer.session };
    const { signal } = this.#waiting;
    const after = await this.#bank.ask({ action: answer.action, session: this.#session, pressed, signal });
    if (signal.aborted) return;
    this.#view.countDown(null);
    if (after === null) {
      const message = "Your bank has not answered yet. Load this page again later to see what became of it.";
      return this.#stop(`${message} Do not pay again elsewhere until then.`, "calm");
    }
    this.#busy = true;
    this.#frame.busy = true;
    return this.#conclude(after, false);
  }

  /** Acts on what the session says, waiting for as long as it is processing. */
  async #follow(session: Session): Promise<void> {
    this.#session = { ...this.#details, ...session };
    if (session.status === "REQUIRES_ACTION") return this.#resume(false);
    if (session.status === "PROCESSING") {
      this.#view.working();
      this.#view.say(
        "Your bank is confirming the payment. This can take a moment; please stay on this page.",
      );
      const before = session.attempt;
      const { signal } = this.#waiting;
      const after = await watchSession({ ask: () => this.#api.session(), through: "PROCESSING", signal });
      if (signal.aborted) return;
      if (after === null) {
        const shop = this.#details.merchantName;
        const message = `The payment is still being confirmed. ${shop} will let you know; do not pay again.`;
        return this.#stop(message, "calm");
      }
      if (after.status !== "OPEN") return this.#follow(after);
      const declined = "The payment was declined. Please try another card.";
      return this.#tryAnotherCard(after, after.attempt > before ? declined : "");
    }
    if (session.status === "COMPLETE") return this.#complete(session);
    if (session.status === "EXPIRED")
      return this.#stop("This checkout has expired. Please go back to the shop and start again.", "bad");
    this.#tryAnotherCard(session, "");
  }

  #tryAnotherCard(session: Session, message: string): void {
    // Used up: the next attempt needs a token with a security code that has not been to a bank yet.
    this.#token = undefined;
    this.#session = { ...this.#details, ...session };
    this.#open(message, "bad");
  }

  #complete(session: Session): void {
    this.#end();
    const { merchantName, amount } = this.#details;
    this.#frame.close();
    this.#view.showComplete(merchantName, amount.formatted);
    const detail = { id: session.id };
    this.#container.dispatchEvent(new CustomEvent("tessera:complete", { detail, bubbles: true }));
    this.#options.onComplete?.(detail);
  }

  #fail(error: unknown): void {
    if (error instanceof Misconfigured) {
      console.error(`Tessera checkout: ${error.message}`);
      this.#stop("This checkout is not set up correctly. Please contact the shop.", "bad");
      return;
    }
    this.#view.say(this.#session === undefined ? NOT_LOADED : NOT_KNOWN, "bad");
    this.#offer("Try again");
  }

  /** The payer may act. */
  #open(message: string, tone: "calm" | "bad" = "calm"): void {
    this.#view.say(message, tone);
    this.#offer();
  }

  #offer(label?: string): void {
    this.#busy = false;
    this.#view.offer(label);
  }

  /** Nothing can be done here any more. */
  #stop(message: string, tone: "calm" | "bad"): void {
    this.#end();
    this.#view.end(message, tone);
  }

  #end(): void {
    this.#ended.abort();
    this.#waiting.abort();
  }

  get #details(): SessionDetails {
    if (this.#session === undefined) throw new Error("the session is loaded before it is used");
    return this.#session;
  }
}
