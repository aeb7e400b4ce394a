import { createHash } from "node:crypto";
import type { Currency } from "../../subgraphs/kernel/currency.ts";
import type { MerchantId, PaymentId } from "../../subgraphs/kernel/ids.ts";
import { moneyOf } from "../../subgraphs/kernel/money.ts";
import { stateOf } from "../../subgraphs/payments/domain/payment.ts";
import { authorize } from "../../subgraphs/payments/flow/authorize.ts";
import { followUp } from "../../subgraphs/payments/flow/follow-up.ts";
import { receiveNews } from "../../subgraphs/payments/flow/news.ts";
import type { Outcome } from "../../subgraphs/payments/flow/outcome.ts";
import { resume } from "../../subgraphs/payments/flow/resume.ts";
import { WEBHOOK_SECRETS } from "../support/connectors.ts";
import type {
  AuthorizeCall,
  FollowUpCall,
  MoneyArgument,
  RegionCall,
  RegionSettings,
  Request,
  Response,
  Told,
} from "./protocol.ts";
import { openRegion, type SimulatedRegion } from "./region.ts";

/** A region's process: the payment flows, recovery and relay behind a channel to the runner, ready to be killed anywhere. */

function answer(response: Response): void {
  process.send?.(response, undefined, undefined, () => {});
}

const money = ({ minor, currency }: MoneyArgument) => moneyOf(minor, currency as Currency);

function told(outcome: Outcome): Told {
  const payment = "payment" in outcome ? outcome.payment : null;
  const operation = "operation" in outcome ? outcome.operation : null;
  const action = payment?.action ?? null;
  return {
    kind: outcome.kind,
    payment: payment && {
      id: payment.id,
      state: stateOf(payment),
      provider: payment.provider,
      providerPayment: payment.providerPayment,
      actionUrl: action?.type === "redirect" ? action.url : null,
    },
    operation: operation && { id: operation.id, kind: operation.kind, state: operation.state },
    declined: "decline" in outcome ? outcome.decline.code : null,
  };
}

async function authorizeFor({ deps }: SimulatedRegion, call: AuthorizeCall): Promise<Told> {
  const { merchant, key, amount, token, captureMethod } = call;
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([String(amount.minor), amount.currency, token, captureMethod]))
    .digest("hex");
  const outcome = await authorize(deps, {
    command: {
      merchant: merchant as MerchantId,
      key,
      amount: money(amount),
      source: { type: "token", token, customer: null, store: null },
      captureMethod,
      description: null,
      reference: key,
      payer: { ip: null, country: null, email: null },
      returnUrl: "https://shop.example/return",
      browser: null,
    },
    fingerprint,
    session: null,
  });
  if (outcome.kind === "session_moved") throw new Error("there is no session");
  return told(outcome);
}

async function followUpFor({ deps }: SimulatedRegion, call: FollowUpCall): Promise<Told> {
  const { kind, merchant, key, payment, amount, final } = call;
  const command = {
    merchant: merchant as MerchantId,
    key,
    payment: payment as PaymentId,
    amount: amount === null ? null : money(amount),
    final,
  };
  return told(await followUp(deps, kind, command));
}

let opened: SimulatedRegion | null = null;

async function perform(call: RegionCall): Promise<unknown> {
  if (call.call === "begin") {
    // Not before: what a process before this one has left is looked at when it is over.
    opened = await openRegion(settingsOf(process.env));
    return opened.begin();
  }
  const region = opened;
  if (region === null) throw new Error("the region has not begun");
  switch (call.call) {
    case "authorize":
      return authorizeFor(region, call);
    case "followUp":
      return followUpFor(region, call);
    case "news": {
      const { provider, endpoint, headers, body } = call;
      const secrets = Object.fromEntries(
        Object.entries(WEBHOOK_SECRETS).map(([name, secret]) => [name, [secret]]),
      );
      return receiveNews({ ...region.deps, webhookSecrets: secrets }, { provider, endpoint, headers, body });
    }
    case "resume": {
      const payment = await region.deps.reads.payment(call.merchant as MerchantId, call.payment as PaymentId);
      if (payment !== null) await resume(region.deps, payment);
      return null;
    }
    case "crashAt":
      return region.crashAt(call.point, call.nth);
    case "stop":
      return region.stop();
  }
}

function settingsOf(env: NodeJS.ProcessEnv): RegionSettings {
  const text = env["SIMULATED_REGION"];
  if (text === undefined) throw new Error("SIMULATED_REGION holds the region's settings");
  return JSON.parse(text) as RegionSettings;
}

process.on("message", (message: Request) => {
  const { id, call } = message;
  perform(call).then(
    (value) => answer({ id, ok: true, value }),
    (error: unknown) =>
      answer({
        id,
        ok: false,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
  );
});
// The runner is gone: so is this.
process.on("disconnect", () => process.exit(0));
answer({ ready: true });
