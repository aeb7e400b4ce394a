import { describe, expect, it, vi } from "vitest";
import type { ProviderResponse } from "../connectors/connector.ts";
import { BREAKER_LIMITS } from "./breaker.ts";
import { Gate } from "./gate.ts";
import { sampleAnswer, sampleRequest } from "./samples.ts";

function gateAt(over: { maxInFlight?: number; deadlineMs?: number | null } = {}) {
  const clock = { now: 0 };
  const gate = new Gate(
    { breaker: BREAKER_LIMITS, maxInFlight: 2, deadlineMs: null, ...over },
    () => clock.now,
  );
  const waiting: ((response: ProviderResponse) => void)[] = [];
  const send = vi.fn(() => new Promise<ProviderResponse>((resolve) => waiting.push(resolve)));
  const guarded = gate.guard(send);
  return {
    clock,
    gate,
    send,
    ask: () => guarded(sampleRequest, "ref"),
    answerAll: () => waiting.splice(0).forEach((answer) => answer(sampleAnswer)),
  };
}
const open = (gate: Gate) => {
  for (let i = 0; i < BREAKER_LIMITS.inARow; i++) gate.breaker.saw("unknown", "m", 0);
};

describe("a gate", () => {
  it("passes requests and answers on", async () => {
    const { ask, answerAll, send } = gateAt();
    const asked = ask();
    answerAll();
    expect(await asked).toBe(sampleAnswer);
    expect(send.mock.calls).toEqual([[sampleRequest, "ref"]]);
  });

  it("refuses at once what is over its room, and sends nothing", async () => {
    const { ask, answerAll, gate, send } = gateAt();
    const asked = [ask(), ask()];
    expect(gate.health()).toBe("full");
    expect(await ask()).toMatchObject({ kind: "not_sent", code: "BULKHEAD_FULL" });
    expect(send).toHaveBeenCalledTimes(2);
    answerAll();
    await Promise.all(asked);
    expect(gate.health()).toBe("closed");
    const again = ask();
    answerAll();
    expect(await again).toBe(sampleAnswer);
  });

  it("has its room back after a send that threw", async () => {
    const { gate } = gateAt({ maxInFlight: 1 });
    const failing = gate.guard(() => Promise.reject(new Error("broken")));
    for (let i = 0; i < 3; i++) await expect(failing(sampleRequest, "ref")).rejects.toThrow("broken");
    expect(gate.health()).toBe("closed");
  });

  it("refuses while its breaker is open, then lets one through at a time", async () => {
    const { ask, answerAll, clock, gate, send } = gateAt();
    open(gate);
    expect(await ask()).toMatchObject({ kind: "not_sent", code: "BREAKER_OPEN" });
    clock.now = BREAKER_LIMITS.openMs;
    expect(gate.health()).toBe("probe");
    const probe = ask();
    expect(await ask()).toMatchObject({ code: "BREAKER_OPEN" });
    answerAll();
    expect(await probe).toBe(sampleAnswer);
    expect(send).toHaveBeenCalledTimes(1);
    expect(gate.health()).toBe("probe");
  });

  it("calls an outcome unknown after its deadline, and has its room back", async () => {
    const { ask, gate } = gateAt({ maxInFlight: 1, deadlineMs: 20 });
    expect(await ask()).toMatchObject({ kind: "lost" });
    expect(gate.health()).toBe("closed");
  });
});
