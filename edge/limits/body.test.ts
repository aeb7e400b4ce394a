import { describe, expect, it } from "vitest";
import { readLimited } from "./body.ts";

/** A body of chunks that notes how many were taken and whether it was cancelled. */
function bodyOf(chunks: number, bytes: number) {
  const seen = { taken: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (seen.taken === chunks) return controller.close();
        controller.enqueue(new Uint8Array(bytes).fill(seen.taken++));
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, body };
}

describe("readLimited", () => {
  it("gives a body that fits, in order", async () => {
    const read = await readLimited(bodyOf(4, 25).body, 100);
    expect(read.ok && [...read.value]).toEqual([0, 1, 2, 3].flatMap((n) => Array(25).fill(n)));
    expect(await readLimited(null, 100)).toEqual({ ok: true, value: new Uint8Array(0) });
  });

  it("refuses one byte too many", async () => {
    const read = await readLimited(bodyOf(101, 1).body, 100);
    expect(read).toEqual({ ok: false, error: { code: "PAYLOAD_TOO_LARGE" } });
  });

  it("stops reading an endless one", async () => {
    const { seen, body } = bodyOf(Number.POSITIVE_INFINITY, 64 * 1024);
    expect((await readLimited(body, 100)).ok).toBe(false);
    expect(seen.cancelled).toBe(true);
    expect(seen.taken).toBeLessThan(20);
  });
});
