import { createHash, createHmac } from "node:crypto";
import { homeOf, type MerchantId } from "../../kernel/ids.ts";

type Argument =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly Argument[]
  | { readonly [k: string]: Argument };

function canonical(value: Argument): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const entries = Object.entries(value as Record<string, Argument>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}

/** Lower-case hex SHA-256 of a command's arguments, whatever the order in which they were written. */
export function fingerprint(kind: string, args: { readonly [name: string]: Argument }): string {
  return createHash("sha256")
    .update(`${kind}\n${canonical(args)}`)
    .digest("hex");
}

/**
 * The reference that a provider knows an operation by: `ref_<region><shard>_…`, so that an inbound webhook
 * finds its shard, and an HMAC that nobody outside can foresee. Made once, in commit 1; afterwards only read.
 */
export function providerReference(
  secret: string,
  parts: {
    readonly merchant: MerchantId;
    readonly key: string;
    readonly operation: string;
    readonly attempt: number;
    readonly step: string;
  },
): string {
  const { region, shard } = homeOf(parts.merchant);
  const mac = createHmac("sha256", secret)
    .update(JSON.stringify([parts.merchant, parts.key, parts.operation, parts.attempt, parts.step]))
    .digest("hex")
    .slice(0, 40);
  const prefix = Buffer.from([region, shard]).toString("hex");
  return `ref_${prefix}_${mac}`;
}

const REFERENCE =
  /^(?:ref_[0-9a-f]{2}([0-9a-f]{2})_[0-9a-f]{40}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{10}([0-9a-f]{2}))$/;

/** The shard of a reference that we made, which may also be an operation's UUID; null of any other text. */
export function shardOfReference(reference: string): number | null {
  const [, ofReference, ofUuid] = REFERENCE.exec(reference) ?? [];
  const shard = ofReference ?? ofUuid;
  return shard === undefined ? null : Number.parseInt(shard, 16);
}
