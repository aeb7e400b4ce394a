/**
 * The pages that the payer sees: Mollie's hosted card form, and the page of the card's bank. Plain HTML that works
 * without scripts, with a keyboard and with a screen reader.
 */

import { wireAmount } from "./amounts.ts";
import { FAILURE_REASONS } from "./failure-reasons.ts";
import type { PaymentRecord } from "./records.ts";

/** What was wrong with a field, by its name. */
export type FieldErrors = Readonly<Partial<Record<FieldName, string>>>;
export type FieldName = "number" | "expiry" | "cvc" | "holder";
export type Fields = Readonly<Partial<Record<FieldName, string>>>;

const STYLE = `
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
  label, legend { font-weight: 600 } fieldset { margin-top: 2rem; border: 1px solid #767676 }
  input, select, button { font: inherit; padding: .5rem; width: 100%; box-sizing: border-box; margin: .25rem 0 1rem }
  [aria-invalid=true] { border: 2px solid #b00020 } .error { color: #b00020 }
  button.primary { background: #0a3b8f; color: #fff; border: 0 } :focus-visible { outline: 3px solid #e08a00; outline-offset: 2px }
`;

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>
${content}
</main></body></html>`;
}

type FieldTerms = {
  readonly name: FieldName;
  readonly label: string;
  readonly autocomplete: string;
  readonly hint?: string;
};

const FIELDS: readonly FieldTerms[] = [
  { name: "number", label: "Card number", autocomplete: "cc-number" },
  { name: "expiry", label: "Expiry date", autocomplete: "cc-exp", hint: "Month and year, for example 12/30" },
  { name: "cvc", label: "Security code", autocomplete: "cc-csc" },
  { name: "holder", label: "Name on card", autocomplete: "cc-name" },
];

function field(
  { name, label, autocomplete, hint }: FieldTerms,
  value: string,
  error: string | undefined,
): string {
  const described = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ");
  const numeric = name === "holder" ? "" : ' inputmode="numeric"';
  return `<label for="${name}">${label}</label>
${hint === undefined ? "" : `<div id="${name}-hint">${hint}</div>`}
${error === undefined ? "" : `<div id="${name}-error" class="error">${escaped(error)}</div>`}
<input id="${name}" name="${name}" autocomplete="${autocomplete}" value="${escaped(value)}"${numeric}${described === "" ? "" : ` aria-describedby="${described}"`}${error === undefined ? "" : ' aria-invalid="true"'}>`;
}

function errorSummary(errors: FieldErrors): string {
  const entries = Object.entries(errors);
  if (entries.length === 0) return "";
  const items = entries.map(([name, error]) => `<li><a href="#${name}">${escaped(error)}</a></li>`).join("");
  return `<div role="alert" class="error"><p>Nothing was charged yet. Please check:</p><ul>${items}</ul></div>`;
}

/** What a tester can pick in place of a card. */
export const OUTCOMES = ["paid", "failed", "canceled", "expired", "pending"] as const;

function testersPart(): string {
  const outcomes = OUTCOMES.map((outcome) => `<option>${outcome}</option>`).join("");
  const reasons = FAILURE_REASONS.map((reason) => `<option>${reason}</option>`).join("");
  return `<form method="post"><fieldset><legend>For testers</legend>
<label for="outcome">Outcome</label><select id="outcome" name="outcome">${outcomes}</select>
<label for="failureReason">Reason, if it fails</label><select id="failureReason" name="failureReason">${reasons}</select>
<button name="action" value="outcome">Take this outcome</button></fieldset></form>`;
}

/** The card form. The card number is not shown again after a mistake. */
export function cardPage(payment: PaymentRecord, fields: Fields = {}, errors: FieldErrors = {}): string {
  const { value, currency } = wireAmount(payment.amount, payment.currency);
  const inputs = FIELDS.map((terms) => {
    const secret = terms.name === "number" || terms.name === "cvc";
    return field(terms, secret ? "" : (fields[terms.name] ?? ""), errors[terms.name]);
  });
  return page(
    `Pay ${value} ${currency}`,
    `<p>${escaped(payment.description)}</p>
${errorSummary(errors)}
<form method="post" novalidate>
${inputs.join("\n")}
<button class="primary" name="action" value="pay">Pay ${value} ${currency}</button>
<button name="action" value="cancel">Cancel the payment</button>
</form>
${testersPart()}`,
  );
}

/** The bank asks whether it is the cardholder who pays (3-D Secure). */
export function bankPage(payment: PaymentRecord): string {
  const { value, currency } = wireAmount(payment.amount, payment.currency);
  return page(
    "Your bank asks: is this you?",
    `<p>Card ending in ${escaped(payment.card?.last4 ?? "")}: ${value} ${currency} for ${escaped(payment.description)}.</p>
<form method="post">
<button class="primary" name="outcome" value="succeed">Yes, confirm the payment</button>
<button name="outcome" value="fail">No, refuse it</button>
<button name="outcome" value="abandon">Go back without answering</button>
</form>`,
  );
}

/** For a payment that has ended and has no address to send the payer to. */
export function endedPage(payment: PaymentRecord): string {
  return page("This payment has ended", `<p>It is ${escaped(payment.status)}. You may close this page.</p>`);
}
