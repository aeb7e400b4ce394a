import { brandOf } from "./brands.ts";
import { cvcProblem, expiryProblem, numberProblem, readExpiry } from "./checks.ts";
import { digitsOf, formatCvc, formatExpiry, formatNumber, keepFormatted } from "./formats.ts";

export type FieldName = "number" | "expiry" | "cvc";
const NAMES: readonly FieldName[] = ["number", "expiry", "cvc"];

const FORMATS: Record<FieldName, (text: string) => string> = {
  number: formatNumber,
  expiry: formatExpiry,
  cvc: formatCvc,
};

function element<E extends HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`card.html has no #${id}`);
  return found as E;
}

/** The three fields: their text, their problems, and what a screen reader hears of them. */
export class CardFields {
  #inputs = Object.fromEntries(NAMES.map((name) => [name, element<HTMLInputElement>(name)])) as Record<
    FieldName,
    HTMLInputElement
  >;
  #brand = element("brand");
  #waitingForFocus: FieldName | null = null;

  constructor(edited: () => void) {
    for (const name of NAMES) {
      const input = this.#inputs[name];
      input.addEventListener("input", (event) => {
        // Taking the separator away must not put it back at once.
        const deleting = (event as InputEvent).inputType?.startsWith("delete") ?? false;
        if (!(deleting && name === "expiry")) keepFormatted(input, FORMATS[name]);
        this.#show(name, null);
        if (name === "number") this.#showBrand();
        edited();
      });
      // An empty field that is only passed through is no mistake yet.
      input.addEventListener("blur", () => {
        if (input.value !== "") this.#show(name, this.#problem(name));
      });
    }
    // A frame may not take the focus from its parent: the checkout gives it, then the field gets it.
    window.addEventListener("focus", () => {
      if (this.#waitingForFocus !== null) this.#inputs[this.#waitingForFocus].focus();
      this.#waitingForFocus = null;
    });
  }

  /** The card, or null after having shown what is wrong with it. */
  read(): { number: string; expMonth: number; expYear: number; cvc: string } | null {
    const problems = NAMES.map((name) => [name, this.#problem(name)] as const);
    for (const [name, problem] of problems) this.#show(name, problem);
    const first = problems.find(([, problem]) => problem !== null)?.[0];
    const expiry = readExpiry(digitsOf(this.#inputs.expiry.value));
    if (first !== undefined || expiry === null) {
      this.#focus(first ?? "expiry");
      return null;
    }
    const { number, cvc } = this.#inputs;
    return {
      number: digitsOf(number.value),
      expMonth: expiry.month,
      expYear: expiry.year,
      cvc: cvc.value,
    };
  }

  /** Shows what the vault found wrong with a field. */
  reject(name: FieldName, message: string): void {
    this.#show(name, message);
    this.#focus(name);
  }

  set busy(busy: boolean) {
    // Not `disabled`: a disabled field loses the focus and, for a screen reader, its place.
    for (const name of NAMES) this.#inputs[name].readOnly = busy;
    document.body.classList.toggle("busy", busy);
  }

  #focus(name: FieldName): void {
    this.#waitingForFocus = document.hasFocus() ? null : name;
    this.#inputs[name].focus();
  }

  #problem(name: FieldName): string | null {
    const text = digitsOf(this.#inputs[name].value);
    if (name === "number") return numberProblem(text);
    if (name === "expiry") return expiryProblem(readExpiry(text), new Date());
    return cvcProblem(text, digitsOf(this.#inputs.number.value));
  }

  #show(name: FieldName, problem: string | null): void {
    element(`${name}-error`).textContent = problem ?? "";
    if (problem === null) this.#inputs[name].removeAttribute("aria-invalid");
    else this.#inputs[name].setAttribute("aria-invalid", "true");
  }

  #showBrand(): void {
    const brand = brandOf(digitsOf(this.#inputs.number.value));
    this.#brand.textContent = brand?.name ?? "";
    this.#inputs.cvc.placeholder = brand?.cvcLength === 4 ? "1234" : "123";
  }
}
