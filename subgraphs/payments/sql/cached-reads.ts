import type { Logger } from "pino";
import { z } from "zod";
import { type CacheCounts, type Codec, createCache } from "../../cache/cache.ts";
import { createChangeFeed } from "../../cache/change-feed.ts";
import { changesInDatabase } from "../../cache/changes-in-database.ts";
import type { SharedTier } from "../../cache/shared-tier.ts";
import { connectAs, type DatabaseUrl } from "../../database/pool.ts";
import { type CustomerId, idFromUuid, type MerchantId, type PaymentMethodId } from "../../kernel/ids.ts";
import type { Commit, CommitResult } from "../../ledger/commit.ts";
import type { ApplyCommit } from "../../ledger/committer.ts";
import type { Card } from "../domain/payment.ts";
import type { Mandate, StoredMethod } from "../domain/stored-method.ts";
import type { PaymentReads } from "./reads.ts";

/**
 * Reads of payments in which stored cards come from a cache. A card that was removed may be seen as active for about a
 * second in another process; paying with it is refused at once everywhere, since commit 1 reads its status itself
 * (`requires` in domain/claims.ts).
 */
export type CachedReads = {
  readonly reads: PaymentReads;
  /** The committer, after whose commits this process forgets the stored card that they have changed, or found removed. */
  readonly dropping: (commit: ApplyCommit) => ApplyCommit;
  /** What the cache of stored cards did; for metrics. */
  readonly counts: () => CacheCounts;
  readonly close: () => Promise<void>;
};

const METHOD_TTL_MS = 60 * 60_000;
const METHODS_IN_MEMORY = { entries: 20_000, bytes: 32 * 1024 * 1024 };
const ABSENT_METHODS = { ttlMs: 5_000, entries: 2_000 };

export function createCachedReads(options: {
  readonly reads: PaymentReads;
  readonly url: DatabaseUrl;
  /** The region's Redis, if it has one. */
  readonly shared: SharedTier | null;
  readonly log?: Logger;
  /** How often changes are asked for. */
  readonly pollMs?: number;
}): CachedReads {
  const { reads, url, shared, log, pollMs } = options;
  const changes = connectAs("tessera_payments", url, { connections: 1 });
  const methods = createCache<StoredMethod>({
    name: "payment method",
    codec: methodCodec,
    ttlMs: METHOD_TTL_MS,
    memory: METHODS_IN_MEMORY,
    absence: ABSENT_METHODS,
    shared,
    // The payment that stores it makes it active without telling anybody.
    keeps: ({ status }) => status !== "pending",
    isCurrent: () => feed.isCurrent(),
  });
  const feed = createChangeFeed({
    ...changesInDatabase(changes, "methods", METHOD_TTL_MS),
    onChange: ({ merchant, id }) => void methods.drop(idFromUuid("mer", merchant), idFromUuid("pm", id)),
    onTooMany: () => methods.dropAll(),
    log,
    ...(pollMs === undefined ? {} : { pollMs }),
  });
  feed.start();

  async function dropAfter(value: Commit, commit: ApplyCommit): Promise<CommitResult> {
    const { merchant, method, requires } = value;
    try {
      const result = await commit(value);
      // What was read here had been removed elsewhere.
      const used = requires?.method;
      if (used !== undefined && result.outcome === "guard_failed" && result.guard === "payment_method")
        void methods.drop(merchant, used);
      return result;
    } finally {
      // Whatever was answered: a commit whose answer was lost may have happened.
      if (method !== undefined && "update" in method)
        void methods.drop(merchant, idFromUuid("pm", method.update["id"] as string));
    }
  }

  return {
    reads: {
      ...reads,
      method: (merchant, id) => methods.get(merchant, id, () => reads.method(merchant, id)),
    },
    // Of the commits nearly none is about a stored card: the others cost nothing more.
    dropping: (commit) => (value) =>
      value.method === undefined && value.requires?.method === undefined
        ? commit(value)
        : dropAfter(value, commit),
    counts: () => methods.counts(),
    async close() {
      await feed.stop();
      await changes.end({ timeout: 2 });
    },
  };
}

/** Forms name every member of their type, optional ones too: one that is added there is missing here. */
type FormOf<T> = Readonly<Record<keyof T, z.ZodType>>;

const cardForm = z.strictObject({
  token: z.string(),
  brand: z.string(),
  bin: z.string(),
  last4: z.string(),
  expMonth: z.int(),
  expYear: z.int(),
  fingerprint: z.string(),
} satisfies FormOf<Card>);
const mandateForm = z.strictObject({
  reason: z.enum(["on_demand", "recurring", "installment", "unscheduled"]),
  acceptedAt: z.string(),
  ip: z.string().nullable(),
  amount: z.strictObject({ minor: z.string(), currency: z.string() }).exactOptional(),
} satisfies FormOf<Mandate>);
const methodForm = z.strictObject({
  id: z.string(),
  merchant: z.string(),
  customer: z.string(),
  status: z.enum(["active", "removed"]),
  card: cardForm,
  mandate: mandateForm,
  networkTransactionId: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
} satisfies FormOf<StoredMethod>);

const methodCodec: Codec<StoredMethod> = {
  version: 1,
  encode: (method) => JSON.stringify(method),
  decode(text) {
    const { id, merchant, customer, createdAt, updatedAt, ...method } = methodForm.parse(JSON.parse(text));
    return {
      ...method,
      id: id as PaymentMethodId,
      merchant: merchant as MerchantId,
      customer: customer as CustomerId,
      createdAt: new Date(createdAt),
      updatedAt: new Date(updatedAt),
    };
  },
};
