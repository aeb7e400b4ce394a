import type { WebhookAnswer, WebhookItem } from "../connectors/connector.ts";
import type { Operation, OperationKind } from "../domain/operation.ts";
import type { Payment } from "../domain/payment.ts";
import { believable, type DefiniteAnswer, isLive, recordReversal } from "../domain/records.ts";
import type { NotedNews } from "../sql/recovery-queue.ts";
import type { PaymentDeps } from "./deps.ts";
import { recordAnswer } from "./record.ts";
import { resume } from "./resume.ts";

/**
 * What providers tell by themselves. Phases for each item: 1 verify the signature (all of the delivery) | 2 find the
 * operation by our reference | 3 apply it: record the answer, or ask the provider | 4 note that it was taken.
 *
 * It may come twice, late and in any order: an operation is recorded once, whoever learns its outcome first. A crash before 4
 * makes the provider deliver it again, and 3 then changes nothing. News that contradicts what is recorded changes
 * nothing either: it is noted and said aloud, since a person must look.
 */
export type Delivery = {
  readonly provider: string;
  /** What follows the provider's name in the address: our reference, where the address was given with the payment. */
  readonly endpoint: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type Receipt = { readonly status: number; readonly body: string };

export type NewsDeps = PaymentDeps & {
  /** Secrets that sign each provider's deliveries, the current and former ones; by provider. */
  readonly webhookSecrets: Readonly<Record<string, readonly string[]>>;
};

const NOT_FOUND: Receipt = { status: 404, body: "no such webhook" };

export async function receiveNews(deps: NewsDeps, delivery: Delivery): Promise<Receipt> {
  const { provider, headers, body } = delivery;
  const connector = deps.providers.all.find(({ name }) => name === provider);
  if (connector === undefined || connector.webhooks === null) return NOT_FOUND;
  const read = connector.webhooks.read(headers, body, deps.webhookSecrets[provider] ?? [], deps.clock.now());
  if (!read.ok) {
    deps.log.warn({ provider, because: read.error }, "a webhook was refused");
    return { status: 401, body: "the signature does not hold" };
  }
  for (const item of read.value) {
    const outcome = await take(deps, delivery, item);
    deps.log.info({ provider, news: item.id, outcome }, "news taken");
  }
  return connector.webhooks.received;
}

/** What became of a piece of news, as it is noted. */
type Taken =
  | "recorded"
  | "asked"
  | "nothing_new"
  | "reversed"
  | "contradicts"
  | "unknown_reference"
  | "seen_before";

async function take(deps: NewsDeps, { provider, endpoint }: Delivery, item: WebhookItem): Promise<Taken> {
  const found = await subjectOf(deps, item.reference ?? endpoint);
  if (found === null || found.operation.provider !== provider) return "unknown_reference";
  const { payment, operation } = found;
  const outcome = await apply(deps, payment, operation, item);
  const news: NotedNews = {
    provider,
    id: item.id,
    merchant: payment.merchant,
    payment: payment.id,
    operation: operation.id,
    outcome,
  };
  if (outcome === "contradicts")
    deps.log.error(
      { provider, news: item.id, payment: payment.id, operation: operation.id },
      "a provider contradicts itself",
    );
  return (await deps.queue.noteNews(news)) ? outcome : "seen_before";
}

/** The operation that a reference names, and its payment. */
async function subjectOf(deps: NewsDeps, reference: string) {
  const found = await deps.queue.operationByReference(reference);
  return found === null ? null : deps.reads.operation(found.merchant, found.payment, found.operation);
}

async function apply(deps: NewsDeps, payment: Payment, named: Operation, item: WebhookItem): Promise<Taken> {
  const operation = await operationOf(deps, payment, named, item);
  if (operation === null) {
    await resume(deps, payment);
    return "asked";
  }
  const told = item.answer(operation, payment);
  switch (told.kind) {
    case "nothing":
    case "accepted":
      return "nothing_new";
    case "ask":
    case "unknown":
      await resume(deps, payment);
      return "asked";
    case "reversed":
      return reverse(deps, payment, operation, told, item);
    default:
      return record(deps, payment, operation, told, item);
  }
}

/**
 * The operation that an item is about: the one that it names, or else of its kind, by the provider's own id or since it is
 * the only one under way. Null: that cannot be told.
 */
async function operationOf(
  deps: NewsDeps,
  payment: Payment,
  named: Operation,
  item: WebhookItem,
): Promise<Operation | null> {
  const isSale = named.kind === "authorize" && payment.captureMethod === "automatic";
  // The capture of a sale has no operation of its own.
  if (item.kind === null || item.kind === toldAs(named) || (item.kind === "capture" && isSale)) return named;
  const all = await deps.reads.operations(payment.merchant, payment.id);
  // A provider whose attempt was passed on knows nothing of what the next one does.
  const kind = all.filter(
    (operation) => toldAs(operation) === item.kind && operation.provider === named.provider,
  );
  const own = kind.find(
    ({ providerOperation }) => providerOperation !== null && providerOperation === item.providerOperation,
  );
  if (own !== undefined) return own;
  const [only, ...others] = kind.filter(isLive);
  return only !== undefined && others.length === 0 ? only : null;
}

/** To a provider an expiry is a void that we ask for. */
const toldAs = ({ kind }: Operation): OperationKind => (kind === "expire" ? "void" : kind);

async function record(
  deps: NewsDeps,
  payment: Payment,
  operation: Operation,
  told: DefiniteAnswer,
  item: WebhookItem,
): Promise<Taken> {
  if (!isLive(operation)) return agrees(operation, told) ? "nothing_new" : "contradicts";
  const answer = believable(told, operation);
  if (answer.kind === "unknown" || answer.kind === "accepted") return "contradicts";
  const ended = await recordAnswer(deps, payment, operation, answer);
  // If other news has ended it meanwhile, this is news of an operation that has ended, which may mean another thing.
  return agrees(ended.operation, told) ? "recorded" : apply(deps, ended.payment, ended.operation, item);
}

/** Whether news says what is recorded already. */
function agrees({ state }: Operation, told: DefiniteAnswer): boolean {
  switch (told.kind) {
    case "done":
      return state === "succeeded" || state === "reversed";
    case "requires_action":
      return true; // It was so before it ended.
    case "declined":
    case "failed":
      return state === "declined" || state === "failed" || state === "reversed";
  }
}

const RACES = 20;

/** A refund that had succeeded came back. One that is still under way has simply failed. */
async function reverse(
  deps: NewsDeps,
  payment: Payment,
  operation: Operation,
  { decline }: Extract<WebhookAnswer, { kind: "reversed" }>,
  item: WebhookItem,
): Promise<Taken> {
  if (operation.kind !== "refund") return "contradicts";
  let current = { payment, operation };
  for (let race = 1; race <= RACES; race++) {
    if (isLive(current.operation))
      return record(deps, current.payment, current.operation, { kind: "failed", decline }, item);
    if (current.operation.state !== "succeeded") return "nothing_new";
    const recorded = recordReversal(current.payment, current.operation, decline, deps.clock.now());
    if (!recorded.ok) return "contradicts";
    const result = await deps.commit(recorded.value.commit);
    if (result.outcome === "applied" || result.outcome === "replayed") return "reversed";
    if (result.outcome !== "guard_failed")
      throw new Error(`invariant broken: a reversal was answered ${result.outcome}`);
    const reread = await deps.reads.operation(payment.merchant, payment.id, operation.id);
    if (reread === null) throw new Error("invariant broken: an operation does not vanish");
    current = reread;
  }
  throw new Error(`refund ${operation.id} could not be reversed: its payment keeps moving`);
}
