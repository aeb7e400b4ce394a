import type { ApiStep } from "../app.ts";

/**
 * Any page may call the API with a publishable key, which is made to be seen, and no cookie exists that could be
 * abused; so every origin is allowed, and every answer readable, errors included. What a secret key may do in a
 * browser is decided by `keepSecretKeysOnServers`: a preflight does not carry the key.
 */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "tessera-request-id, retry-after",
  "cross-origin-resource-policy": "cross-origin",
};

export const allowAnyOrigin: ApiStep = async (c, next) => {
  await next();
  for (const [name, value] of Object.entries(CORS)) c.res.headers.set(name, value);
};

export const preflight: ApiStep = async (c) =>
  c.body(null, 204, {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "7200",
  });
