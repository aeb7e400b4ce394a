import type { Operation, ProviderAnswer } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import type { LookupAnswer, WebhookItem } from "../connector.ts";
import type { ContractWorld } from "./world.ts";

/** An answer, or `undone`: the authorization was called off by the resolver's reversal. */
export type Ending = ProviderAnswer | { readonly kind: "undone" };

/**
 * How an unknown outcome is resolved: `ask` by news, look-ups and replays of the identical request, as recovery does; `replay`
 * and `look` by that alone until the provider has said that it knows the request; `reverse` by undoing an authorization.
 */
export type Way = "ask" | "replay" | "look" | "reverse";

/** The provider's answers are in by then, news included. */
const PATIENCE_MS = 6_000;
const PAUSE_MS = 25;

const isDefinite = ({ kind }: LookupAnswer): boolean =>
  kind === "done" || kind === "declined" || kind === "failed";

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/**
 * Follows an operation to its definite end by what the connector declares, as recovery does; the last answer if there is
 * none in time. `does`: what the payer does where the provider asks for them.
 */
export async function conclude(
  world: ContractWorld,
  payment: Payment,
  operation: Operation,
  first: ProviderAnswer,
  { way, does }: { readonly way: Way; readonly does: "pays" | "fails" },
): Promise<Ending> {
  let answer = first;
  let acted = false;
  /** Once the provider said that it has the request, it is not sent again. */
  let known = false;
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await pause()) {
    if (isDefinite(answer)) return answer;
    if (answer.kind === "requires_action" && !acted) {
      if (world.payer === null) return answer;
      await world.payer(answer.action, does);
      acted = true;
    }
    known ||= answer.kind === "requires_action" || answer.kind === "accepted";
    const asked = { payment: withProviderPayment(payment, answer), operation: withItsId(operation, answer) };
    if (way === "reverse" && !known) {
      if (await isReversed(world, asked.payment, operation)) return { kind: "undone" };
    } else {
      answer = (await learn(world, asked, known, known || way === "reverse" ? "ask" : way)) ?? answer;
    }
  }
  return answer;
}

/** A payment whose attempt the provider has named is told so, as the platform's record of it is. */
function withProviderPayment(payment: Payment, answer: ProviderAnswer): Payment {
  const named =
    answer.kind === "requires_action" || answer.kind === "accepted" ? answer.providerPayment : null;
  return named === null ? payment : { ...payment, providerPayment: named };
}

function withItsId(operation: Operation, answer: ProviderAnswer): Operation {
  if (answer.kind !== "accepted") return operation;
  return { ...operation, accepted: true, providerOperation: answer.providerOperation };
}

async function isReversed(world: ContractWorld, payment: Payment, operation: Operation): Promise<boolean> {
  const { connector, send } = world;
  const request = connector.resolver.reverse?.(operation, payment);
  if (request === undefined) throw new Error("the connector has no reversal");
  const response = await send(request, `${operation.reference}_r`);
  return connector.answer({ ...operation, kind: "void" }, payment, response, false).kind === "done";
}

/** News, then a look-up, then, while the key is known, the same request again. Null: nothing new. */
async function learn(
  world: ContractWorld,
  { payment, operation }: { readonly payment: Payment; readonly operation: Operation },
  known: boolean,
  way: Exclude<Way, "reverse">,
): Promise<ProviderAnswer | null> {
  const { connector, send } = world;
  const told = way === "ask" ? newsOf(world, operation, payment) : null;
  if (told !== null) return told;
  const lookup = way === "replay" ? null : connector.lookup(operation, payment);
  if (lookup !== null) {
    const seen = connector.found(operation, payment, await send(lookup, operation.reference));
    if (seen.kind !== "absent" && seen.kind !== "unknown") return seen;
  }
  if (known || way === "look" || operation.request === null || connector.resolver.idempotencyWindowMs === 0)
    return null;
  const again = connector.answer(
    operation,
    payment,
    await send(operation.request, operation.reference),
    false,
  );
  return again.kind === "unknown" ? null : again;
}

/** All that the provider has told so far, oldest first. Throws where the connector refuses a genuine delivery. */
export function allNews(world: ContractWorld): readonly WebhookItem[] {
  const { webhooks, connector } = world;
  if (webhooks === null || connector.webhooks === null) return [];
  return webhooks.deliveries().flatMap(({ headers, body }) => {
    const read = connector.webhooks?.read(headers, body, webhooks.secrets, new Date());
    if (read === undefined || !read.ok) throw new Error(`a genuine webhook was refused: ${read?.error}`);
    return read.value;
  });
}

/** Whether news is about the operation: by our reference, else by the provider's ids. */
export function isAbout(item: WebhookItem, operation: Operation, payment: Payment): boolean {
  if (item.reference !== null) return item.reference === operation.reference;
  if (item.providerOperation !== null && operation.providerOperation !== null)
    return item.providerOperation === operation.providerOperation;
  const samePayment = item.providerPayment !== null && item.providerPayment === payment.providerPayment;
  return samePayment && (item.kind === null || item.kind === operation.kind);
}

function newsOf(world: ContractWorld, operation: Operation, payment: Payment): ProviderAnswer | null {
  for (const item of allNews(world)) {
    if (!isAbout(item, operation, payment)) continue;
    const answer = item.answer(operation, payment);
    if (answer.kind === "done" || answer.kind === "declined" || answer.kind === "failed") return answer;
  }
  return null;
}
