import { answerBank, payByCard, pickOutcome } from "../sandbox/mollie/control-client.ts";
import type { PlannedPayment } from "./plan.ts";
import type { Told } from "./protocol.ts";
import type { Stage } from "./stage.ts";

/** A payer at a provider's page, or at the bank's. */

/** Does what the plan says, once; false if the payer does nothing. */
export async function payerActs(stage: Stage, planned: PlannedPayment, told: Told): Promise<boolean> {
  const { payment } = told;
  if (payment === null) return false;
  const { does, afterMs, comesBack } = planned.payer;
  if (does === "abandons") return false;
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  try {
    await act(stage, planned, payment, does);
  } catch {
    // The page cannot be reached, or has been closed meanwhile: so the payer has gone, too.
    return false;
  }
  stage.payersDone.set(payment.id, Date.now());
  const merchant = stage.merchants[planned.merchant] ?? "";
  // If that is lost, the provider's news or recovery will tell.
  if (comesBack) await stage.region.call({ call: "resume", merchant, payment: payment.id }).catch(() => {});
  return true;
}

async function act(
  stage: Stage,
  planned: PlannedPayment,
  { provider, providerPayment, actionUrl }: NonNullable<Told["payment"]>,
  does: "pays" | "fails",
): Promise<void> {
  const sandbox = stage.providers.get(provider);
  if (sandbox !== undefined && sandbox.authenticate !== null)
    return sandbox.authenticate(providerPayment ?? "", does === "pays" ? "succeed" : "fail");
  if (actionUrl === null) throw new Error(`${provider} asks the payer for something unknown`);
  if (does === "fails") {
    await pickOutcome(actionUrl, { outcome: "failed", failureReason: "insufficient_funds" });
    return;
  }
  const { payment, redirectTo } = await payByCard(actionUrl, { number: planned.card });
  if (payment.status === "open" && redirectTo !== null) await answerBank(redirectTo, "succeed");
}
