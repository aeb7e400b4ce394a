import { describe, expect, it } from "vitest";
import type { Operation, OperationKind } from "../../domain/operation.ts";
import type { Payment } from "../../domain/payment.ts";
import { sampleOperation } from "../../domain/samples.ts";
import type { ProviderResponse } from "../connector.ts";
import { newPayment, newReference, Story } from "./story.ts";
import type { ContractWorld } from "./world.ts";

const http = (status: number, body: string): ProviderResponse => ({
  kind: "http",
  status,
  headers: new Headers({ "content-type": "application/json" }),
  body,
});

/** Answers that prove nothing, whoever the provider is. */
const PROVES_NOTHING: readonly (readonly [string, ProviderResponse])[] = [
  ["a reset", { kind: "lost", because: "ECONNRESET" }],
  ["a timeout", { kind: "lost", because: "UND_ERR_HEADERS_TIMEOUT" }],
  ["500", http(500, '{"error":"internal"}')],
  ["500 without a body", http(500, "")],
  ["502 from a proxy", http(502, "<html><title>Bad Gateway</title></html>")],
  ["503", http(503, "{}")],
  ["504", http(504, "")],
  ["409", http(409, '{"error":"in progress"}')],
  ["429", http(429, '{"error":"slow down"}')],
  ["408", http(408, "")],
  ["a redirect", http(302, "")],
  ["200 without a body", http(200, "")],
  ["200 with a page", http(200, "<html>welcome</html>")],
  ["200 with an empty object", http(200, "{}")],
  ["200 with null", http(200, "null")],
  ["200 with a list", http(200, "[]")],
  ["200 with a status of no meaning", http(200, '{"status":"ok","id":"x_1","object":"x"}')],
  ["201 with an empty object", http(201, "{}")],
];

const KINDS = [
  "authorize",
  "capture",
  "increment",
  "void",
  "expire",
  "refund",
] as const satisfies OperationKind[];

const PROOF = ["done", "declined", "failed", "accepted", "requires_action"];

/** Only what certainly is an answer counts as one. */
export function outcomes(given: () => ContractWorld): void {
  describe("an answer", () => {
    it.each(PROVES_NOTHING)(
      "that is %s is unknown, for every operation, at first and when repeated",
      (_, response) => {
        const { connector } = given();
        for (const { operation, payment } of KINDS.map((kind) => inFlight(given(), kind))) {
          for (const first of [true, false]) {
            expect(connector.answer(operation, payment, response, first).kind, operation.kind).toBe(
              "unknown",
            );
          }
        }
      },
    );

    it("that is HTTP 4xx without the provider's own words is unknown", () => {
      const { connector } = given();
      for (const { operation, payment } of KINDS.map((kind) => inFlight(given(), kind))) {
        for (const status of [400, 402, 404, 422]) {
          for (const body of ["", "<html>not here</html>", "[]"]) {
            const answer = connector.answer(operation, payment, http(status, body), true);
            expect(answer.kind, `${operation.kind} ${status} ${body}`).toBe("unknown");
          }
        }
      }
    });

    it("that was never sent is a failure the first time, and unknown when it repeats something", () => {
      const { connector } = given();
      const notSent: ProviderResponse = {
        kind: "not_sent",
        code: "TOKEN_UNKNOWN",
        because: "the vault refused",
      };
      for (const { operation, payment } of KINDS.map((kind) => inFlight(given(), kind))) {
        expect(connector.answer(operation, payment, notSent, true).kind, operation.kind).toBe("failed");
        expect(connector.answer(operation, payment, notSent, false).kind, operation.kind).toBe("unknown");
      }
    });

    it("that is cut off anywhere is unknown", async () => {
      const { connector, send } = given();
      const story = new Story(given());
      const { operation } = await story.authorize();
      if (operation.request === null) throw new Error("no request");
      // The same answer again, from a replay or a look-up, for providers that answer at all.
      const request = connector.lookup(operation, story.payment) ?? operation.request;
      const whole = await send(request, operation.reference);
      expect(whole.kind).toBe("http");
      if (whole.kind !== "http") return;
      for (const part of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
        const cut = { ...whole, body: whole.body.slice(0, Math.floor(whole.body.length * part)) };
        for (const first of [true, false]) {
          expect(connector.answer(operation, story.payment, cut, first).kind).toBe("unknown");
        }
        expect(PROOF).not.toContain(connector.found(operation, story.payment, cut).kind);
      }
    });
  });

  describe("a look-up's answer", () => {
    it.each(PROVES_NOTHING)("that is %s proves nothing", (_, response) => {
      const { connector } = given();
      for (const { operation, payment } of KINDS.map((kind) => inFlight(given(), kind))) {
        if (connector.lookup(operation, payment) === null) continue;
        expect(connector.found(operation, payment, response).kind, operation.kind).toBe("unknown");
      }
    });

    it("that finds nothing is absent or unknown, never a failure", async () => {
      const { connector, send } = given();
      for (const { operation, payment } of KINDS.map((kind) => inFlight(given(), kind))) {
        const lookup = connector.lookup(operation, payment);
        if (lookup === null) continue;
        const found = connector.found(operation, payment, await send(lookup, operation.reference));
        expect(["absent", "unknown"], operation.kind).toContain(found.kind);
      }
    });
  });
}

/** An operation that was sent, of a payment that the provider has never heard of. */
function inFlight(world: ContractWorld, kind: OperationKind): { operation: Operation; payment: Payment } {
  const open: Partial<Payment> = {
    phase: "open",
    captureMethod: "manual",
    authorized: 10_000n,
    captured: kind === "refund" ? 10_000n : 0n,
    capturing: kind === "capture" ? 10_000n : 0n,
    closing: kind === "void" || kind === "expire",
    refunding: kind === "refund" ? 10_000n : 0n,
    providerPayment: "pp_never_heard_of",
  };
  const payment = newPayment(world, kind === "authorize" ? {} : open);
  return { payment, operation: sampleOperation(payment, { kind, final: true, reference: newReference() }) };
}
