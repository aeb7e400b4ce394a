import { ok } from "../../subgraphs/kernel/result.ts";
import type { WebhookAnswer, WebhookItem } from "../../subgraphs/payments/connectors/connector.ts";
import { declineOf } from "../../subgraphs/payments/domain/decline.ts";
import type { Operation } from "../../subgraphs/payments/domain/operation.ts";
import type { Payment } from "../../subgraphs/payments/domain/payment.ts";
import type { PaymentDeps } from "../../subgraphs/payments/flow/deps.ts";
import type { Receipt } from "../../subgraphs/payments/flow/news.ts";
import { createRouter } from "../../subgraphs/payments/routing/create-router.ts";
import { createProviders } from "../../subgraphs/payments/routing/router.ts";
import { refuseNext } from "./attempt-steps.ts";
import type { ProviderName } from "./connectors.ts";
import { inOrder, keptLog, paymentOf, tell } from "./payment-steps.ts";
import { ALWAYS_CLOSED, authorizeAs, authorizeCommand } from "./payments.ts";
import type { ProviderProcesses } from "./provider-processes.ts";

/** News as a test words it, where no sandbox would say such a thing; everything after its reading is real. */
export type ScriptedNews = {
  /** What the process logged since. */
  readonly said: readonly { readonly level: string; readonly msg: string }[];
  /** Delivers it; `endpoint` is what follows the provider's name in the address. */
  hear(endpoint?: string): Promise<Receipt>;
};

let written = 0;

export function scriptedNews(
  { at }: ProviderProcesses,
  provider: ProviderName,
  item: Partial<WebhookItem>,
): ScriptedNews {
  const { log, said } = keptLog();
  const whole: WebhookItem = {
    id: `scripted-${++written}`,
    reference: null,
    providerPayment: null,
    providerOperation: null,
    kind: null,
    at: null,
    answer: () => ({ kind: "nothing" }),
    ...item,
  };
  const webhooks = { read: () => ok([whole]), received: { status: 200, body: "" } };
  const base = at(provider);
  const all = base.providers.all.map((one) => (one.name === provider ? { ...one, webhooks } : one));
  const deps: PaymentDeps = { ...base, providers: createProviders(all), log };
  const delivery = { provider, headers: {}, body: new Uint8Array() };
  return { said, hear: (endpoint = "") => tell(deps, { ...delivery, endpoint }) };
}

/** What was said as an error. */
export const loud = (said: ScriptedNews["said"]): string[] =>
  said.filter(({ level }) => level === "error").map(({ msg }) => msg);

/** Words for news: it was done as asked, it was not, it came undone. */
export const done = (operation: Operation, payment: Payment): WebhookAnswer => ({
  kind: "done",
  providerPayment: payment.providerPayment ?? "told",
  captured: false,
  amount: operation.amount,
  expiresAt: null,
});
export const failed = (): WebhookAnswer => ({ kind: "failed", decline: declineOf("provider_refused") });
export const cameBack = (): WebhookAnswer => ({ kind: "reversed", decline: declineOf("refund_returned") });

/** A payment that Adyen refused and the acquirer then authorized. */
export async function passedOn({ world, at, merchant }: ProviderProcesses): Promise<Payment> {
  await refuseNext(world, "adyen");
  const rules = inOrder("adyen", "acquirer");
  const router = createRouter(world.deps.providers, { ...ALWAYS_CLOSED, rules });
  const command = authorizeCommand(merchant, world.vault.tokenize());
  return paymentOf(authorizeAs({ ...at("adyen"), router }, command));
}
