import { randomBytes } from "node:crypto";
import { expect, vi } from "vitest";
import { newId } from "../../../kernel/ids.ts";
import { basisPoints } from "../../../kernel/money.ts";
import type { Operation, OperationKind, ProviderAnswer, ProviderRequest } from "../../domain/operation.ts";
import { apply, type Card, type Payment, type PaymentEvent } from "../../domain/payment.ts";
import { AT, HOME, sampleOperation, samplePayment, sampleTerms } from "../../domain/samples.ts";
import type { AuthorizeOptions } from "../connector.ts";
import { conclude, type Ending, type Way } from "./conclude.ts";
import type { ContractBook, ContractWorld } from "./world.ts";

/** What was asked, what was answered at once, and how it ended. */
export type Told = { readonly operation: Operation; readonly first: ProviderAnswer; readonly last: Ending };

/** A provider reference as the platform makes them. */
export const newReference = (): string => `ref_0107_${randomBytes(20).toString("hex")}`;

export function authorizeOptions(
  world: ContractWorld,
  overrides: Partial<AuthorizeOptions> = {},
): AuthorizeOptions {
  return {
    reference: newReference(),
    cvcAvailable: true,
    authentication: null,
    exemption: null,
    stored: null,
    returnUrl: "https://shop.example/return",
    webhookUrl: world.webhooks?.url ?? null,
    payer: { ip: "192.0.2.7", country: "NL", email: "payer@shop.example" },
    ...overrides,
  };
}

const SOME_CARD = sampleTerms().card;

/** A payment of 100.00 whose authorization is about to be asked for. Without a card the provider asks for it itself. */
export function newPayment(
  world: ContractWorld,
  overrides: Partial<Payment> = {},
  card?: Card | null,
): Payment {
  const paysWith = card ?? world.card("approved") ?? SOME_CARD;
  const captureMethod = world.connector.capabilities.manualCapture ? "manual" : "automatic";
  return samplePayment(
    { provider: world.connector.name, terms: sampleTerms({ card: paysWith }), captureMethod, ...overrides },
    10_000n,
    world.currency ?? "EUR",
  );
}

/**
 * One payment's life at the provider, told as the platform does it: requests are built from the payment before the
 * claim, answers are read with the payment after it, and only what a definite answer says changes the payment.
 */
export class Story {
  readonly world: ContractWorld;
  /** Of the authorization. */
  readonly reference: string;
  /** Of all its operations. */
  readonly references: string[] = [];
  payment: Payment;
  /** Whether each request is sent a second time before the first is answered. */
  sendTwice = false;
  /** How unknown outcomes are resolved. */
  way: Way;
  readonly #options: AuthorizeOptions;

  constructor(
    world: ContractWorld,
    start: {
      payment?: Partial<Payment>;
      card?: Card | null;
      options?: Partial<AuthorizeOptions>;
      way?: Way;
    } = {},
  ) {
    this.world = world;
    this.payment = newPayment(world, start.payment, start.card);
    this.#options = authorizeOptions(world, start.options);
    this.reference = this.#options.reference;
    this.way = start.way ?? "ask";
  }

  /** The book's totals, what is still held of the authorization, and what the merchant has of it. */
  async book(): Promise<ContractBook & { readonly held: bigint; readonly net: bigint }> {
    const book = await this.world.book(this.reference);
    const { authorized, captured, released, refunded } = book;
    return { ...book, held: authorized - captured - released, net: captured - refunded };
  }

  /** The book shows this, at the latest when what is on its way at the provider has arrived. */
  async agrees(totals: object): Promise<void> {
    await vi.waitFor(async () => expect(await this.book()).toMatchObject(totals), {
      timeout: 3_000,
      interval: 25,
    });
  }

  async authorize(does: "pays" | "fails" = "pays"): Promise<Told> {
    const request = this.world.connector.authorize(this.payment, this.#options);
    const operation = this.#operation("authorize", this.payment.amount.minor, this.reference, request);
    const told = await this.#perform(operation, does);
    this.#settle(told);
    return told;
  }

  async increment(amount: bigint): Promise<Told> {
    const reference = newReference();
    const total = this.payment.authorized + amount;
    const request = this.world.connector.increment(this.payment, { amount, total, reference });
    return this.#followUp("increment", amount, reference, request, { type: "increment_claimed", amount });
  }

  async capture(amount: bigint, final = true): Promise<Told> {
    const reference = newReference();
    const request = this.world.connector.capture(this.payment, { amount, final, reference });
    return this.#followUp(
      "capture",
      amount,
      reference,
      request,
      { type: "capture_claimed", amount, final, over: final },
      final,
    );
  }

