import type { FromFrame, Hello, ToFrame, Tokenized } from "./protocol.ts";

export type CardFrameEvents = {
  ready(): void;
  edited(): void;
  submit(): void;
};

/** Long enough for a slow network, short enough that a payer does not give up first. */
const TOKENIZE_TIMEOUT_MS = 30_000;

/**
 * The vault's page with the card fields, in a frame. The page around it holds one end of a private channel: it
 * can ask for a token, and can read nothing of what is typed.
 */
export class CardFrame {
  readonly element: HTMLIFrameElement;
  #port: MessagePort;
  #waiting = new Map<number, (result: Tokenized) => void>();
  #asked = 0;

  constructor(vaultOrigin: string, publishableKey: string, events: CardFrameEvents) {
    const channel = new MessageChannel();
    this.#port = channel.port1;
    this.#port.onmessage = ({ data }: MessageEvent<FromFrame>) => this.#hear(data, events);
    const frame = document.createElement("iframe");
    frame.title = "Card details";
    frame.src = `${vaultOrigin}/card`;
    frame.setAttribute("allow", "payment 'none'; camera 'none'; microphone 'none'; geolocation 'none'");
    frame.addEventListener(
      "load",
      () => {
        const hello: Hello = { type: "tessera:hello", publishableKey };
        // Named, not "*": if anything else was loaded into the frame, the browser does not deliver the port to it.
        frame.contentWindow?.postMessage(hello, vaultOrigin, [channel.port2]);
      },
      { once: true },
    );
    this.element = frame;
  }

  set busy(busy: boolean) {
    this.#say({ type: "busy", busy });
  }

  /** Encrypts and stores the card that is typed into the frame; the frame shows what is wrong with a field. */
  tokenize(): Promise<Tokenized> {
    const id = ++this.#asked;
    // Lets the frame put the cursor into the field that needs attention: it may not take the focus by itself.
    this.element.focus();
    return new Promise((resolve) => {
      const settle = (result: Tokenized) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(result);
      };
      const message = "The card could not be sent safely. Please check your connection and try again.";
      const timer = setTimeout(() => settle({ ok: false, message }), TOKENIZE_TIMEOUT_MS);
      this.#waiting.set(id, settle);
      this.#say({ type: "tokenize", id });
    });
  }

  close(): void {
    this.#port.close();
    this.element.remove();
  }

  #say(message: ToFrame): void {
    this.#port.postMessage(message);
  }

  #hear(message: FromFrame, events: CardFrameEvents): void {
    if (message.type === "ready") events.ready();
    if (message.type === "edited") events.edited();
    if (message.type === "submit") events.submit();
    if (message.type === "resize") this.element.style.height = `${Math.ceil(message.height)}px`;
    if (message.type === "tokenized") this.#waiting.get(message.id)?.(message.result);
  }
}
