import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { schemaOf } from "./requests.ts";
import { RESPONSE_CODES } from "./response-codes.ts";
import { numberForCode } from "./test-cards.ts";
import {
  authorization,
  card,
  completion,
  echo,
  followUp,
  refund,
  release,
  reversal,
  sale,
  startAcquirer,
  type TestAcquirer,
} from "./test-client.ts";

let acquirer: TestAcquirer;
beforeAll(async () => {
  acquirer = await startAcquirer();
});
afterAll(() => acquirer.running.stop());

const response = schemaOf("response");
const error = schemaOf("error");

/** The answer's code, once it was seen to be as the schema has it. */
async function code(message: Parameters<TestAcquirer["send"]>[0]): Promise<unknown> {
  const { status, body } = await acquirer.send(message);
  expect(status).toBe(200);
  expect(response.safeParse(body).error?.issues ?? []).toEqual([]);
  return body["responseCode"];
}
async function held(overrides = {}): Promise<{ rrn: unknown; reference: string }> {
  const message = authorization(overrides);
  const { body } = await acquirer.send(message);
  expect(body["responseCode"]).toBe("00");
  return { rrn: body["retrievalReference"], reference: message.reference };
}

describe("messages", () => {
  it("are answered with their own heading, as the schema has it", async () => {
    const message = authorization({ addressVerification: { address: "Main St 1", postalCode: "1011" } });
    const { body } = await acquirer.send(message);
    expect(response.safeParse(body).error?.issues ?? []).toEqual([]);
    expect(body).toMatchObject({
      mti: "0110",
      reference: message.reference,
      responseCode: "00",
      amount: "000000010000",
      cvcResult: "M",
      addressResult: "Y",
      funding: "C",
      issuerCountry: "US",
    });
    expect(body["networkTransactionId"]).toMatch(/^\d{15}$/);
    expect(await acquirer.moved(message.reference)).toEqual(["authorized 10000"]);
  });

  it("that echo are answered, and that do not fit the schema are not executed", async () => {
    expect(await code(echo())).toBe("00");
    const { reference, ...nameless } = authorization();
    for (const wrong of [
      nameless,
      authorization({ amount: "100" }),
      authorization({ mti: "0999" }),
      authorization({ extra: 1 }),
    ]) {
      const { status, body } = await acquirer.send(wrong);
      expect([status, error.safeParse(body).success]).toEqual([400, true]);
    }
    expect(await acquirer.look(reference)).toMatchObject({
      status: 404,
      body: { error: { code: "unknown_reference" } },
    });
  });

  it("of others, or of long ago, are refused unread", async () => {
    const message = authorization();
    expect(await acquirer.send(message, { secret: "other" })).toMatchObject({
      status: 401,
      body: { error: { code: "unauthorized" } },
    });
    expect(await acquirer.send(message, { agoSeconds: 125 })).toMatchObject({
      status: 401,
      body: { error: { code: "stale" } },
    });
    expect(await acquirer.moved(message.reference)).toEqual([]);
    expect((await acquirer.send(message, { agoSeconds: 110 })).status).toBe(200);
  });

  it.each(Object.keys(RESPONSE_CODES))("show each response code by a card of its own: %s", async (wanted) => {
    const message = authorization(card(numberForCode(wanted)));
    // Less than was asked for is approved only where that was said to do.
    expect(await code(message)).toBe(wanted === "10" ? "51" : wanted);
    expect(await acquirer.moved(message.reference)).toEqual(wanted === "00" ? ["authorized 10000"] : []);
  });

  it("have the codes that the document lists", () => {
    const page = readFileSync(new URL("../../../docs/acquirer-api.md", import.meta.url), "utf8");
    const [, table = ""] = page.split("## Response codes");
    const listed =
      table
        .split("## ")[0]
        ?.match(/^\| [^|]+/gm)
        ?.flatMap((cell) => cell.match(/\b[0-9A-Z]{2}\b/g) ?? []) ?? [];
    expect(listed.sort()).toEqual(Object.keys(RESPONSE_CODES).sort());
  });
});

describe("a card", () => {
  it("that wants its holder authenticated takes the scheme's own proof", async () => {
    const proof = { version: "2.2.0", ecommerceIndicator: "05", cavv: "AAABBEg0VhI0VniQEjRWAAAAAAA=" };
    const always = card("4000002760003184");
    expect(await code(authorization(always))).toBe("1A");
    expect(await code(authorization({ ...always, threeDSecure: proof }))).toBe("00");
    expect(
      await code(authorization({ ...always, threeDSecure: { ...proof, ecommerceIndicator: "02" } })),
    ).toBe("12");
    const { cavv: _, ...unproven } = proof;
    expect(await code(authorization({ ...always, threeDSecure: unproven }))).toBe("12");
    expect(await code(authorization({ ...card("4000008260003178"), threeDSecure: proof }))).toBe("51");
    expect(await code(authorization({ ...card("4000002500003155"), exemption: "LV" }))).toBe("00");
  });

  it("that the merchant charges by itself needs the payment that stored it", async () => {
    const stored = { initiator: "M", reason: "U", first: false };
    expect(await code(authorization({ storedCredential: stored }))).toBe("12");
    const named = { ...stored, networkTransactionId: "412345678901234" };
    expect(await code(authorization({ ...card("4000002760003184"), storedCredential: named }))).toBe("00");
  });

  it("is checked before anybody is asked", async () => {
    expect(await code(authorization(card("4242424242424241")))).toBe("14");
    expect(await code(authorization({ card: { pan: "4242424242424242", expiry: "2001" } }))).toBe("54");
    expect(
      await code(authorization({ card: { pan: "4242424242424242", expiry: "3512", cvc: "1234" } })),
    ).toBe("N7");
  });

  it("may be approved for a part where that was asked for", async () => {
    const message = authorization({ ...card(numberForCode("10")), partialApproval: true });
    const { body } = await acquirer.send(message);
    expect(body).toMatchObject({
      responseCode: "10",
      amount: "000000005000",
      additionalAmounts: [{ type: "57", amount: "000000010000" }],
    });
    expect(await acquirer.moved(message.reference)).toEqual(["authorized 5000"]);
  });
});

