/**
 * What tests of this sandbox share: AReqs, a 3DS server that hears RReqs, and a payer's browser without a
 * screen.
 */

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../kit/http.ts";
import { startSandbox } from "../kit/server.ts";
import { ThreeDsSandboxControl } from "./control-client.ts";
import { threeDs } from "./dialect.ts";
import { decode, encode } from "./messages.ts";

export const API_KEY = "three_ds_test_key";
export const SECRET = "sandbox-webhook-secret";

export type Json = Record<string, any>;

/** A 3DS server's two addresses: `/results` for RReqs, `/back` for the payer's browser. */
export class Listener {
  readonly url: string;
  /** RReqs in the order they came. */
  readonly results: {
    readonly body: string;
    readonly headers: Record<string, string>;
    readonly message: Json;
  }[] = [];
  /** Forms that browsers brought. */
  readonly brought: URLSearchParams[] = [];
  /** Answers RReqs; null keeps silent, and the connection breaks. */
  answer: (message: Json) => Json | null = (message) => ({
    messageType: "RRes",
    messageVersion: message["messageVersion"],
    threeDSServerTransID: message["threeDSServerTransID"],
    acsTransID: message["acsTransID"],
    dsTransID: message["dsTransID"],
    resultsStatus: "01",
  });
  readonly close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.close = close;
  }

  static async start(): Promise<Listener> {
    const server = createServer((message, response) => {
      void readBody(message, 100_000).then((body) => {
        if (message.url !== "/results") {
          listener.brought.push(new URLSearchParams(body));
          return response
            .setHeader("content-type", "text/html")
            .end("<!doctype html><title>back</title><p>Back");
        }
        const json = JSON.parse(body) as Json;
        listener.results.push({ body, headers: headersOf(message), message: json });
        const answer = listener.answer(json);
        return answer === null ? message.socket.destroy() : response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = (): Promise<void> => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    };
    const listener = new Listener(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, close);
    return listener;
  }
}

function headersOf(message: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]));
}

export type Stage = {
  readonly url: string;
  readonly control: ThreeDsSandboxControl;
  readonly listener: Listener;
  readonly close: () => Promise<void>;
};

export async function startStage(): Promise<Stage> {
  const running = await startSandbox(threeDs, { port: 0, apiKey: API_KEY });
  const listener = await Listener.start();
  const control = new ThreeDsSandboxControl(running.url);
  await control.settings({ webhooks: { retryDelayMs: 20 } });
  const close = async (): Promise<void> => {
    await running.stop();
    await listener.close();
  };
  return { url: running.url, control, listener, close };
}

/** An AReq of the browser channel, complete; `change` replaces fields, and undefined takes one out. */
export function areqFor(stage: Stage, number: string, change: Json = {}): Json {
  return {
    messageType: "AReq",
    messageVersion: "2.2.0",
    messageCategory: "01",
    deviceChannel: "02",
    threeDSServerTransID: randomUUID(),
    threeDSServerRefNumber: "3DS_LOA_SER_TEST_020200_00001",
    threeDSServerOperatorID: "test",
    threeDSServerURL: `${stage.listener.url}/results`,
    threeDSRequestorID: "shop-1",
    threeDSRequestorName: "Shop & Söhne <b>",
    threeDSRequestorURL: "https://shop.example",
    threeDSRequestorAuthenticationInd: "01",
    threeDSCompInd: "U",
    acctNumber: number,
    cardExpiryDate: "3012",
    acquirerBIN: "400551",
    acquirerMerchantID: "M1",
    mcc: "5399",
    merchantName: "Shop & Söhne <b>",
    merchantCountryCode: "276",
    purchaseAmount: "1234",
    purchaseCurrency: "978",
    purchaseExponent: "2",
    purchaseDate: "20261122120000",
    notificationURL: `${stage.listener.url}/back`,
    browserAcceptHeader: "text/html",
    browserUserAgent: "test",
    browserLanguage: "en-GB",
    browserJavascriptEnabled: true,
    browserJavaEnabled: false,
    browserColorDepth: "24",
    browserScreenHeight: "900",
    browserScreenWidth: "1440",
    browserTZ: "-60",
    ...change,
  };
}

export async function ask(stage: Stage, message: Json, path = "/ds/areq"): Promise<Json> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${API_KEY}` };
  const response = await fetch(stage.url + path, { method: "POST", headers, body: JSON.stringify(message) });
  return (await response.json()) as Json;
}

/** The `creq` field for an ARes that asks for a challenge. */
export const creqFor = (ares: Json, windowSize = "02"): string =>
  encode({
    threeDSServerTransID: ares["threeDSServerTransID"],
    acsTransID: ares["acsTransID"],
    messageType: "CReq",
    messageVersion: ares["messageVersion"],
    challengeWindowSize: windowSize,
  });

/** A browser that follows forms: what it reads is the page's text. */
export class Payer {
  readonly #acs: string;
  readonly #origin: string;

  constructor(acsUrl: string) {
    this.#acs = acsUrl;
    this.#origin = new URL(acsUrl).origin;
  }

  /** Opens the challenge page, or is brought back where it is over. */
  open(creq: string): Promise<string> {
    return this.#post(this.#acs, { creq });
  }

  /**
   * Enters codes one after the other, or cancels (`cancel`); gives the last page, or the CRes that it was
   * brought back with.
   */
  async enter(transaction: string, ...codes: readonly string[]): Promise<string> {
    let page = "";
    for (const code of codes) {
      const fields = code === "cancel" ? { cancel: "yes", code: "" } : { code };
      page = await this.#post(`${this.#acs}/answer`, { acsTransID: transaction, ...fields });
    }
    return this.#follow(page);
  }

  async #post(url: string, fields: Record<string, string>): Promise<string> {
    const response = await fetch(url, { method: "POST", body: new URLSearchParams(fields) });
    return response.text();
  }

  /** Looks again while the page says "one moment". */
  async #follow(first: string): Promise<string> {
    let page = first;
    for (let looks = 0; looks < 200; looks++) {
      const next = /location\.replace\("([^"]+)"\)/.exec(page)?.[1];
      if (next === undefined) return page;
      await new Promise((resolve) => setTimeout(resolve, 20));
      page = await (await fetch(this.#origin + next)).text();
    }
    throw new Error("the page never went on");
  }
}

/** The CRes that a page takes the browser back with, or null. */
export function cresIn(page: string): Json | null {
  const field = /name="cres" value="([^"]+)"/.exec(page)?.[1] ?? null;
  return decode(field);
}

/** Waits until something is there; fails after 5 s. */
export async function until<T>(
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
): Promise<T> {
  for (let looks = 0; looks < 250; looks++) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("waited in vain");
}
