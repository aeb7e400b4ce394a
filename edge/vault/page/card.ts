import { type FromFrame, isHello, type ToFrame } from "../../checkout/protocol.ts";
import { CardFields } from "./fields.ts";
import { Tokenizer } from "./tokenize.ts";

/**
 * The card page: fields on the vault's origin, framed by a merchant's checkout. It encrypts the card for the
 * vault and hands out the token. It keeps nothing, and shows nothing of the card to the page around it.
 */
let checkout: MessagePort | undefined;
const say = (message: FromFrame) => checkout?.postMessage(message);
const fields = new CardFields(() => say({ type: "edited" }));

document.querySelector("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  say({ type: "submit" });
});

window.addEventListener("message", (event) => {
  // The first greeting, from the page around this frame, and from no other window that found a way to it.
  const [port] = event.ports;
  const fromParent = event.source === window.parent && window.parent !== window;
  if (checkout !== undefined || !fromParent || port === undefined || !isHello(event.data)) return;
  checkout = port;
  const tokenizer = new Tokenizer(event.data.publishableKey);
  port.onmessage = ({ data }: MessageEvent<ToFrame>) => {
    if (data.type === "busy") fields.busy = data.busy;
    if (data.type === "tokenize") void answer(tokenizer, data.id);
  };
  say({ type: "ready" });
  new ResizeObserver(() => say({ type: "resize", height: document.body.offsetHeight })).observe(
    document.body,
  );
});

async function answer(tokenizer: Tokenizer, id: number): Promise<void> {
  const card = fields.read();
  if (card === null) return say({ type: "tokenized", id, result: { ok: false, message: null } });
  const result = await tokenizer.tokenize(card);
  if (result.ok || result.field === null) return say({ type: "tokenized", id, result });
  fields.reject(result.field, result.message);
  say({ type: "tokenized", id, result: { ok: false, message: null } });
}
