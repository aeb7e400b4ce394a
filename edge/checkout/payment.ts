import { CheckoutApi, type Confirmation, Misconfigured, type Session, type SessionDetails } from "./api.ts";
import { CardFrame } from "./card-frame.ts";
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

/**
 * One payer paying one session.
 *
 * What makes repeating safe: a token is kept until it is known what became of it (or the card was edited), and
 * sent again with the same attempt number, so the server recognises the confirmation and answers with the first
 * one's result. Only the server raises the attempt, after a definite decline.
 */
export class CheckoutPayment {
  #container: Element;
  #options: MountOptions;
  #api: CheckoutApi;
  #view: CheckoutView;
  #frame: CardFrame;
  #session: SessionDetails | undefined;
  #token: string | undefined;
  #busy = true;
  #ended = false;

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
    void this.#begin();
  }

  unmount(): void {
    this.#ended = true;
    this.#frame.close();
    this.#view.remove();
  }

  async #begin(): Promise<void> {
    this.#busy = true;
    try {
      const session = await this.#api.session();
      if (session === null) throw new Misconfigured("There is no checkout session of this client secret.");
      this.#session = session;
      this.#view.showForm(session.merchantName, session.amount.formatted, this.#frame.element);
      await this.#follow(session);
    } catch (error) {
      this.#fail(error, "The payment form could not be loaded. Please check your connection.");
    }
  }

  /** Pay, or Try again: whatever is the next step. */
  async #pressed(): Promise<void> {
    if (this.#busy || this.#ended) return;
    if (this.#session === undefined) return this.#begin();
    // Set before anything is awaited: the second click of a double click finds it set.
    this.#busy = true;
    this.#view.say("");
    this.#view.working();
    // An edit while the token is made would leave a token of the card as it was before.
    this.#frame.busy = true;
    try {
      this.#token ??= await this.#tokenize();
      if (this.#token === undefined) return;
      await this.#conclude(await this.#api.confirm(this.#token, this.#session.attempt));
    } catch (error) {
      const message =
        "We could not reach the payment service, so we do not know yet whether your payment went through. " +
        "Press “Try again” to find out: you will not be charged twice.";
      this.#fail(error, message);
    } finally {
      this.#frame.busy = false;
    }
  }

  async #tokenize(): Promise<string | undefined> {
    const result = await this.#frame.tokenize();
    if (result.ok) return result.token;
    this.#open(result.message ?? "Please check the card details.", "bad");
    return undefined;
  }

  async #conclude(answer: Confirmation): Promise<void> {
    switch (answer.kind) {
      case "session":
      case "pending":
        return this.#follow(answer.session);
      case "declined":
        return this.#tryAnotherCard(answer.session, answer.message);
      case "refused": {
        // Not understood as it stands (such as an attempt that is over): learn how the session stands.
        this.#token = undefined;
        const session = await this.#api.session();
        if (session?.status !== "OPEN")
          return this.#follow(session ?? { ...this.#details, status: "EXPIRED" });
        this.#session = session;
        return this.#open(answer.message, "bad");
      }
    }
  }

  /** Acts on what the session says, waiting for as long as it is processing. */
  async #follow(session: Session): Promise<void> {
    if (session.status === "PROCESSING") {
      this.#view.working();
      this.#view.say(
        "Your bank is confirming the payment. This can take a moment; please stay on this page.",
      );
      const before = session.attempt;
      const after = await watchSession(this.#api, () => this.#ended);
      if (this.#ended) return;
      if (after === null) {
        this.#ended = true;
        const shop = this.#details.merchantName;
        this.#view.end(
          `The payment is still being confirmed. ${shop} will let you know; do not pay again.`,
          "calm",
        );
        return;
      }
      if (after.status !== "OPEN") return this.#follow(after);
      const declined = "The payment was declined. Please try another card.";
      return this.#tryAnotherCard(after, after.attempt > before ? declined : "");
    }
    if (session.status === "COMPLETE") return this.#complete(session);
    if (session.status === "EXPIRED") {
      this.#ended = true;
      this.#view.end("This checkout has expired. Please go back to the shop and start again.", "bad");
      return;
    }
    this.#tryAnotherCard(session, "");
  }

  #tryAnotherCard(session: Session, message: string): void {
    // Used up: the next attempt needs a token with a security code that has not been to a bank yet.
    this.#token = undefined;
    this.#session = { ...this.#details, ...session };
    this.#open(message, "bad");
  }

  #complete(session: Session): void {
    this.#ended = true;
    const { merchantName, amount } = this.#details;
    this.#frame.close();
    this.#view.showComplete(merchantName, amount.formatted);
    const detail = { id: session.id };
    this.#container.dispatchEvent(new CustomEvent("tessera:complete", { detail, bubbles: true }));
    this.#options.onComplete?.(detail);
  }

  #fail(error: unknown, message: string): void {
    if (error instanceof Misconfigured) {
      console.error(`Tessera checkout: ${error.message}`);
      this.#ended = true;
      this.#view.end("This checkout is not set up correctly. Please contact the shop.", "bad");
      return;
    }
    this.#view.say(message, "bad");
    this.#view.offer("Try again");
    this.#busy = false;
  }

  /** The payer may act. */
  #open(message: string, tone: "calm" | "bad" = "calm"): void {
    this.#busy = false;
    this.#view.say(message, tone);
    this.#view.offer();
  }

  get #details(): SessionDetails {
    if (this.#session === undefined) throw new Error("the session is loaded before it is used");
    return this.#session;
  }
}
