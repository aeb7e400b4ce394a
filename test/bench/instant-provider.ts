import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { recordAnswers } from "./direct-provider.ts";

/**
 * A provider that answers every request at once with what the sandbox once said to an authorization: a process of its
 * own, so that neither its CPU time nor its queue is anybody else's. Prints `ready on http://…`.
 */
const { authorized } = await recordAnswers();
const answer = Buffer.from(authorized);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume().once("end", () => {
    response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(`ready on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
