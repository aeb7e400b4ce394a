/**
 * The provider's published data, which tests read in place. It is third-party material beside the project, not
 * part of it; where it is absent the tests that need it are skipped, and say so.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const FOLDER = join(import.meta.dirname, "../../../../shared/data");

/** The bytes of a published file (unpacked where its name ends in .gz), or null with a warning. */
export function publishedFile(path: string): Buffer | null {
  const file = join(FOLDER, path);
  if (!existsSync(file)) {
    console.warn(`skipped: the published ../shared/data/${path} is not there`);
    return null;
  }
  const bytes = readFileSync(file);
  return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}
