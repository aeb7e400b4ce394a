import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXPLORER_DIST, type ExplorerPlaces, ensureExplorer, sourcesStamp } from "./build.ts";

let folder: string;
let places: ExplorerPlaces;
let built: number;
let said: string[];

const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
/** The one script that is there, which has to be the one that the page names. */
const script = () => {
  const scripts = readdirSync(join(places.dist, "assets"));
  expect(scripts).toEqual([readFileSync(join(places.dist, "index.html"), "utf8")]);
  return scripts[0];
};
const ensure = () => ensureExplorer((line) => said.push(line), places);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tessera-explorer-test-"));
  mkdirSync(join(folder, "sources/examples"), { recursive: true });
  write("sources/main.tsx", "main");
  write("sources/examples/one.graphql", "query");
  write("package-lock.json", "{}");
  [built, said] = [0, []];
  places = {
    sources: join(folder, "sources"),
    lockFile: join(folder, "package-lock.json"),
    dist: join(folder, "sources/dist"),
    bundle: async (out) => {
      built += 1;
      // As Vite's, it is the same for the same sources.
      const name = `main-${(await sourcesStamp(places)).slice(0, 8)}.js`;
      mkdirSync(join(out, "assets"));
      writeFileSync(join(out, "assets", name), "");
      writeFileSync(join(out, "index.html"), name);
    },
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the explorer is built", () => {
  it("when it is missing, and not again", async () => {
    await ensure();
    await ensure();
    expect(built).toBe(1);
    expect(said).toEqual([
      expect.stringContaining("not built yet"),
      expect.stringMatching(/built: .* MB in/),
    ]);
    expect(script()).toMatch(/^main-/);
  });

  it.each([
    ["a source", () => write("sources/main.tsx", "other")],
    ["an example", () => write("sources/examples/one.graphql", "other")],
    ["a new file", () => write("sources/new.tsx", "")],
    ["a removed file", () => rmSync(join(folder, "sources/main.tsx"))],
    ["a package", () => write("package-lock.json", "{ }")],
  ])("again after a change of %s, and leaves nothing of the build before", async (_, change) => {
    await ensure();
    const before = script();
    change();
    await ensure();
    expect(built).toBe(2);
    expect(said[2]).toContain("its sources have changed");
    expect(script()).not.toBe(before);
  });

  it("not for a test, a note, or a hidden file of an editor's or another build's", async () => {
    await ensure();
    for (const name of ["main.test.ts", "README.md", ".main.tsx.swp"]) write(`sources/${name}`, "new");
    await ensure();
    expect(built).toBe(1);
  });

  it("again after a build that failed, and what was there before stays until then", async () => {
    await ensure();
    const before = script();
    write("sources/main.tsx", "broken");
    const { bundle } = places;
    places = { ...places, bundle: async () => Promise.reject(new Error("no such module")) };
    await expect(ensure()).rejects.toThrow("no such module");
    expect(script()).toBe(before);
    places = { ...places, bundle };
    await ensure();
    expect(built).toBe(2);
  });

  it("whole, when two processes do it at once", async () => {
    await Promise.all([ensure(), ensure()]);
    expect(script()).toMatch(/^main-/);
    expect(readdirSync(places.dist).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

describe("the real build", () => {
  it("needs nothing that its content policy forbids, and shows its header early", async () => {
    await ensureExplorer(() => {});
    const page = readFileSync(join(EXPLORER_DIST, "index.html"), "utf8");
    expect(page).not.toMatch(/<script(?![^>]* src="\.\/)|<style|https?:|\son\w+=/);
    const first = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(
      (match) => match[1] as string,
    );
    const zipped = first.map((file) => gzipSync(readFileSync(join(EXPLORER_DIST, file))).length);
    // React and the header; the editor comes after.
    expect(zipped.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(100 * 1024);

    const files = readdirSync(join(EXPLORER_DIST, "assets")).map((name) =>
      join(EXPLORER_DIST, "assets", name),
    );
    const total = files.reduce((sum, file) => sum + readFileSync(file).length, 0);
    expect(total).toBeLessThan(8 * 1024 * 1024);
    for (const file of files.filter((name) => name.endsWith(".js")))
      expect(readFileSync(file, "utf8"), file).not.toMatch(/[^.\w]eval\(|new Function\(|blob:/);
    // The font is a file; what styles and scripts load is relative.
    for (const file of files.filter((name) => name.endsWith(".css")))
      expect(readFileSync(file, "utf8"), file).not.toMatch(/url\(["']?(https?:|\/\/|data:font)/);
  });
});
