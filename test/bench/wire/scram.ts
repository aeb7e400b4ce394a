import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";

/**
 * The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) as Postgres speaks it: no channel binding, and the user's
 * name is left out, since the start-up message has said it.
 */
export type ScramClient = {
  readonly first: string;
  /** @throws if the server has not taken up our nonce */
  final(serverFirst: string): string;
  /** @throws if the server does not know the password either */
  verify(serverFinal: string): void;
};

const hmac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** @param user empty for Postgres */
export function scramClient(password: string, nonce: string, user = ""): ScramClient {
  const bare = `n=${user},r=${nonce}`;
  let signature: Buffer | null = null;
  return {
    first: `n,,${bare}`,
    final(serverFirst) {
      const { r: both = "", s: salt = "", i: iterations } = attributes(serverFirst);
      if (!both.startsWith(nonce) || both === nonce)
        throw new Error("the server's nonce is not ours continued");
      const salted = pbkdf2Sync(
        password.normalize("NFKC"),
        Buffer.from(salt, "base64"),
        Number(iterations),
        32,
        "sha256",
      );
      const withoutProof = `c=biws,r=${both}`;
      const message = `${bare},${serverFirst},${withoutProof}`;
      const clientKey = hmac(salted, "Client Key");
      const proof = hmac(createHash("sha256").update(clientKey).digest(), message);
      for (let at = 0; at < proof.length; at++) proof[at] = (proof[at] as number) ^ (clientKey[at] as number);
      signature = hmac(hmac(salted, "Server Key"), message);
      return `${withoutProof},p=${proof.toString("base64")}`;
    },
    verify(serverFinal) {
      const theirs = Buffer.from(attributes(serverFinal)["v"] ?? "", "base64");
      if (signature === null || theirs.length !== signature.length || !timingSafeEqual(theirs, signature))
        throw new Error("the server does not know the password");
    },
  };
}

/** `r=…,s=…,i=…` by letter. */
const attributes = (message: string): Readonly<Record<string, string>> =>
  Object.fromEntries(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
