import { type FromChallenge, isChallengeHello, RETURNED } from "../protocol.ts";
import { isLoopback, isSafePage } from "../safe-page.ts";

/**
 * The challenge page, framed by the checkout: posts the CReq to the issuer's page in a frame of its own, and tells
 * the checkout what it sees of it, which is no more than that a page is there and that the browser is back.
 */
const FRAME = "issuer";

/**
 * What issuers' pages need. They may open a window of their own (a bank's app, a help page), and may not take the
 * merchant's page away from under the payer.
 */
const SANDBOX = [
  "allow-forms",
  "allow-scripts",
  "allow-same-origin",
  "allow-pointer-lock",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
];

let checkout: MessagePort | undefined;
const say = (message: FromChallenge) => checkout?.postMessage(message);

window.addEventListener("message", (event) => {
  // The first greeting, from the page around this frame, and from no other window that found a way to it.
  const [port] = event.ports;
  const fromParent = event.source === window.parent && window.parent !== window;
  if (checkout !== undefined || !fromParent || port === undefined || !isChallengeHello(event.data)) return;
  checkout = port;
  const { acsUrl, creq } = event.data;
  if (!isSafePage(acsUrl, { loopback: isLoopback(location.hostname) })) return say("refused");
  say("opening");
  open(acsUrl, creq);
});

function open(acsUrl: string, creq: string): void {
  const frame = document.createElement("iframe");
  frame.name = FRAME;
  frame.title = "Your bank’s page";
  frame.setAttribute("sandbox", SANDBOX.join(" "));
  // Issuers may ask for a passkey, or for a confirmation by the browser's own payment dialog.
  frame.setAttribute("allow", "publickey-credentials-get *; payment *");
  document.body.replaceChildren(frame);
  frame.addEventListener("load", () => {
    // Browsers also tell of the empty document that a frame begins with; the issuer's we cannot see into.
    if (frame.contentDocument?.URL !== "about:blank") say("shown");
  });
  window.addEventListener("message", ({ source, origin, data }) => {
    const fromReturnPage = source === frame.contentWindow && origin === location.origin;
    if (fromReturnPage && data === RETURNED) say("returned");
  });

  const form = document.createElement("form");
  form.method = "post";
  form.action = acsUrl;
  form.target = FRAME;
  form.hidden = true;
  const field = document.createElement("input");
  field.name = "creq";
  field.value = creq;
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}
