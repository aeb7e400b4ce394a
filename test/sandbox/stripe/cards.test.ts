/**
 * The published test cards, one by one, and the checks of card details.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { passesLuhn, schemeOf } from "../kit/cards.ts";
import { fullYear } from "./card-checks.ts";
import { publishedFile } from "./published-data.ts";
import {
  type BareAnswer,
  cardData,
  EXPIRY,
  eventually,
  type Harness,
  payment,
  QUICK,
  startHarness,
} from "./test-harness.ts";

type Row = { number: string; brand: string; outcome: string; detail: string; luhn: boolean };

/** Columns: number, brand, outcome, detail, luhn. No cell has a comma or a quote. */
function readCards(): Row[] {
  const [, ...lines] = (publishedFile("test-cards/cards.csv")?.toString("utf8") ?? "").trim().split("\n");
  return lines.map((line) => {
    const [number = "", brand = "", outcome = "", detail = "", luhn = ""] = line.split(",");
    return { number, brand, outcome, detail, luhn: luhn.trim() === "True" };
  });
}

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
  await harness.control.settings(QUICK);
});
afterAll(() => harness.running.stop());

const address = { line1: "1 Main Street", postal_code: "12345" };
const pay = (number: string, extra = {}): Promise<BareAnswer> =>
  harness.bare("POST", "/v1/payment_intents", {
    ...payment(number, { expand: ["latest_charge"], capture_method: "automatic" }),
    payment_method_data: { ...cardData(number), billing_details: { address } },
    ...extra,
  });

const expectDecline = (answer: BareAnswer, code: string, declineCode?: string): void => {
  expect(answer.status, answer.text).toBe(402);
  expect(answer.body.error).toMatchObject({ type: "card_error", code });
  expect(answer.body.error.decline_code).toBe(declineCode);
  expect(answer.body.error.payment_intent.status).toBe("requires_payment_method");
};

const expectPaid = (
  answer: BareAnswer,
): { payment_method_details: unknown; outcome: unknown; id: string } => {
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.status).toBe("succeeded");
  return answer.body.latest_charge;
};

/** Pays, lets the customer authenticate, and gives the payment intent. */
const payAuthenticated = async (
  number: string,
): Promise<{ status: string; last_payment_error?: { code: string; decline_code: string } }> => {
  const answer = await pay(number);
  expect(answer.body.status).toBe("requires_action");
  await harness.control.authenticate(answer.body.id, "succeed");
  return (await harness.bare("GET", `/v1/payment_intents/${answer.body.id}`)).body;
};

const refundOf = async (number: string): Promise<string[]> => {
  const charge = expectPaid(await pay(number));
  const made = (await harness.bare("POST", "/v1/refunds", { charge: charge.id })).body;
  const read = async (): Promise<string> => (await harness.bare("GET", `/v1/refunds/${made.id}`)).body.status;
  return [made.status, await eventually(read, (status) => status !== made.status)];
};

