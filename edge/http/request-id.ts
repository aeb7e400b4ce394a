import type { MiddlewareHandler } from "hono";
import { REQUEST_ID_HEADER } from "../../subgraphs/kernel/identity.ts";

export type WithRequestId = { Variables: { requestId: string } };

/**
 * Names the request: made here, never taken from the client, so that two requests cannot share a name in the
 * logs. It goes back on every answer, and on to the region inside the signed identity.
 */
export const nameRequest: MiddlewareHandler<WithRequestId> = async (c, next) => {
  const requestId = `req_${crypto.randomUUID().replaceAll("-", "")}`;
  c.set("requestId", requestId);
  await next();
  c.res.headers.set(REQUEST_ID_HEADER, requestId);
};
