import { describe, expect, it } from "vitest";
import { moneyOf } from "../../../kernel/money.ts";
import type { ProviderRequest } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation } from "../../domain/samples.ts";
import { authorizeOptions, newPayment, newReference } from "./story.ts";
import type { ContractWorld } from "./world.ts";

/** What a connector says of itself, and what its requests hold. Nothing is sent here. */
export function declarations(given: () => ContractWorld): void {
  describe("declarations", () => {
    it("have a name that can be stored, and limits that are times", () => {
      const { name, resolver, capabilities } = given().connector;
      expect(name).toMatch(/^[a-z][a-z0-9-]{1,30}$/);
      for (const ms of [resolver.idempotencyWindowMs, resolver.maxRequestLifetimeMs]) {
        expect(Number.isInteger(ms) && ms >= 0).toBe(true);
      }
      expect(resolver.maxRequestLifetimeMs).toBeGreaterThan(0);
      for (const bps of Object.values(capabilities.overCaptureBps)) {
        expect(Number.isInteger(bps) && bps >= 0 && bps <= 10_000).toBe(true);
      }
      for (const brand of [...capabilities.increment, ...Object.keys(capabilities.overCaptureBps)]) {
        expect(capabilities.brands).toContain(brand);
      }
    });

    it("leave a way to learn every outcome", () => {
      const { connector } = given();
      const payment = opened(given());
      for (const kind of ["authorize", "capture", "void", "refund"] as const) {
        const asked = connector.lookup(sampleOperation(payment, { kind }), payment) !== null;
        const told = connector.webhooks !== null;
        expect(asked || told || connector.resolver.idempotencyWindowMs > 0, kind).toBe(true);
        // Absence can only be definite where one can ask.
        if (connector.resolver.absenceIsDefinite) expect(asked, kind).toBe(true);
      }
    });

    it("take amounts that money can be, and say why not in words", () => {
      const { connector, currency = "EUR" } = given();
      expect(connector.refusesAmount(moneyOf(10_000n, currency))).toBeNull();
      const refused = connector.refusesAmount(moneyOf(2n ** 60n, currency));
      expect(refused === null || refused.length > 10).toBe(true);
    });

    it("of what cannot be raised hold: no increment can be built", () => {
      const { connector } = given();
      if (connector.capabilities.increment.length > 0) return;
      const options = { amount: 1n, total: 10_001n, reference: newReference() };
      expect(() => connector.increment(opened(given()), options)).toThrow();
    });
  });

  describe("requests", () => {
    it("that act are sent by POST, PUT, PATCH or DELETE; look-ups are not mistaken for them", () => {
      for (const [name, request] of Object.entries(everyRequest(given()))) {
        if (name.startsWith("look-up")) continue;
        expect(request.method, name).not.toBe("GET");
        expect(request.path, name).toMatch(/^\//);
      }
    });

    it("hold the vault's placeholders exactly where they say so, and never a card number", () => {
      const { connector } = given();
      for (const [name, request] of Object.entries(everyRequest(given()))) {
        const text = decodeURIComponent(request.path) + decoded(request.body);
        expect(text.includes("{{card."), name).toBe(request.token !== null);
        expect(cardNumbersIn(text), name).toEqual([]);
        if (!name.startsWith("authorize")) expect(request.token, name).toBeNull();
        if (!connector.capabilities.directCards) expect(request.token, name).toBeNull();
      }
    });

    it("carry the security code only where it is at hand", () => {
      const { connector } = given();
      if (!connector.capabilities.directCards) return;
      const payment = newPayment(given());
      const body = (cvcAvailable: boolean) =>
        decoded(connector.authorize(payment, authorizeOptions(given(), { cvcAvailable })).body);
      expect(body(true)).toContain("{{card.cvc}}");
      expect(body(false)).not.toContain("{{card.cvc}}");
    });
  });
}

/** A payment that is authorized and partly captured, as the provider would know it. */
function opened(world: ContractWorld): Payment {
  const open = { phase: "open", authorized: 10_000n, captured: 4_000n, providerPayment: "pp_1" } as const;
  return newPayment(world, { ...open, captureMethod: "manual" });
}

function everyRequest(world: ContractWorld): Record<string, ProviderRequest> {
  const { connector } = world;
  const { capabilities } = connector;
  const payment = opened(world);
  const reference = newReference();
  const requests: Record<string, ProviderRequest | null> = {
    "authorize a sale": connector.authorize(
      newPayment(world, { captureMethod: "automatic" }),
      authorizeOptions(world, { cvcAvailable: false }),
    ),
    authorize: connector.authorize(newPayment(world), authorizeOptions(world)),
    void: connector.void(payment, { reference }),
    refund: connector.refund(payment, { amount: 5n, reference }),
    cancel: connector.cancelAction(sampleOperation(payment), payment, { reference }),
    reverse: connector.resolver.reverse?.(sampleOperation(payment), payment) ?? null,
  };
  if (capabilities.manualCapture) {
    requests["capture"] = connector.capture(payment, { amount: 5n, final: true, reference });
  }
  if (capabilities.increment.length > 0) {
    requests["increment"] = connector.increment(payment, { amount: 5n, total: 10_005n, reference });
  }
  for (const kind of ["authorize", "capture", "increment", "void", "refund"] as const) {
    requests[`look-up of ${kind}`] = connector.lookup(sampleOperation(payment, { kind }), payment);
  }
  return Object.fromEntries(
    Object.entries(requests).filter((entry): entry is [string, ProviderRequest] => entry[1] !== null),
  );
}

function decoded(body: string | null): string {
  return body === null ? "" : body.startsWith("{") ? body : decodeURIComponent(body.replaceAll("+", " "));
}

/** What looks like a card number: 13 to 19 digits that stand alone and pass Luhn (ISO/IEC 7812-1). */
function cardNumbersIn(text: string): string[] {
  return (text.match(/(?<!\w)\d{13,19}(?!\w)/g) ?? []).filter((digits) => {
    const sum = Array.from(digits)
      .reverse()
      .map((digit, at) => Number(digit) * (at % 2 === 0 ? 1 : 2))
      .reduce((total, value) => total + (value > 9 ? value - 9 : value), 0);
    return sum % 10 === 0;
  });
}
