import { payerActs } from "./payer.ts";
import type { PlannedPayment, Step } from "./plan.ts";
import type { RegionCall, Told } from "./protocol.ts";
import { RegionDied } from "./region-link.ts";
import type { Stage } from "./stage.ts";

/** A merchant's server: it asks as planned, repeats what was not answered under the same key, and reads what it is told. */

const RETRY_MS = 250;
const POLL_MS = 500;

/** Plays one planned payment to its end, as far as the merchant has any part in it. */
export async function playPayment(stage: Stage, planned: PlannedPayment): Promise<void> {
  const token = stage.vault.tokenize(planned.card);
  const [authorization, ...following] = planned.steps;
  if (authorization === undefined) return;
  const authorized = await playStep(stage, planned, 0, authorization, (amount) =>
    authorizeCall(stage, planned, authorization, token, amount),
  );
  const id = authorized?.payment?.id;
  if (id === undefined || authorized?.kind !== "succeeded") return;
  const beside: Promise<unknown>[] = [];
  for (const [index, step] of following.entries()) {
    await pause(step.pauseMs);
    const call: CallOf = (amount, key = step.key) =>
      followUpCall(stage, planned, { ...step, key }, id, amount);
    const played = playStep(stage, planned, index + 1, step, call);
    if (step.twist === "beside_next") beside.push(played);
    else await played;
  }
  await Promise.all(beside);
}

type CallOf = (amount: number | null, key?: string) => RegionCall;

async function playStep(
  stage: Stage,
  planned: PlannedPayment,
  index: number,
  step: Step,
  call: CallOf,
): Promise<Told | null> {
  const asked = call(step.amount);
  const rivalKey = `${step.key}-rival`;
  const [first, twin, rival] = await Promise.all([
    ask(stage, planned, asked),
    step.twist === "at_once" ? ask(stage, planned, asked) : null,
    step.twist === "rivals" ? ask(stage, planned, call(step.amount, rivalKey)) : null,
  ]);
  if (first === null) return null;
  const answered = (told: Told, key = step.key) => {
    stage.answers.push({
      payment: planned.index,
      step: index,
      merchant: stage.merchants[planned.merchant] ?? "",
      key,
      told,
    });
  };
  answered(first);
  if (rival !== null) answered(rival, rivalKey);
  if (twin !== null) {
    answered(twin);
    mustBeTheSame(stage, planned, step, first, twin);
  }
  if (step.twist === "repeated") {
    const again = await ask(stage, planned, asked);
    if (again !== null) mustBeTheSame(stage, planned, step, first, again);
  }
  // Where nothing was claimed, the key is still free.
  if (step.twist === "other_arguments" && first.operation !== null) {
    const other = await ask(stage, planned, call((step.amount ?? planned.amount) + 1));
    if (other !== null && other.kind !== "key_reused")
      stage.problems.add(
        "key reused",
        `${step.key} was taken with another amount: ${other.kind}`,
        planned.index,
      );
  }
  return first;
}

/** Both tell of one operation; and where both tell its end, of one end. */
function mustBeTheSame(stage: Stage, planned: PlannedPayment, step: Step, first: Told, again: Told): void {
  if (first.operation === null || again.operation === null) return;
  const ended = ({ kind }: Told) => kind !== "pending" && kind !== "requires_action";
  // Between the two answers a refund may have come back.
  const cameBack = first.operation.state === "reversed" || again.operation.state === "reversed";
  const sameEnd = !ended(first) || !ended(again) || first.kind === again.kind || cameBack;
  if (first.payment?.id === again.payment?.id && sameEnd) return;
  const say = ({ kind, payment, operation }: Told) => `${kind} ${payment?.id} ${operation?.id}`;
  stage.problems.add("repeated key", `${step.key}: ${say(first)}, then ${say(again)}`, planned.index);
}

/** Asks until it is told an end, or is tired of asking; null if it was told nothing at all. */
async function ask(stage: Stage, planned: PlannedPayment, call: RegionCall): Promise<Told | null> {
  const until = Date.now() + stage.patienceMs;
  let last: Told | null = null;
  let acted = false;
  do {
    const told = await once(stage, planned, call);
    last = told ?? last;
    switch (told?.kind) {
      case undefined:
      case "overloaded":
      case "unavailable":
        await pause(RETRY_MS);
        break;
      case "pending":
        await pause(POLL_MS);
        break;
      case "requires_action":
        if (!acted && !(await payerActs(stage, planned, told))) return told;
        acted = true;
        await pause(POLL_MS);
        break;
      default:
        return told;
    }
  } while (Date.now() < until);
  return last;
}

/** What a request may fail of: its connection to the database broke, or had to wait too long. */
const OF_THE_DATABASE =
  /ECONNRESET|EPIPE|CONNECTION_(CLOSED|ENDED|DESTROYED)|CONNECT_TIMEOUT|terminating connection|statement timeout/;

async function once(stage: Stage, planned: PlannedPayment, call: RegionCall): Promise<Told | null> {
  try {
    return await stage.region.command(call);
  } catch (error) {
    if (!(error instanceof RegionDied)) {
      const [line = ""] = String((error as Error).message).split("\n");
      stage.faults.set(line, (stage.faults.get(line) ?? 0) + 1);
      if (!OF_THE_DATABASE.test(line)) stage.problems.add("region's fault", line, planned.index);
    }
    return null;
  }
}

function authorizeCall(
  stage: Stage,
  { merchant, currency, captureMethod }: PlannedPayment,
  { key }: Step,
  token: string,
  amount: number | null,
): RegionCall {
  return {
    call: "authorize",
    merchant: stage.merchants[merchant] ?? "",
    key,
    amount: { minor: BigInt(amount ?? 0), currency },
    token,
    captureMethod,
  };
}

function followUpCall(
  stage: Stage,
  { merchant, currency }: PlannedPayment,
  { does, key, final }: Step,
  payment: string,
  amount: number | null,
): RegionCall {
  if (does === "authorize") throw new Error("a payment is authorized once");
  return {
    call: "followUp",
    kind: does,
    merchant: stage.merchants[merchant] ?? "",
    key,
    payment,
    amount: amount === null || does === "void" ? null : { minor: BigInt(amount), currency },
    final,
  };
}

export const pause = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