  async void(): Promise<Told> {
    const reference = newReference();
    const amount = this.payment.authorized - this.payment.captured;
    const request = this.world.connector.void(this.payment, { reference });
    return this.#followUp("void", amount, reference, request, { type: "void_claimed" });
  }

  async refund(amount: bigint): Promise<Told> {
    const reference = newReference();
    const request = this.world.connector.refund(this.payment, { amount, reference });
    return this.#followUp("refund", amount, reference, request, { type: "refund_claimed", amount });
  }

  #operation(
    kind: OperationKind,
    amount: bigint,
    reference: string,
    request: ProviderRequest,
    final = false,
  ): Operation {
    const { payment } = this;
    const at = new Date();
    this.references.push(reference);
    return sampleOperation(payment, {
      kind,
      amount,
      reference,
      request,
      final,
      claimedAt: at,
      lastSentAt: at,
    });
  }

  async #followUp(
    kind: OperationKind,
    amount: bigint,
    reference: string,
    request: ProviderRequest,
    claim: PaymentEvent,
    final = false,
  ): Promise<Told> {
    const operation = this.#operation(kind, amount, reference, request, final);
    this.#apply(claim);
    const told = await this.#perform(operation, "pays");
    this.#settle(told);
    return told;
  }

  async #perform(operation: Operation, does: "pays" | "fails"): Promise<Told> {
    const { world, payment } = this;
    if (operation.request === null) throw new Error("an operation of a story has its request");
    const sent = world.send(operation.request, operation.reference);
    if (this.sendTwice) await world.send(operation.request, operation.reference);
    const response = await sent;
    const first = world.connector.answer(operation, payment, response, true);
    const last = await conclude(world, payment, operation, first, { way: this.way, does });
    return { operation, first, last };
  }

  #apply(event: PaymentEvent): void {
    const next = apply(this.payment, event, new Date());
    if (!next.ok) throw new Error(`the story cannot go on: ${JSON.stringify(next.error, String)}`);
    this.payment = next.value;
  }

  #settle({ operation, last }: Told): void {
    if (last.kind === "done") {
      const bps = this.world.connector.capabilities.overCaptureBps[this.payment.terms.card.brand] ?? 0;
      this.#apply(success(operation, last, this.payment, bps));
    } else if (last.kind === "declined" || last.kind === "failed" || last.kind === "undone") {
      const failure = failed(operation);
      if (failure !== null) this.#apply(failure);
    }
  }
}

function success(
  operation: Operation,
  { providerPayment, captured, expiresAt }: Extract<Ending, { kind: "done" }>,
  payment: Payment,
  overCaptureBps: number,
): PaymentEvent {
  const { kind, amount, final } = operation;
  const transfer = newId("trf", HOME, AT);
  const overCapturable = basisPoints(payment.authorized + amount, overCaptureBps);
  switch (kind) {
    case "authenticate":
    case "authorize":
      return captured
        ? { type: "sold", providerPayment, fee: 0n }
        : { type: "authorized", providerPayment, transfer, expiresAt, overCapturable };
    case "increment":
      return { type: "incremented", amount, transfer, overCapturable };
    case "capture":
      return { type: "captured", amount, final, fee: 0n };
    case "void":
    case "expire":
      return { type: "voided" };
    case "refund":
      return { type: "refunded", amount };
  }
}

/** Null for an attempt: nothing more happens to its payment. */
function failed({ kind, amount, final }: Operation): PaymentEvent | null {
  switch (kind) {
    case "authenticate":
    case "authorize":
      return null;
    case "increment":
      return { type: "increment_failed", amount };
    case "capture":
      return { type: "capture_failed", amount, final };
    case "void":
    case "expire":
      return { type: "void_failed" };
    case "refund":
      return { type: "refund_failed", amount };
  }
}
