import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathOf, rootFromPath, rootOf } from "./merkle.ts";

const sha = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leafOf = (data: Uint8Array) => sha(Uint8Array.of(0), data);
const leaves = (n: number) => Array.from({ length: n }, (_, i) => sha(Buffer.from(`leaf ${i}`)));

/** RFC 9162, 2.1.1, as it is written. */
function specifiedRoot(of: readonly Buffer[]): Buffer {
  if (of.length === 1) return of[0] as Buffer;
  let k = 1;
  while (k * 2 < of.length) k *= 2;
  return sha(Uint8Array.of(1), specifiedRoot(of.slice(0, k)), specifiedRoot(of.slice(k)));
}

describe("a root", () => {
  it("is the one of RFC 6962, of whose reference tree of eight this is known", () => {
    const inputs = [
      "",
      "00",
      "10",
      "2021",
      "3031",
      "40414243",
      "5051525354555657",
      "606162636465666768696a6b6c6d6e6f",
    ];
    const hashed = inputs.map((hex) => leafOf(Buffer.from(hex, "hex")));
    const roots = hashed.map((_, i) => rootOf(hashed.slice(0, i + 1)).toString("hex"));
    expect(roots[0]).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    expect(roots[6]).toBe("ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c");
    expect(roots[7]).toBe("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  });

  it("splits a tree of any size at the largest power of two below it", () => {
    for (let n = 1; n <= 130; n++) expect(rootOf(leaves(n)), `${n}`).toEqual(specifiedRoot(leaves(n)));
  });

  it("leaves its leaves as they were", () => {
    const mine = leaves(7);
    rootOf(mine);
    expect(mine).toEqual(leaves(7));
  });

  it("is of a leaf at least, and of digests", () => {
    expect(() => rootOf([])).toThrow("a tree has a leaf");
    expect(() => rootOf([Buffer.alloc(31)])).toThrow("a leaf is a digest");
  });
});

const tree = fc.integer({ min: 1, max: 300 }).chain((n) => fc.tuple(fc.constant(n), fc.nat(n - 1)));

describe("a path", () => {
  it("leads from its leaf to the root, whatever the tree", () => {
    fc.assert(
      fc.property(tree, ([n, index]) => {
        const all = leaves(n);
        const path = pathOf(all, index);
        expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(n)));
        expect(rootFromPath(all[index] as Buffer, index, n, path)).toEqual(rootOf(all));
      }),
    );
  });

  it("leads nowhere near with another leaf, another place, another size or another length", () => {
    fc.assert(
      fc.property(tree, fc.nat(), ([n, index], where) => {
        const all = leaves(n);
        const leaf = all[index] as Buffer;
        const root = rootOf(all);
        const path = pathOf(all, index);
        const flipped = Buffer.from(leaf);
        flipped[where % 32] = (flipped[where % 32] as number) ^ (1 << (where % 8));
        expect(rootFromPath(flipped, index, n, path)).not.toEqual(root);
        expect(rootFromPath(leaf, index, n, [...path, leaf])).toBeNull();
        if (path.length > 0) expect(rootFromPath(leaf, index, n, path.slice(1))).toBeNull();
        for (const other of [index + 1, index - 1, index ^ 1, n, -1, 0.5, Number.NaN]) {
          if (other !== index) expect(rootFromPath(leaf, other, n, path), `${other}`).not.toEqual(root);
        }
      }),
    );
  });

  it("of the RFC's tree of seven goes as the RFC shows", () => {
    const all = leaves(7);
    const [a, b, c, d, e, f, j] = all as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    const node = (left: Buffer, right: Buffer) => sha(Uint8Array.of(1), left, right);
    const [g, h, i] = [node(a, b), node(c, d), node(e, f)];
    const k = node(g, h);
    const l = node(i, j);
    expect(pathOf(all, 0)).toEqual([b, h, l]);
    expect(pathOf(all, 3)).toEqual([c, g, l]);
    expect(pathOf(all, 4)).toEqual([f, j, k]);
    expect(pathOf(all, 6)).toEqual([i, k]);
  });
});
