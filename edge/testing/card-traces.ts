import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Looks for a card number in whatever form it could have leaked: plain, in groups, base64 at each of the three
 * alignments, hex. Digits alone in UTF-16 as well, which is how some engines keep strings.
 */
export function tracesOf(number: string, haystack: Buffer): string[] {
  const found: string[] = [];
  const text = haystack.toString("latin1");
  if (new RegExp(number.split("").join("[ \\-.]?")).test(text)) found.push("plain or grouped");
  if (haystack.includes(Buffer.from(number, "utf16le"))) found.push("utf-16");
  if (text.toLowerCase().includes(Buffer.from(number).toString("hex"))) found.push("hex");
  for (let offset = 0; offset < 3; offset++) {
    const padded = Buffer.concat([Buffer.alloc(offset), Buffer.from(number)]).toString("base64");
    // The characters at both ends also depend on the neighbours; those in between do not.
    const core = padded.slice(offset === 0 ? 0 : 4, -4);
    if (text.includes(core) || text.includes(core.replaceAll("+", "-").replaceAll("/", "_")))
      found.push("base64");
  }
  return found;
}

/** All files below a folder with their contents. */
export function filesBelow(folder: string): { path: string; contents: Buffer }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ path, contents: readFileSync(path) }));
}
