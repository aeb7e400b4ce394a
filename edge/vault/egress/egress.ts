import { err, ok, type Result } from "../../../subgraphs/kernel/result.ts";
import { logFault } from "../../http/log.ts";
import { readLimited } from "../../limits/body.ts";
import type { VaultContext, VaultStep } from "../app.ts";
import { refusal, type VaultErrorCode } from "../errors.ts";
import { type CardOnFile, openCard, openCvc } from "../seal/envelope.ts";
import { callingMerchant } from "../steps.ts";
import { shardFor } from "../storage/shards.ts";
import { parseToken, type Token } from "../tokens/token.ts";
import { destinationOf, type Placeholder } from "./allow-list.ts";
import { type ParsedBody, parseBody } from "./body.ts";
import { mentionsNumber } from "./card-number.ts";
import {
  EGRESS_OUTCOME_HEADER,
  EGRESS_REFERENCE_HEADER,
  EGRESS_TOKEN_HEADER,
  EGRESS_URL_HEADER,
  headersToProvider,
} from "./headers.ts";
import { mentionsPlaceholder, planSwap, type SwapPlan } from "./placeholders.ts";
import { type ProviderRequest, sendToProvider } from "./send.ts";

const MAX_BODY_BYTES = 64 * 1024;

type Refused = { readonly code: VaultErrorCode };

/** A request that passed every rule which needs no card. */
type Approved = {
  readonly merchant: string;
  readonly token: Token;
  readonly reference: string;
  readonly url: URL;
  readonly headers: [string, string][];
  readonly body: ParsedBody;
  readonly plan: SwapPlan;
};

/**
 * `POST /v1/egress`: sends a region's request to a provider with the card in it.
 *
 * Phases: 1 who asks, where to, which fields | 2 the card, and the CVC bound to this reference | 3 swap and send.
 * Until 3 every refusal says `tessera-egress: refused`: nothing was sent. From 3 on the answer is `forwarded`, or
 * `failed` and the provider may have acted. A crash in 3 loses the answer, not the binding of the CVC, so the
 * region can have the identical request sent again under the same reference.
 */
export async function egress(c: VaultContext): Promise<Response> {
  const prepared = await prepare(c);
  if (!prepared.ok) return refusal(prepared.error, { [EGRESS_OUTCOME_HEADER]: "refused" });
  const { request, cardNumber } = prepared.value;
  const sent = await sendToProvider(request, cardNumber, c.get("settings").egress.timeoutMs);
  if (!sent.ok) return refusal(sent.error, { [EGRESS_OUTCOME_HEADER]: "failed" });
  sent.value.headers.set(EGRESS_OUTCOME_HEADER, "forwarded");
  return sent.value;
}

/**
 * Sees to it that every answer says what happened, also those given before `egress` is reached (nothing was
 * sent) and for an exception nobody foresaw (it may have been).
 */
export const sayWhatHappened: VaultStep = async (c, next) => {
  await next();
  if (c.res.headers.has(EGRESS_OUTCOME_HEADER)) return;
  c.res.headers.set(EGRESS_OUTCOME_HEADER, c.error === undefined ? "refused" : "failed");
};

/** Phases 1 and 2. What throws in them was not sent either, and is answered so. */
async function prepare(
  c: VaultContext,
): Promise<Result<{ request: ProviderRequest; cardNumber: string }, Refused>> {
  try {
    const approved = await approve(c);
    return approved.ok ? await fill(c, approved.value) : approved;
  } catch (error) {
    logFault("vault.egress_preparation", error, { requestId: c.get("requestId") });
    return err({ code: "UNAVAILABLE" });
  }
}

async function approve(c: VaultContext): Promise<Result<Approved, Refused>> {
  const merchant = await callingMerchant(c);
  if (merchant === null) return err({ code: "UNAUTHENTICATED" });

  const reference = c.req.header(EGRESS_REFERENCE_HEADER) ?? "";
  if (!/^[\x21-\x7e]{1,255}$/.test(reference)) return err({ code: "INVALID_REFERENCE" });
  const target = destinationOf(c.get("settings").egress.allow, c.req.header(EGRESS_URL_HEADER) ?? "");
  if (!target.ok) return target;

  const read = await readLimited(c.req.raw.body, MAX_BODY_BYTES);
  if (!read.ok) return read;
  const parsed = parseBody(c.req.header("content-type"), read.value);
  if (!parsed.ok) return parsed;
  const body = parsed.value;
  const plan = planSwap(body, target.value.destination);
  if (!plan.ok) return plan;
  const headers = headersToProvider(c.req.raw.headers);
  if (headers.some(([, value]) => mentionsPlaceholder(value))) return err({ code: "FIELD_NOT_ALLOWED" });

  // A token that could not exist answers as one that does not.
  const token = parseToken(c.req.header(EGRESS_TOKEN_HEADER));
  if (token === null) return err({ code: "UNKNOWN_TOKEN" });
  return ok({ merchant, token, reference, url: target.value.url, headers, body, plan: plan.value });
}

/** Phase 2, and the only place where a stored card is plaintext: it goes into the request's body and nowhere else. */
async function fill(
  c: VaultContext,
  approved: Approved,
): Promise<Result<{ request: ProviderRequest; cardNumber: string }, Refused>> {
  const { merchant, token, reference, url, headers, body, plan } = approved;
  const stored = await shardFor(c.env, token).find(token, merchant, reference, Date.now());
  if (stored === null) return err({ code: "UNKNOWN_TOKEN" });
  const card = await openCard(stored, { token, merchant }, c.get("settings").keks);
  if (card === null) return err({ code: "CARD_UNREADABLE" });

  const written = [url.href, ...headers.flat(), ...body.names, ...body.fields.map(({ value }) => value)];
  if (written.some((text) => mentionsNumber(text, card.number))) return err({ code: "CARD_DATA_MISPLACED" });

  // Last, so that a request refused for another reason does not bind the CVC to a reference that never went out.
  const cvc = plan.includes("card.cvc") ? await claimCvc(c, approved) : "";
  if (cvc === null) return err({ code: "CVC_UNAVAILABLE" });
  const values = body.fields.map(({ value }, at) => valueOf(plan[at] ?? null, card, cvc) ?? value);
  return ok({ request: { url, headers, body: body.write(values) }, cardNumber: card.number });
}

/** The CVC, once it is durably bound to this reference: the shard answers only after the write is safe. */
async function claimCvc(c: VaultContext, { token, merchant, reference }: Approved): Promise<string | null> {
  const claimed = await shardFor(c.env, token).claimCvc(token, merchant, reference, Date.now());
  return claimed === null ? null : openCvc(claimed, { token, merchant }, c.get("settings").cvcKeys);
}

function valueOf(placeholder: Placeholder | null, card: CardOnFile, cvc: string): string | null {
  if (placeholder === null) return null;
  const [month, year] = [String(card.expMonth), String(card.expYear)];
  const values: Record<Placeholder, string> = {
    "card.number": card.number,
    "card.exp_month": month,
    "card.exp_mm": month.padStart(2, "0"),
    "card.exp_year": year,
    "card.exp_yymm": year.slice(-2) + month.padStart(2, "0"),
    "card.cvc": cvc,
  };
  return values[placeholder];
}
