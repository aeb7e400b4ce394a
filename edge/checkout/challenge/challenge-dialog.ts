import { make } from "../elements.ts";

/** What the style sheet leaves between a dialog that is no sheet and the edges of the screen. */
const MARGIN = 16;
/** Left and right of the issuer's page. Above and below they are there from the start. */
const FRAME_BORDERS = 2;

const WHAT_STOPPING_DOES =
  "Stop confirming? Nothing has been charged so far. The payment waits for you until your bank ends it; after that " +
  "you can use another card.";

type Place = { readonly width: number; readonly height: number };

export type ChallengeDialogEvents = {
  /** The payer wants to stop, and said so twice. */
  stop(): void;
  reload(): void;
};

/**
 * The modal around the issuer's page. A `dialog` shown as a modal is above everything of the page, and the browser
 * itself keeps focus, clicks and screen readers inside; whoever pulls at the focus from outside pulls in vain.
 *
 * Escape, and a phone's way back, ask whether to stop. Browsers let a page ask once: the second Escape in a row
 * closes the dialog whatever the page says, and it is then opened again, with the question.
 */
export class ChallengeDialog {
  readonly element: HTMLDialogElement;
  #title = make("h2", { id: "bank-title", tabindex: "-1", autofocus: "" }, "Confirm with your bank");
  #issuer = make("div", { class: "issuer" });
  #status = make("div", { class: "status", role: "status", "aria-live": "polite" });
  #again = make("button", { type: "button", hidden: "" }, "Load it again");
  #cancel = make("button", { type: "button", class: "quiet" }, "Cancel");
  #foot = make("div", { class: "choices" }, this.#again, this.#cancel);
  #keep = make("button", { type: "button", "aria-describedby": "bank-stop" }, "Keep confirming");
  #question: HTMLElement;
  #closing = false;

  constructor(about: string, events: ChallengeDialogEvents) {
    const stop = make("button", { type: "button", class: "quiet", "aria-describedby": "bank-stop" }, "Stop");
    this.#question = make(
      "div",
      { class: "question", role: "group", "aria-label": "Stop confirming?", hidden: "" },
      make("p", { id: "bank-stop" }, WHAT_STOPPING_DOES),
      make("div", { class: "choices" }, this.#keep, stop),
    );
    this.element = make(
      "dialog",
      { "aria-labelledby": "bank-title", "aria-describedby": "bank-about" },
      make("div", {}, this.#title, make("p", { id: "bank-about" }, about)),
      this.#issuer,
      this.#status,
      this.#foot,
      this.#question,
    );
    this.#cancel.addEventListener("click", () => this.#ask());
    this.#again.addEventListener("click", () => events.reload());
    this.#keep.addEventListener("click", () => this.#goOn());
    stop.addEventListener("click", () => events.stop());
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      if (this.#question.hidden) this.#ask();
      else this.#goOn();
    });
    this.element.addEventListener("close", () => {
      if (this.#closing) return;
      this.element.showModal();
      this.#ask();
    });
  }

  /** Opens it, and gives how much room there is for the issuer's page, in CSS pixels. */
  open(into: Node): Place {
    into.appendChild(this.element);
    this.element.showModal();
    this.#title.focus();
    const style = getComputedStyle(this.element);
    const length = (property: string) => Number.parseFloat(style.getPropertyValue(property)) || 0;
    const sheet = this.element.offsetWidth >= innerWidth;
    const margin = sheet ? 0 : MARGIN;
    const parts = Array.from(this.element.children).filter((part) => part !== this.#question);
    const used = parts.reduce((sum, part) => sum + part.getBoundingClientRect().height, 0);
    const around = (from: string, to: string) =>
      2 * margin + length(`padding-${from}`) + length(`padding-${to}`) + 2 * length("border-top-width");
    const gaps = (parts.length - 1) * length("row-gap");
    return {
      width: Math.floor(innerWidth - around("left", "right") - FRAME_BORDERS),
      height: Math.floor(innerHeight - around("top", "bottom") - gaps - used),
    };
  }

  /** Puts the issuer's page into its place. */
  show(frame: HTMLIFrameElement, { width, height }: Place): void {
    this.element.style.setProperty("--issuer-width", `${width}px`);
    this.element.style.setProperty("--issuer-height", `${height}px`);
    this.#issuer.replaceChildren(frame);
  }

  say(message: string, tone: "calm" | "bad" = "calm"): void {
    this.#status.dataset["tone"] = tone;
    this.#status.textContent = message;
  }

  set canReload(can: boolean) {
    this.#again.hidden = !can;
  }

  close(): void {
    this.#closing = true;
    this.element.close();
    this.element.remove();
  }

  #ask(): void {
    this.#foot.hidden = true;
    this.#question.hidden = false;
    this.#keep.focus();
  }

  #goOn(): void {
    this.#foot.hidden = false;
    this.#question.hidden = true;
    this.#title.focus();
  }
}
