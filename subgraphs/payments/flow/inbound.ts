import { DIRECTORY } from "../connectors/three-ds/index.ts";
import { ENDPOINT_HEADER, type InboundDoor } from "../inbound/door.ts";
import { receiveResults } from "./authentication-results.ts";
import { type NewsDeps, receiveNews } from "./news.ts";

/** Providers' webhooks, and the results of 3-D Secure: each to its own flow. */
export function createInboundDoor(deps: NewsDeps): InboundDoor {
  return {
    async receive(provider, headers, body) {
      if (provider === DIRECTORY) {
        if (deps.threeDs === null) return { status: 404, body: "no such webhook" };
        const answer = await receiveResults(deps, headers, body);
        return { status: answer.status, body: answer.body, contentType: "application/json" };
      }
      return receiveNews(deps, { provider, endpoint: headers[ENDPOINT_HEADER] ?? "", headers, body });
    },
  };
}
