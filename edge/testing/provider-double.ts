import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export type ProviderRequest = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type ProviderAnswer = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
};

/** A provider that keeps what it received and answers as the test decides. */
export class ProviderDouble {
  readonly requests: ProviderRequest[] = [];
  url = "";
  /** "hang" never answers, "reset" breaks the connection, "stall" sends headers and half a body. */
  answer: (request: ProviderRequest) => ProviderAnswer | "hang" | "reset" | "stall" = () => ({
    body: '{"id":"pi_1","object":"payment_intent"}',
  });
  #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const received = { path: request.url ?? "", headers: request.headers, body };
      this.requests.push(received);
      const answer = this.answer(received);
      if (answer === "hang") return;
      if (answer === "reset") return void request.socket.destroy();
      if (answer === "stall") {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
        return void response.write('{"id":');
      }
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
      response.end(answer.body);
    });
  });

  async listen(): Promise<void> {
    this.#server.keepAliveTimeout = 30_000;
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
