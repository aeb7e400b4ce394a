import { STYLES } from "./styles.ts";

/**
 * What the payer sees around the card fields: amount, status, button, and in the end the confirmation. Built
 * from elements, never from HTML text, so it also works where a page enforces Trusted Types.
 */
type Child = Node | string;

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A decorative line drawing of 24 by 24. */
function icon(size: number, path: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const shape = document.createElementNS(space, "path");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, fill: "none", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, String(value));
  shape.setAttribute("d", path);
  for (const [name, value] of [
    ["stroke", "currentColor"],
    ["stroke-width", "2"],
    ["stroke-linecap", "round"],
    ["stroke-linejoin", "round"],
  ] as const)
    shape.setAttribute(name, value);
  svg.append(shape);
  return svg;
}

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
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets = [sheet];
    const card = make("section", { class: "card", "aria-label": "Payment" });
    card.append(this.#form, this.#status, this.#button, this.#safe);
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
  working(): void {
    this.#button.setAttribute("aria-disabled", "true");
    this.#spinner.hidden = false;
    this.#label.textContent = "Paying…";
  }

  /** Takes form and button away for good. */
  end(message: string, tone: "calm" | "bad"): void {
    this.#fields.replaceChildren();
    this.#button.remove();
    this.#safe.remove();
    this.say(message, tone);
  }

  showComplete(merchantName: string, amount: string): void {
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
    this.#host.remove();
  }
}
