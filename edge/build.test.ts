import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildEdge } from "./build.ts";

const out = mkdtempSync(join(tmpdir(), "tessera-build-"));
const read = (path: string) => readFileSync(join(out, path));
const zipped = (path: string) => gzipSync(read(path), { level: 9 }).length;
const cardFile = (extension: string) => {
  const names = readdirSync(join(out, "vault/assets/assets")).filter((name) => name.endsWith(extension));
  expect(names).toHaveLength(1);
  return `vault/assets/assets/${names[0]}`;
};

beforeAll(() => buildEdge(out));
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("what payers download", () => {
  // Budgets in bytes, compressed as networks carry them: a payer on a slow phone waits for every one.
  it("stays within its budget", () => {
    // With the challenge's dialog in it: within what a server sends in its first go, and a script that would have to be
    // fetched in the middle of a payment is one more that can fail to come.
    expect(zipped("api/assets/v1/checkout.js")).toBeLessThanOrEqual(10 * 1024);
    expect(zipped("api/assets/3ds/challenge.js")).toBeLessThanOrEqual(1024);
    expect(zipped("api/assets/3ds/return.js")).toBeLessThanOrEqual(256);
    expect(zipped(cardFile(".js"))).toBeLessThanOrEqual(12 * 1024);
    expect(zipped(cardFile(".css"))).toBeLessThanOrEqual(2 * 1024);
  });

  it("uses nothing that a strict content policy forbids", () => {
    const threeDs = ["challenge", "return"].map((name) => `api/assets/3ds/${name}.js`);
    for (const path of ["api/assets/v1/checkout.js", cardFile(".js"), ...threeDs]) {
      const script = read(path).toString();
      expect(script).not.toMatch(
        /\beval\(|new Function|innerHTML|outerHTML|document\.write|insertAdjacentHTML/,
      );
      // SVG's namespace is a name; otherwise only the mark that the api worker replaces.
      const addresses = [...script.matchAll(/https?:\/\/[\w.]+/g)].map(([address]) => address);
      expect(addresses.filter((address) => address !== "http://www.w3.org")).toEqual(
        path.includes("checkout.js") ? ["https://vault.invalid"] : [],
      );
    }
  });

  it("keeps card code out of the loader, which runs on merchants' pages", () => {
    const loader = read("api/assets/v1/checkout.js").toString();
    expect(loader).not.toMatch(/importKey|deriveBits|encryption-key|expMonth/);
  });
});

describe("the workers", () => {
  it("keep all card code in the vault", () => {
    const [api, vault] = [read("api/worker.js").toString(), read("vault/worker.js").toString()];
    for (const mark of ["tessera card v1", "wrapped_dek", "AES-GCM", "{{"]) {
      expect(vault, mark).toContain(mark);
      if (mark !== "AES-GCM") expect(api, mark).not.toContain(mark);
    }
    // jose brings AES-GCM for encrypted tokens; none of it may be for cards.
    expect(api).not.toMatch(/luhn|mastercard/i);
  });

  it("need nothing from Node", () => {
    for (const path of ["api/worker.js", "vault/worker.js"])
      expect(read(path).toString()).not.toMatch(/from ?"node:|require\("/);
  });
});

it("builds twice the same, and leaves nothing old behind", async () => {
  const before = [read("api/worker.js"), read("vault/worker.js"), cardFile(".js")];
  await Promise.all([buildEdge(out), buildEdge(out)]);
  expect([read("api/worker.js"), read("vault/worker.js"), cardFile(".js")]).toEqual(before);
  expect(readdirSync(join(out, "vault/assets/assets"))).toHaveLength(2);
});
