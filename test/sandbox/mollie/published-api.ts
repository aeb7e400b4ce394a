/**
 * Mollie's published API description, read in place beside the project; null, with a warning, where it is absent.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { OpenApi } from "./openapi-schema.ts";

const NAME = "mollie/openapi.payments.json.gz";
const FILE = join(import.meta.dirname, "../../../../shared/data", NAME);

export function publishedApi(): OpenApi | null {
  if (!existsSync(FILE)) {
    console.warn(`skipped: the published ../shared/data/${NAME} is not there`);
    return null;
  }
  return JSON.parse(gunzipSync(readFileSync(FILE)).toString("utf8")) as OpenApi;
}
