import type { ChallengeHello, FromChallenge } from "../../three-ds/protocol.ts";
import { make } from "../elements.ts";

/**
 * Our challenge page, in a frame; the issuer's page is in a frame inside it. What is to be posted goes to the edge's
 * origin only, and what is heard comes through a port that nobody else holds.
 */
export class ChallengeFrame {
  readonly element: HTMLIFrameElement;
  #port: MessagePort;

  constructor(
    edgeOrigin: string,
    challenge: Pick<ChallengeHello, "acsUrl" | "creq">,
    heard: (message: FromChallenge) => void,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }: MessageEvent<FromChallenge>) => heard(data);
    const frame = make("iframe", {
      title: "Your bank’s page",
      src: `${edgeOrigin}/3ds/challenge`,
      allow: "publickey-credentials-get *; payment *",
    });
    const greet = () => {
      const { acsUrl, creq } = challenge;
      const hello: ChallengeHello = { type: "tessera:challenge", acsUrl, creq };
      frame.contentWindow?.postMessage(hello, edgeOrigin, [port2]);
    };
    frame.addEventListener("load", greet, { once: true });
    this.element = frame;
  }

  close(): void {
    this.#port.close();
    this.element.remove();
  }
}