describe("a completion", () => {
  it("takes parts, numbers them, and gives back the rest at the last", async () => {
    const { rrn, reference } = await held();
    const first = await acquirer.send(completion(rrn, 3_000, "partial"));
    expect(first.body).toMatchObject({ mti: "0230", responseCode: "00", clearingSequence: "01" });
    expect(await code(completion(rrn, 7_001, "partial"))).toBe("13");
    expect((await acquirer.send(completion(rrn, 2_000, "final"))).body["clearingSequence"]).toBe("02");
    expect(await code(completion(rrn, 1, "partial"))).toBe("21");
    expect(await acquirer.moved(reference)).toEqual([
      "authorized 10000",
      "captured 3000",
      "captured 2000",
      "released 5000",
    ]);
  });

  it.each([
    ["Visa at a restaurant", {}, 12_000],
    ["Visa at a hotel", { merchantType: "7011" }, 11_500],
    ["Visa elsewhere", { merchantType: "5999" }, 10_000],
    ["Mastercard at a restaurant", card("5555555555554444"), 12_000],
    ["Mastercard at a hotel", { ...card("5555555555554444"), merchantType: "7011" }, 10_000],
    ["another brand", card("378282246310005"), 10_000],
  ])("may take so much more than was reserved: %s", async (_, overrides, most) => {
    const { rrn } = await held(overrides);
    expect(await code(completion(rrn, most + 1, "final"))).toBe("13");
    if (most > 10_000) expect(await code(completion(rrn, most, "partial"))).toBe("13");
    expect(await code(completion(rrn, most, "final"))).toBe("00");
  });

  it("comes after what was raised, where the brand lets it", async () => {
    const { rrn, reference } = await held();
    expect(await code(followUp("0100", rrn, { amount: "000000002000" }))).toBe("00");
    expect(await code(completion(rrn, 12_000, "final"))).toBe("00");
    expect(await acquirer.moved(reference)).toEqual([
      "authorized 10000",
      "authorized 2000",
      "captured 12000",
    ]);
    const amex = await held(card("378282246310005"));
    expect(await code(followUp("0100", amex.rrn))).toBe("57");
    expect(await code(followUp("0100", "NOTKNOWN0000"))).toBe("25");
    expect(await code(followUp("0100", rrn, { currency: "840" }))).toBe("12");
  });

  it("comes too late once the hold has ended", async () => {
    await acquirer.control.settings({ holdMs: 30 });
    const { rrn, reference } = await held();
    await expect.poll(() => acquirer.moved(reference)).toEqual(["authorized 10000", "released 10000"]);
    await acquirer.control.settings({ holdMs: 600_000 });
    expect(await code(completion(rrn, 1, "final"))).toBe("Q1");
    expect(await code(release(rrn))).toBe("Q1");
  });
});

describe("a refund", () => {
  it("sends back no more than was taken", async () => {
    const message = sale();
    const { body } = await acquirer.send(message);
    const rrn = body["retrievalReference"];
    expect(await code(refund(rrn, 4_000))).toBe("00");
    expect(await code(refund(rrn, 6_001))).toBe("13");
    expect(await code(refund(rrn, 6_000))).toBe("00");
    expect(await acquirer.moved(message.reference)).toEqual([
      "authorized 10000",
      "captured 10000",
      "refunded 4000",
      "refunded 6000",
    ]);
    expect(await code(reversal(message.reference))).toBe("21");
  });

  it.each([
    ["4000000000007726", "09", "approved", ["refunded 4000"]],
    ["4000000000005126", "00", "returned", ["refunded 4000", "refund_failed 4000"]],
  ])("to %s is answered %s and ends as %s", async (pan, first, last, moves) => {
    await acquirer.control.settings({ refundDelayMs: 40 });
    const message = sale(card(pan));
    const { body } = await acquirer.send(message);
    const sent = refund(body["retrievalReference"], 4_000);
    expect(await code(sent)).toBe(first);
    await expect.poll(async () => (await acquirer.look(sent.reference)).body["status"]).toBe(last);
    expect((await acquirer.moved(message.reference)).slice(2)).toEqual(moves);
  });
});
