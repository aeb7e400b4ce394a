import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { createTestHarness } from "wrangler";
import { type Outcome, runVectors, type Vectors } from "../../testing/wycheproof.ts";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const DATA = file("../../../../shared/data/wycheproof/");
const present = existsSync(DATA);
if (!present) console.warn("Wycheproof vectors are not here (../shared/data/wycheproof): SKIPPED");

describe.skipIf(!present)("Wycheproof", () => {
  const read = (name: string) => JSON.parse(readFileSync(DATA + name, "utf8"));
  const vectors = (): Vectors => ({
    ecdh: read("ecdh_secp256r1_webcrypto_test.json"),
    hkdf: read("hkdf_sha256_test.json"),
    aesGcm: read("aes_gcm_test.json"),
  });
  const allRight = {
    ecdh: { run: 353, wrong: [] },
    hkdf: { run: 86, wrong: [] },
    aesGcm: { run: 316, wrong: [] },
  };
  const harness = createTestHarness({
    workers: [
      {
        config: {
          name: "wycheproof",
          main: file("../../testing/wycheproof-worker.ts"),
          compatibility_date: "2026-11-01",
        },
      },
    ],
  });
  afterAll(() => harness.close());

  it("comes out right in Node", async () => {
    expect(await runVectors(vectors())).toEqual(allRight);
  });

  it("comes out right in workerd", async () => {
    await harness.listen();
    const answer = await harness.fetch("/", { method: "POST", body: JSON.stringify(vectors()) });
    expect((await answer.json()) as Record<string, Outcome>).toEqual(allRight);
  });
});
