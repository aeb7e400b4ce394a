import { randomUUID } from "node:crypto";
import {
  IDENTITY_HEADER,
  type SigningKey,
  signIdentity,
  signingKey,
} from "../../subgraphs/kernel/identity.ts";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";

/** Well within the 30 s that the edge's word is valid. */
const KEPT_MS = 10_000;

/**
 * The edge's signed word, for requests that go to a region without the edge. The edge signs every request; here a
 * word is used for 10 s, so that the driver is not what is measured. The region verifies it every time.
 */
export async function openIdentities(edgeSigningKey: string) {
  const signer = await signingKey(JSON.parse(edgeSigningKey) as Parameters<typeof signingKey>[0]);
  const known = new Map<MerchantId, { readonly until: number; readonly headers: Promise<Headers> }>();
  return (merchant: MerchantId): Promise<Headers> => {
    const now = performance.now();
    const kept = known.get(merchant);
    if (kept !== undefined && kept.until > now) return kept.headers;
    const headers = sign(merchant, signer);
    known.set(merchant, { until: now + KEPT_MS, headers });
    return headers;
  };
}

type Headers = Readonly<Record<string, string>>;

async function sign(merchant: MerchantId, signer: SigningKey): Promise<Headers> {
  const identity = { merchant, scope: "secret", requestId: randomUUID(), ip: null, country: null } as const;
  return { [IDENTITY_HEADER]: await signIdentity(identity, signer, new Date()) };
}
