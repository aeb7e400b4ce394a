import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { mirrorFolder } from "./mirror-folder.ts";

let folder: string;
const at = (path: string) => join(folder, path);
const mirror = () => mirrorFolder(at("from"), at("to/site"), { unfinished: at("to"), last: "index.html" });
const all = () => (readdirSync(at("to"), { recursive: true }) as string[]).sort();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tessera-mirror-"));
  mkdirSync(at("to"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("makes a folder hold what another holds, and no more", async () => {
  mkdirSync(at("from/assets"), { recursive: true });
  writeFileSync(at("from/index.html"), "page");
  writeFileSync(at("from/assets/a.js"), "a");
  writeFileSync(at("from/.stamp"), "not for readers");
  mkdirSync(at("to/site/assets"), { recursive: true });
  writeFileSync(at("to/site/assets/old.js"), "old");
  await mirror();
  expect(all()).toEqual(["site", "site/assets", "site/assets/a.js", "site/index.html"]);
  expect(readFileSync(at("to/site/index.html"), "utf8")).toBe("page");
});

it("leaves alone what has not changed, and brings the page each time: its size tells nothing", async () => {
  mkdirSync(at("from"));
  writeFileSync(at("from/index.html"), "page 1");
  writeFileSync(at("from/same.js"), "same");
  await mirror();
  const before = statSync(at("to/site/same.js")).ino;
  writeFileSync(at("from/index.html"), "page 2");
  await mirror();
  expect(readFileSync(at("to/site/index.html"), "utf8")).toBe("page 2");
  expect(statSync(at("to/site/same.js")).ino).toBe(before);
});

it("has nothing to do where there is nothing", async () => {
  await mirror();
  expect(all()).toEqual([]);
});
