/**
 * Reads which messages go by on a Postgres connection (protocol 3.0, "Message Formats"), chunk by chunk, without
 * keeping them: a type byte, and a length that counts itself. Only the first message of a client has no type.
 */
export class FrameReader {
  readonly #onMessage: (type: string) => void;
  readonly #header = Buffer.alloc(5);
  #headerBytes = 0;
  /** Of the message that is going by. */
  #bytesLeft = 0;

  constructor(onMessage: (type: string) => void) {
    this.#onMessage = onMessage;
  }

  /** `from`: where in the chunk the typed messages begin. */
  push(chunk: Buffer, from = 0): void {
    let at = from;
    while (at < chunk.length) {
      if (this.#bytesLeft > 0) {
        const skipped = Math.min(this.#bytesLeft, chunk.length - at);
        this.#bytesLeft -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(this.#header.length - this.#headerBytes, chunk.length - at);
      chunk.copy(this.#header, this.#headerBytes, at, at + taken);
      this.#headerBytes += taken;
      at += taken;
      if (this.#headerBytes < this.#header.length) return;
      this.#headerBytes = 0;
      this.#bytesLeft = this.#header.readUInt32BE(1) - 4;
      this.#onMessage(String.fromCharCode(this.#header[0] as number));
    }
  }
}

/** The parameters of a start-up message, or null if the bytes are not (all of) one. */
export function readStartup(bytes: Buffer): { readonly length: number; readonly name: string } | null {
  if (bytes.length < 8) return null;
  const length = bytes.readUInt32BE(0);
  if (bytes.length < length) return null;
  const fields = bytes.toString("utf8", 8, length).split("\0");
  const at = fields.indexOf("application_name");
  return { length, name: (at >= 0 ? fields[at + 1] : undefined) ?? "unnamed" };
}
