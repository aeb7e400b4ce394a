import { CHALLENGE_STYLES } from "./challenge/styles.ts";
import { icon, make } from "./elements.ts";
import { STYLES } from "./styles.ts";

/** What the payer sees around the card fields: amount, status, button, and in the end the confirmation. */
const LOCK = "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z";
const TICK = "M5 13l5 5L19 7";

export class CheckoutView {
  #host = make("div");
  #merchant = make("p", { class: "merchant" });
  #amount = make("p", { class: "amount" });
  #fields = make("div");
  #label = make("span");
  #spinner = make("span", { class: "spinner", "aria-hidden": "true", hidden: "" });
  #button = make("button", { type: "button", hidden: "" }, this.#spinner, this.#label);
  // There from the start and outside what is replaced: a screen reader announces changes of a region it knows.
  #status = make("div", { class: "status", role: "status", "aria-live": "polite" });
  // A timer is not announced as it changes.
  #time = make("p", { class: "time", role: "timer", hidden: "" });
  #ticking: ReturnType<typeof setInterval> | undefined;
  #safe = make(
    "p",
    { class: "safe" },
    icon(15, LOCK),
    "Your card is encrypted. The shop never sees its number.",
  );
  #form = make("div", {}, this.#merchant, this.#amount, this.#fields);
  #pay = "Pay";

  constructor(container: Element, onPay: () => void) {
    const root = this.#host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES + CHALLENGE_STYLES);
    root.adoptedStyleSheets = [sheet];
    const card = make("section", { class: "card", "aria-label": "Payment" });
    card.append(this.#form, this.#status, this.#time, this.#button, this.#safe);
    root.append(card);
    this.#button.addEventListener("click", onPay);
    container.replaceChildren(this.#host);
    this.say("Loading…");
  }

  /** Puts the card fields in their place; from here on the payer can pay. */
  showForm(merchantName: string, amount: string, fields: HTMLElement): void {
    this.#merchant.textContent = merchantName;
    this.#amount.textContent = amount;
    this.#pay = `Pay ${amount}`;
    this.#fields.replaceChildren(fields);
  }

  say(message: string, tone: "calm" | "bad" = "calm"): void {
    this.#status.dataset["tone"] = tone;
    this.#status.textContent = message;
  }

  /** `label` replaces "Pay …", as after a fault that trying again may mend. */
  offer(label: string = this.#pay): void {
    this.#button.hidden = false;
    this.#button.removeAttribute("aria-disabled");
    this.#spinner.hidden = true;
    this.#label.textContent = label;
  }

  /** The button stays where it is, and focused, but does nothing: `disabled` would throw the focus away. */
  working(label = "Paying…"): void {
    this.#button.hidden = false;
    this.#button.setAttribute("aria-disabled", "true");
    this.#spinner.hidden = false;
    this.#label.textContent = label;
  }

  /** Counts down to a moment, or, with null, no more. A moment that is over by this clock is not shown. */
  countDown(until: Date | null): void {
    clearInterval(this.#ticking);
    const show = () => {
      const left = until === null ? 0 : Math.round((until.getTime() - Date.now()) / 1_000);
      this.#time.hidden = left <= 0;
      this.#time.textContent = `Time left: ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (left <= 0) clearInterval(this.#ticking);
    };
    this.#ticking = setInterval(show, 1_000);
    show();
  }

  /** Where a dialog goes. */
  get root(): Node {
    return this.#host.shadowRoot as ShadowRoot;
  }

  focusButton(): void {
    this.#button.focus();
  }

  /** Takes form and button away for good. */
  end(message: string, tone: "calm" | "bad"): void {
    this.countDown(null);
    this.#fields.replaceChildren();
    this.#button.remove();
    this.#safe.remove();
    this.say(message, tone);
  }

  showComplete(merchantName: string, amount: string): void {
    this.countDown(null);
    const heading = make("p", { class: "amount", tabindex: "-1" }, "Payment complete");
    const paid = make("p", { class: "merchant" }, `${amount} paid to ${merchantName}.`);
    const tick = make("div", { class: "tick" }, icon(28, TICK));
    this.#form.className = "done";
    this.#form.replaceChildren(tick, heading, paid);
    this.#button.remove();
    this.#safe.remove();
    this.say("");
    // What had the focus is gone: the confirmation gets it, which also reads it out.
    heading.focus();
  }

  remove(): void {
    clearInterval(this.#ticking);
    this.#host.remove();
  }
}