/** What each outcome of the table means on the wire. */
const OUTCOMES: Readonly<Record<string, (row: Row) => Promise<void>>> = {
  succeeds: async ({ number, brand, detail }) => {
    const charge = expectPaid(await pay(number));
    const checks = CHECKS[detail];
    const funding = ["debit", "prepaid"].includes(detail) ? detail : "credit";
    expect(charge.payment_method_details).toMatchObject({
      card: { brand, last4: number.slice(-4), funding },
    });
    if (checks !== undefined) expect(charge.payment_method_details).toMatchObject({ card: { checks } });
    if (detail.startsWith("risk_level"))
      expect(charge.outcome).toMatchObject({ risk_level: detail.split(" ")[1] });
    if (detail.startsWith("funds")) {
      const { data } = (await harness.bare("GET", "/v1/balance_transactions", { source: charge.id })).body;
      expect(data[0].status).toBe("available");
    }
    if (detail.startsWith("refund"))
      expect(await refundOf(number)).toEqual(detail.match(/pending|succeeded|failed/g));
  },
  card_declined: async ({ number, detail }) => expectDecline(await pay(number), "card_declined", detail),
  expired_card: async ({ number }) => expectDecline(await pay(number), "expired_card"),
  incorrect_cvc: async ({ number }) => expectDecline(await pay(number), "incorrect_cvc"),
  processing_error: async ({ number }) => expectDecline(await pay(number), "processing_error"),
  incorrect_number: async ({ number }) => {
    const { status, body } = await pay(number);
    expect({ status, code: body.error.code }).toEqual({ status: 402, code: "incorrect_number" });
  },
  "attach succeeds then charge declines": async ({ number }) => {
    expect((await harness.bare("POST", "/v1/payment_methods", cardData(number))).status).toBe(200);
    expectDecline(await pay(number), "card_declined", "generic_decline");
  },
  blocked: async ({ number }) => {
    const answer = await pay(number);
    expectDecline(answer, "card_declined", "fraudulent");
    const charge = (await harness.bare("GET", `/v1/charges/${answer.body.error.charge}`)).body;
    expect(charge.outcome).toMatchObject({ type: "blocked", network_status: "not_sent_to_network" });
  },
  "succeeds or blocked": async ({ number }) => {
    expectDecline(await pay(number), "card_declined", "fraudulent");
    await harness.control.settings({ blockHighestRisk: false });
    expect(expectPaid(await pay(number)).outcome).toMatchObject({ risk_level: "highest" });
    await harness.control.settings({ blockHighestRisk: true });
  },
  "3ds required then insufficient_funds": async ({ number }) =>
    expect((await payAuthenticated(number)).last_payment_error?.decline_code).toBe("insufficient_funds"),
  "3ds required then declined": async ({ number }) =>
    expect((await payAuthenticated(number)).last_payment_error?.code).toBe("card_declined"),
  "3ds already set up": async ({ number }) => {
    expectPaid(await pay(number, { off_session: true }));
    expect((await payAuthenticated(number)).status).toBe("succeeded");
  },
  "3ds supported not required": async ({ number }) => {
    expectPaid(await pay(number));
    const asked = await pay(number, { payment_method_options: { card: { request_three_d_secure: "any" } } });
    expect(asked.body.status).toBe("requires_action");
  },
};
const SAME: Readonly<Record<string, string>> = {
  "succeeds then dispute": "succeeds",
  "succeeds then early fraud warning": "succeeds",
  "3ds required unless set up off-session": "3ds required",
  "3ds always required": "3ds required",
  "3ds2 required": "3ds required",
};

const CHECKS: Readonly<Record<string, object>> = {
  "address line1 and zip checks fail": { address_line1_check: "fail", address_postal_code_check: "fail" },
  "address line1 check fails": { address_line1_check: "fail", address_postal_code_check: "pass" },
  "zip check fails": { address_line1_check: "pass", address_postal_code_check: "fail" },
  "address checks unavailable": {
    address_line1_check: "unavailable",
    address_postal_code_check: "unavailable",
  },
  "cvc check fails": { cvc_check: "fail" },
};

const cards = readCards();

describe.skipIf(cards.length === 0)("the published test cards", () => {
  test.each(cards)("$number $outcome $detail", async (row) => {
    expect(passesLuhn(row.number)).toBe(row.luhn);
    expect(schemeOf(row.number)).toBe(row.brand);
    const outcome = SAME[row.outcome] ?? row.outcome;
    if (outcome === "3ds required") {
      expect((await payAuthenticated(row.number)).status).toBe("succeeded");
      return;
    }
    const check = OUTCOMES[outcome];
    if (check === undefined) throw new Error(`this test does not know the outcome ${row.outcome}`);
    await check(row);
  });
});

test.each([
  ["4000000760000002", "BR"],
  ["4000008260000000", "GB"],
  ["4000002760000016", "DE"],
  ["4000003920000003", "JP"],
  ["4000000360000006", "AU"],
])("%s is issued in %s", async (number, country) => {
  expect(expectPaid(await pay(number)).payment_method_details).toMatchObject({ card: { country } });
  const byId = await harness.bare("GET", `/v1/payment_methods/pm_card_${country.toLowerCase()}`);
  expect(byId.body.card).toMatchObject({ country, last4: number.slice(-4) });
});

