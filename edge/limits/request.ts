import type { ApiStep } from "../app.ts";
import { refusal } from "../errors.ts";
import { readLimited } from "./body.ts";

const MAX_BODY_BYTES = 64 * 1024;

/** Refuses what is not JSON: other types can be sent by a plain HTML form, without a preflight. */
export const onlyJson: ApiStep = async (c, next) => {
  const type = c.req.header("content-type") ?? "";
  const json = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type);
  return json ? next() : refusal(c, "UNSUPPORTED_MEDIA_TYPE");
};

/** Reads the whole body before anything is forwarded: a region never sees a part of a request. */
export const limitBody: ApiStep = async (c, next) => {
  const body = await readLimited(c.req.raw.body, MAX_BODY_BYTES);
  if (!body.ok) return refusal(c, body.error.code);
  c.set("body", body.value);
  return next();
};
