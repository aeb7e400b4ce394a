/**
 * The pages that the payer's browser sees: the challenge, a moment's wait, and the ways back. They work without
 * script, by keyboard, from 250 pixels on; all text that is not ours is escaped.
 */

import { randomBytes } from "node:crypto";
import type { Reply } from "../kit/world.ts";
import { MOST_TRIES } from "./issuer.ts";
import { cresOf, encode } from "./messages.ts";
import type { AuthenticationRecord, Result } from "./records.ts";
import { STYLE } from "./style.ts";
import { type Words, wordsFor } from "./words.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");

type Page = {
  readonly language: string;
  readonly title: string;
  readonly body: string;
  readonly head?: string;
};

function page(build: (nonce: string) => Page, status = 200): Reply {
  const nonce = randomBytes(12).toString("base64");
  const { language, title, body, head = "" } = build(nonce);
  const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
${head}
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>${body}</body>
</html>`;
  // The form goes to a notification URL that only the merchant knows, so form-action names none.
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'`;
  return {
    status,
    body: html,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    },
  };
}

/** The currencies that people meet; another one is shown by its number. */
const LETTERS: Readonly<Record<string, string>> = {
  "978": "EUR",
  "840": "USD",
  "826": "GBP",
  "756": "CHF",
  "392": "JPY",
  "752": "SEK",
  "208": "DKK",
  "578": "NOK",
  "985": "PLN",
};

function amountOf({ amount, exponent, currency, language }: AuthenticationRecord): string {
  const value = Number(amount) / 10 ** exponent;
  const letters = LETTERS[currency];
  if (letters === undefined) return `${value.toFixed(exponent)} (${currency})`;
  return new Intl.NumberFormat(wordsFor(language).tag, { style: "currency", currency: letters }).format(
    value,
  );
}

/** Asks for the code. After a wrong one it says so, and how many tries are left. */
export function challengePage(record: AuthenticationRecord): Reply {
  const words = wordsFor(record.language);
  const left = MOST_TRIES - record.tries;
  return page(() => ({
    language: words.tag,
    title: words.title,
    body: `<main>
<header><p class="bank">${escaped(words.bank)}</p><p class="scheme">${escaped(record.scheme)}</p></header>
<h1>${escaped(words.title)}</h1>
<p>${escaped(words.intro(amountOf(record), record.merchantName))}</p>
<dl>
<div><dt>${escaped(words.merchant)}</dt><dd>${escaped(record.merchantName)}</dd></div>
<div><dt>${escaped(words.amount)}</dt><dd>${escaped(amountOf(record))}</dd></div>
<div><dt>${escaped(words.card)}</dt><dd>•••• ${escaped(record.last4)}</dd></div>
</dl>
${challengeForm(record, words, left)}
</main>`,
  }));
}

function challengeForm(record: AuthenticationRecord, words: Words, left: number): string {
  const wrong = record.tries > 0;
  const problem = wrong ? `<p id="problem" role="alert">${escaped(words.wrong(left))}</p>` : "";
  const described = wrong ? "hint problem" : "hint";
  return `<form method="post" action="/acs/challenge/answer">
<input type="hidden" name="acsTransID" value="${escaped(record.id)}">
<label for="code">${escaped(words.label)}</label>
<input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]*" maxlength="8"
 required autofocus aria-describedby="${described}"${wrong ? ' aria-invalid="true"' : ""}>
<p id="hint">${escaped(words.hint)}</p>
${problem}
<div class="buttons">
<button type="submit">${escaped(words.submit)}</button>
<button type="submit" name="cancel" value="yes" formnovalidate class="quiet">${escaped(words.cancel)}</button>
</div>
</form>`;
}

/** While the RReq is on its way: looks again by itself. */
export function momentPage(record: AuthenticationRecord): Reply {
  const words = wordsFor(record.language);
  const next = `/acs/challenge/return/${record.id}`;
  return page((nonce) => ({
    language: words.tag,
    title: words.moment,
    head: `<noscript><meta http-equiv="refresh" content="1;url=${next}"></noscript>`,
    body: `<main><p role="status">${escaped(words.moment)}</p></main>
<script nonce="${nonce}">setTimeout(() => location.replace("${next}"), 100)</script>`,
  }));
}

/** Brings the browser back to the merchant with the CRes. */
export function returnPage(record: AuthenticationRecord, result: Result): Reply {
  const cres = encode(cresOf(record, result));
  return backPage(record.language, record.notificationUrl ?? "", "cres", cres);
}

/** The 3DS Method page: here it looks at nothing, and says at once that it is done. */
export function methodPage(notificationUrl: string, data: string): Reply {
  return backPage("en", notificationUrl, "threeDSMethodData", data);
}

function backPage(language: string, url: string, field: string, value: string): Reply {
  const words = wordsFor(language);
  return page((nonce) => ({
    language: words.tag,
    title: words.back,
    body: `<main><form id="back" method="post" action="${escaped(url)}">
<input type="hidden" name="${field}" value="${escaped(value)}">
<noscript><p>${escaped(words.back)}</p><button type="submit">${escaped(words.submit)}</button></noscript>
</form></main>
<script nonce="${nonce}">document.getElementById("back").submit()</script>`,
  }));
}

export function refusedPage(status: number): Reply {
  const words = wordsFor("en");
  const body = `<main><h1>${escaped(words.unknown)}</h1></main>`;
  return page(() => ({ language: words.tag, title: words.unknown, body }), status);
}