test.each([
  ["pm_card_visa", "4242"],
  ["pm_card_us", "4242"],
  ["pm_card_visa_debit", "5556"],
  ["pm_card_mastercard_prepaid", "5100"],
  ["pm_card_amex", "0005"],
  ["pm_card_gb_mastercard", "4449"],
  ["pm_card_visa_chargeDeclined", "0002"],
  ["pm_card_visa_chargeDeclinedInsufficientFunds", "9995"],
  ["pm_card_visa_chargeDeclinedLostCard", "9987"],
  ["pm_card_visa_chargeDeclinedStolenCard", "9979"],
  ["pm_card_chargeDeclinedExpiredCard", "0069"],
  ["pm_card_chargeDeclinedIncorrectCvc", "0127"],
  ["pm_card_chargeDeclinedProcessingError", "0119"],
  ["pm_card_visa_chargeDeclinedVelocityLimitExceeded", "6975"],
  ["pm_card_chargeCustomerFail", "0341"],
  ["pm_card_radarBlock", "0019"],
  ["pm_card_riskLevelHighest", "4954"],
  ["pm_card_riskLevelElevated", "9235"],
  ["pm_card_cvcCheckFail", "0101"],
  ["pm_card_avsFail", "0010"],
  ["pm_card_avsLine1Fail", "0028"],
  ["pm_card_avsZipFail", "0036"],
  ["pm_card_avsUnchecked", "0044"],
  ["pm_card_pendingRefund", "7726"],
  ["pm_card_refundFail", "5126"],
  ["pm_card_bypassPending", "0077"],
  ["pm_card_createDispute", "0259"],
  ["pm_card_authenticationRequired", "3184"],
  ["pm_card_authenticationRequiredOnSetup", "3155"],
  ["pm_card_authenticationRequiredSetupForOffSession", "0446"],
  ["pm_card_threeDSecure2Required", "3220"],
  ["pm_card_threeDSecureRequiredChargeDeclined", "1629"],
  ["pm_card_threeDSecureOptional", "3055"],
])("%s, and the token of that name, stand for the card that ends in %s", async (id, last4) => {
  expect((await harness.bare("GET", `/v1/payment_methods/${id}`)).body.card?.last4).toBe(last4);
  const card = { token: id.replace("pm_card_", "tok_") };
  expect((await harness.bare("POST", "/v1/payment_methods", { type: "card", card })).body.card?.last4).toBe(
    last4,
  );
});

describe("card details that cannot be a card", () => {
  const thisYear = new Date().getUTCFullYear();
  test.each([
    ["letters for a number", { number: "4242x", ...EXPIRY }, "invalid_number"],
    ["a wrong check digit", { number: "4242424242424243", ...EXPIRY }, "incorrect_number"],
    [
      "month 13",
      { number: "4242424242424242", exp_month: 13, exp_year: thisYear + 1 },
      "invalid_expiry_month",
    ],
    ["month 0", { number: "4242424242424242", exp_month: 0, exp_year: thisYear + 1 }, "invalid_expiry_month"],
    [
      "last year",
      { number: "4242424242424242", exp_month: 12, exp_year: thisYear - 1 },
      "invalid_expiry_year",
    ],
    [
      "two digits of the last century",
      { number: "4242424242424242", exp_month: 1, exp_year: 95 },
      "invalid_expiry_year",
    ],
    [
      "a far future",
      { number: "4242424242424242", exp_month: 1, exp_year: thisYear + 60 },
      "invalid_expiry_year",
    ],
    ["two digits for a security code", { number: "4242424242424242", ...EXPIRY, cvc: "99" }, "invalid_cvc"],
    [
      "three digits on a card that has four",
      { number: "378282246310005", ...EXPIRY, cvc: "123" },
      "invalid_cvc",
    ],
  ])("%s", async (_name, card, code) => {
    const { status, body } = await harness.bare("POST", "/v1/payment_methods", { type: "card", card });
    expect({ status, type: body.error.type, code: body.error.code }).toEqual({
      status: 402,
      type: "card_error",
      code,
    });
  });

  test("a security code that is not sent is not checked", async () => {
    const card = { number: "4000000000000127", ...EXPIRY };
    const paid = expectPaid(await pay(card.number, { payment_method_data: { type: "card", card } }));
    expect(paid.payment_method_details).toMatchObject({ card: { checks: { cvc_check: null } } });
  });

  test("the same number has the same fingerprint, another another", async () => {
    const of = async (number: string): Promise<string> =>
      (await harness.bare("POST", "/v1/payment_methods", cardData(number))).body.card.fingerprint;
    expect(await of("4242424242424242")).toBe(await of("4242424242424242"));
    expect(await of("4242424242424242")).not.toBe(await of("5555555555554444"));
  });

  test("a number that is no test card is accepted, unless the setting says otherwise", async () => {
    expectPaid(await pay("4111111111111111"));
    await harness.control.settings({ unknownCards: "decline" });
    expectDecline(await pay("4111111111111111"), "card_declined", "test_mode_live_card");
    await harness.control.settings({ unknownCards: "accept" });
  });
});

test.each([
  [30, 2030],
  [76, 2076],
  [77, 1977],
  [2031, 2031],
])("the year %i is %i, seen from 2026", (given, meant) => {
  expect(fullYear(given, new Date("2026-06-01"))).toBe(meant);
});
