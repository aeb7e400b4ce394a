import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { schemaOf } from "./requests.ts";
import {
  authorization,
  card,
  completion,
  followUp,
  refund,
  release,
  reversal,
  sale,
  startAcquirer,
  type TestAcquirer,
} from "./test-client.ts";
import { startWebhookListener } from "./webhook-listener.ts";

let acquirer: TestAcquirer;
beforeAll(async () => {
  acquirer = await startAcquirer();
});
afterEach(() => acquirer.control.clearFaults());
afterAll(() => acquirer.running.stop());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const code = async (message: Parameters<TestAcquirer["send"]>[0]) =>
  (await acquirer.send(message)).body["responseCode"];

describe("a message that comes again", () => {
  it("gets the first answer word for word, also as its repeat", async () => {
    const message = authorization();
    const first = await acquirer.send(message);
    expect(await acquirer.send(message)).toEqual(first);
    expect(await acquirer.send({ ...message, mti: "0101" })).toEqual(first);
    expect(await acquirer.moved(message.reference)).toEqual(["authorized 10000"]);
  });

  it("while the first is on its way acts once", async () => {
    await acquirer.control.faults({ times: 1, fault: { kind: "delay", ms: 60 } });
    const message = sale();
    const [first, second] = await Promise.all([
      acquirer.send(message),
      pause(10).then(() => acquirer.send(message)),
    ]);
    expect(second.body["retrievalReference"]).toBe(first.body["retrievalReference"]);
    expect(await acquirer.moved(message.reference)).toEqual(["authorized 10000", "captured 10000"]);
  });

  it("as another one under its reference is refused", async () => {
    const message = authorization();
    await acquirer.send(message);
    expect(await code({ ...message, amount: "000000000001" })).toBe("94");
    expect(await acquirer.moved(message.reference)).toEqual(["authorized 10000"]);
  });
});

describe("a reversal", () => {
  it("undoes an authorization or a sale, however often it comes", async () => {
    for (const [message, moves] of [
      [authorization(), ["authorized 10000", "released 10000"]],
      [sale(), ["authorized 10000", "captured 10000", "refunded 10000"]],
    ] as const) {
      await acquirer.send(message);
      expect(await code(reversal(message.reference))).toBe("00");
      expect(await code(reversal(message.reference, "0401"))).toBe("00");
      expect(await code(reversal(message.reference, "0400", `${message.reference}.again`))).toBe("00");
      expect(await acquirer.moved(message.reference)).toEqual(moves);
      // Also the message itself is dead: its first answer is not true any more.
      expect(await code(message)).toBe("79");
      expect((await acquirer.look(message.reference)).body).toMatchObject({ status: "reversed" });
    }
  });

  it("burns the reference of what never came", async () => {
    const message = authorization();
    expect(await code(reversal(message.reference))).toBe("00");
    expect((await acquirer.look(message.reference)).body).toMatchObject({
      status: "reversed",
      responseCode: "79",
    });
    expect(await code(message)).toBe("79");
    expect(await acquirer.moved(message.reference)).toEqual([]);
  });

  it("is there before a request that was stuck", async () => {
    await acquirer.control.faults({ times: 1, fault: { kind: "land_late", afterMs: 60 } });
    const message = sale();
    await expect(acquirer.send(message)).rejects.toThrow();
    expect(await code(reversal(message.reference))).toBe("00");
    await pause(120);
    expect(await acquirer.moved(message.reference)).toEqual([]);
  });

  it("cannot undo what was taken, sent back, or declined to begin with", async () => {
    const message = authorization();
    const { body } = await acquirer.send(message);
    const part = completion(body["retrievalReference"], 1_000, "partial");
    await acquirer.send(part);
    expect(await code(reversal(message.reference))).toBe("21");
    expect(await code(reversal(part.reference))).toBe("21");
    const back = refund(body["retrievalReference"], 1_000);
    await acquirer.send(back);
    expect(await code(reversal(back.reference))).toBe("21");
    const declined = authorization(card("4000000000000002"));
    await acquirer.send(declined);
    expect(await code(reversal(declined.reference))).toBe("00");
  });

  it("of an increment takes back the increment", async () => {
    const message = authorization();
    const { body } = await acquirer.send(message);
    const raise = followUp("0100", body["retrievalReference"], { amount: "000000002500" });
    await acquirer.send(raise);
    expect(await code(reversal(raise.reference))).toBe("00");
    expect(await acquirer.moved(message.reference)).toEqual([
      "authorized 10000",
      "authorized 2500",
      "released 2500",
    ]);
    expect(await code(completion(body["retrievalReference"], 12_001, "final"))).toBe("13");
  });

  it("by advice gives back what is left, once", async () => {
    const message = authorization();
    const { body } = await acquirer.send(message);
    const rrn = body["retrievalReference"];
    await acquirer.send(completion(rrn, 4_000, "partial"));
    expect(await code(release(rrn))).toBe("00");
    expect(await code(release(rrn))).toBe("21");
    expect(await code(release("NOTKNOWN0000"))).toBe("25");
    expect(await acquirer.moved(message.reference)).toEqual([
      "authorized 10000",
      "captured 4000",
      "released 6000",
    ]);
  });
});

describe("what goes wrong", () => {
  it("contradicts itself where that is ordered", async () => {
    await acquirer.control.faults({ times: 1, fault: { kind: "quirk", quirk: "answer_96" } });
    const message = authorization();
    expect(await code(message)).toBe("96");
    expect((await acquirer.look(message.reference)).body).toMatchObject({
      responseCode: "00",
      status: "approved",
    });
    await acquirer.control.faults({
      match: { operation: "lookup" },
      times: 1,
      fault: { kind: "quirk", quirk: "deny_lookup" },
    });
    expect((await acquirer.look(message.reference)).status).toBe(404);
    expect((await acquirer.look(message.reference)).status).toBe(200);
  });

  it("is forgotten over no kill: references, burnt ones and money stay", async () => {
    const folder = await mkdtemp(join(tmpdir(), "acquirer-"));
    const [message, burnt] = [authorization(), authorization()];
    const before = await startAcquirer(folder);
    const first = await before.send(message);
    await before.send(reversal(burnt.reference));
    await before.running.stop();
    const after = await startAcquirer(folder);
    expect(await after.send(message)).toEqual(first);
    expect((await after.send(burnt)).body["responseCode"]).toBe("79");
    expect(await after.moved(message.reference)).toEqual(["authorized 10000"]);
    await after.running.stop();
    await rm(folder, { recursive: true });
  });
});

describe("webhooks", () => {
  it("tell of refunds, signed with their time", async () => {
    const listener = await startWebhookListener();
    const secret = "whs";
    await acquirer.control.settings({
      refundDelayMs: 20,
      webhooks: { url: listener.url, secret, duplicateProbability: 1 },
    });
    const { body } = await acquirer.send(sale(card("4000000000005126")));
    const sent = refund(body["retrievalReference"], 4_000);
    await acquirer.send(sent);
    await expect.poll(() => listener.heard.length).toBe(2);
    await acquirer.control.settings({ webhooks: { url: null } });
    const [first, second] = listener.heard;
    expect(second?.body).toBe(first?.body);
    const event: unknown = JSON.parse(first?.body ?? "");
    expect(schemaOf("event").safeParse(event).error?.issues ?? []).toEqual([]);
    expect(event).toMatchObject({
      type: "refund.returned",
      reference: sent.reference,
      amount: "000000004000",
    });
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(first?.signature ?? "") ?? [];
    expect(mac).toBe(createHmac("sha256", secret).update(`${time}.${first?.body}`).digest("hex"));
    await listener.stop();
  });
});
