import { createHash, createHmac } from "node:crypto";
import type { ProviderRequest } from "../../domain/operation.ts";
import type { ProviderAccount } from "../transport.ts";

export type AcquirerSettings = {
  /** Origin, without a slash at its end. */
  readonly baseUrl: string;
  readonly keyId: string;
  readonly secret: string;
  readonly now?: () => Date;
};

/** Where the acquirer is and who we are there: each request is signed when it is sent, so that a replay is not stale. */
export function acquirerAccount({
  baseUrl,
  keyId,
  secret,
  now = () => new Date(),
}: AcquirerSettings): ProviderAccount {
  return {
    baseUrl,
    contentType: "application/json",
    headers: (request, reference) => {
      const seconds = Math.floor(now().getTime() / 1000);
      const signature = createHmac("sha256", secret).update(signedText(seconds, request)).digest("hex");
      return {
        authorization: `TESSERA-HMAC key=${keyId}, t=${seconds}, v1=${signature}`,
        "idempotency-key": reference,
      };
    },
  };
}

/**
 * What is signed (docs/acquirer-api.md, "Transport"): time, place and a digest of the body without its card, which the vault
 * puts in on the way.
 */
function signedText(seconds: number, { method, path, body }: ProviderRequest): string {
  const digest = createHash("sha256")
    .update(body === null ? "" : withoutCard(body))
    .digest("hex");
  return `${seconds}.${method}.${path}.${digest}`;
}

function withoutCard(body: string): string {
  const { card: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return canonical(rest);
}

/** JSON with names sorted and no white space; our messages hold strings, booleans and objects of them. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}
