import { err, ok, type Result } from "../../subgraphs/kernel/result.ts";

export type TooLarge = { readonly code: "PAYLOAD_TOO_LARGE" };

/** How much of a body that is too large is read and thrown away, so that its sender gets to read the answer. */
const DRAINED_BYTES = 1024 * 1024;

/**
 * Reads a body of at most `maxBytes`, counting what really arrives: `content-length` may be missing or a lie.
 * From the first byte too many nothing is kept; a little more is read, since a client that is still sending when
 * the connection closes sees a broken connection instead of the refusal.
 */
export async function readLimited(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Result<Uint8Array<ArrayBuffer>, TooLarge>> {
  if (body === null) return ok(new Uint8Array(0));
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length <= maxBytes) chunks.push(value);
    else chunks.length = 0;
    if (length > maxBytes + DRAINED_BYTES) {
      await reader.cancel();
      break;
    }
  }
  if (length > maxBytes) return err({ code: "PAYLOAD_TOO_LARGE" });
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return ok(bytes);
}
