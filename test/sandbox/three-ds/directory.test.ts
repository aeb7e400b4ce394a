import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type MagicCode, magicNumber } from "./cards.ts";
import { areqFor, ask, type Json, type Stage, startStage } from "./test-harness.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CAVV = /^[A-Za-z0-9+/]{27}=$/;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());
beforeEach(() => stage.control.reset());

const answerTo = (number: string, change: Json = {}): Promise<Json> =>
  ask(stage, areqFor(stage, number, change));
const decoupled = { threeDSRequestorDecReqInd: "Y", threeDSRequestorDecMaxTime: "00005" };
const withoutPayer = {
  deviceChannel: "03",
  threeRIInd: "01",
  threeDSRequestorAuthenticationInd: "02",
  recurringExpiry: "99991231",
  recurringFrequency: "1",
};

describe("every outcome, with what its scheme says of it", () => {
  const visaLike = { Y: "05", A: "06", N: "07", U: "07", R: undefined, I: "07", C: undefined, D: undefined };
  const expected: Record<string, Record<string, string | undefined>> = {
    visa: visaLike,
    amex: visaLike,
    mastercard: { Y: "02", A: "01", N: "00", U: "00", R: "00", I: "06", C: undefined, D: undefined },
  };
  const codes: Record<string, MagicCode> = {
    Y: "01",
    A: "02",
    N: "03",
    U: "04",
    C: "05",
    D: "06",
    R: "07",
    I: "08",
  };
  const rows = Object.keys(expected).flatMap((scheme) =>
    Object.keys(codes).map((status) => [scheme, status]),
  );

  it.each(rows)("%s %s", async (scheme = "", status = "") => {
    const ares = await answerTo(magicNumber(scheme, codes[status] as MagicCode), decoupled);
    expect(ares).toMatchObject({ messageType: "ARes", messageVersion: "2.2.0", transStatus: status });
    expect(ares["eci"]).toBe(expected[scheme]?.[status]);
    for (const id of ["threeDSServerTransID", "acsTransID", "dsTransID"]) expect(ares[id]).toMatch(UUID);
    if (["Y", "A", "I"].includes(status)) expect(ares["authenticationValue"]).toMatch(CAVV);
    else expect(ares).not.toHaveProperty("authenticationValue");
    expect("acsURL" in ares).toBe(status === "C");
    expect(ares["acsDecConInd"]).toBe(status === "D" ? "Y" : undefined);
  });
});

describe("cards that people know", () => {
  it.each([
    ["4242424242424242", {}, "A"],
    ["4000002500003155", {}, "C"],
    ["4000002500003155", withoutPayer, "Y"],
    ["4000002760003184", {}, "C"],
    ["4000002760003184", withoutPayer, "N"],
    ["4000003800000446", {}, "C"],
    ["4000003800000446", withoutPayer, "Y"],
    ["4000008260003178", {}, "C"],
    ["4000008400001629", {}, "C"],
    ["4000000000003220", {}, "C"],
    ["4000000000003055", {}, "Y"],
    ["4000000000003055", { threeDSRequestorChallengeInd: "03" }, "C"],
    ["5555555555554444", {}, "Y"],
    ["5555555555554444", { threeDSRequestorChallengeInd: "04" }, "C"],
    // An exemption is taken by who would not have asked, and not by who asks always.
    ["5555555555554444", { threeDSRequestorChallengeInd: "05" }, "I"],
    ["4000002760003184", { threeDSRequestorChallengeInd: "05" }, "C"],
  ] as const)("%s %o: %s", async (number, change, status) => {
    expect(await answerTo(number, { ...change })).toMatchObject({ messageType: "ARes", transStatus: status });
  });

  it.each([
    ["4000008400001280", "405"],
    ["4000000000003097", "405"],
    ["378282246310005", "305"],
  ])("%s has no answer but Erro %s", async (number, errorCode) => {
    expect(await answerTo(number)).toMatchObject({ messageType: "Erro", errorCode });
  });

  it("refuses to be decoupled where nobody asked for it", async () => {
    expect(await answerTo(magicNumber("visa", "06"))).toMatchObject({
      transStatus: "N",
      transStatusReason: "23",
    });
  });
});

describe("what is not as the specification says", () => {
  it.each([
    ["a field too few", { browserLanguage: undefined }, "201", "browserLanguage"],
    ["two fields too few", { mcc: undefined, purchaseDate: undefined }, "201", "mcc,purchaseDate"],
    ["no expiry of a series", { ...withoutPayer, recurringExpiry: undefined }, "201", "recurringExpiry"],
    ["an amount that is a number", { purchaseAmount: 1234 }, "203", "purchaseAmount"],
    ["a placeholder that nobody filled", { acctNumber: "{{card.number}}" }, "203", "acctNumber"],
    ["a colour depth of 30", { browserColorDepth: "30" }, "203", "browserColorDepth"],
    ["an indicator of 2.3", { threeDSRequestorChallengeInd: "10" }, "203", "threeDSRequestorChallengeInd"],
    ["a version to come", { messageVersion: "2.4.0" }, "102", "messageVersion"],
    ["another message", { messageType: "RReq" }, "101", "messageType"],
    ["a country that is none", { merchantCountryCode: "000" }, "304", "merchantCountryCode"],
  ])("%s", async (_, change, errorCode, errorDetail) => {
    expect(await answerTo("4000000000003055", change)).toMatchObject({
      messageType: "Erro",
      errorCode,
      errorDetail,
    });
  });

  it("a transaction that was asked before", async () => {
    const message = areqFor(stage, "4000000000003055");
    expect(await ask(stage, message)).toMatchObject({ messageType: "ARes" });
    expect(await ask(stage, message)).toMatchObject({ messageType: "Erro", errorCode: "305" });
  });

  it("a stranger", async () => {
    const body = JSON.stringify(areqFor(stage, "4000000000003055"));
    expect((await fetch(`${stage.url}/ds/areq`, { method: "POST", body })).status).toBe(401);
  });
});

describe("the book", () => {
  it("knows each authentication, what proves it, and no card number", async () => {
    const number = magicNumber("mastercard", "01");
    const ares = await answerTo(number);
    const [entry, ...others] = await stage.control.authentications(ares["threeDSServerTransID"]);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      last4: number.slice(-4),
      amount: "1234",
      outcome: { transStatus: "Y", eci: "02" },
    });
    expect(JSON.stringify(entry)).not.toContain(number);
    expect(await stage.control.proof(ares["authenticationValue"])).toMatchObject({
      known: true,
      eci: "02",
      amount: "1234",
      dsTransaction: ares["dsTransID"],
    });
    expect(await stage.control.proof("AAAABBBBCCCCDDDDEEEEFFFFGGG=")).toEqual({ known: false });
  });

  it("obeys fault rules", async () => {
    await stage.control.faults({ fault: { kind: "quirk", quirk: "ares", parameters: { eci: "99" } } });
    expect(await answerTo("5555555555554444")).toMatchObject({ transStatus: "Y", eci: "99" });
    await stage.control.faults({ match: { amount: 1234 }, fault: { kind: "status", status: 503 } });
    expect(await answerTo("5555555555554444")).toMatchObject({ messageType: "Erro", errorCode: "403" });
  });
});

describe("the 3DS Method", () => {
  it("is named by the directory, and tells that it is done", async () => {
    const pres = await ask(stage, { messageType: "PReq", messageVersion: "2.2.0" }, "/ds/preq");
    const [{ threeDSMethodURL }] = pres["cardRangeData"];
    const areq = areqFor(stage, "4000000000003055", { threeDSCompInd: "Y" });
    const data = {
      threeDSServerTransID: areq["threeDSServerTransID"],
      threeDSMethodNotificationURL: "https://a.example/m",
    };
    const field = Buffer.from(JSON.stringify(data)).toString("base64url");
    const form = new URLSearchParams({ threeDSMethodData: field });
    const page = await (await fetch(threeDSMethodURL, { method: "POST", body: form })).text();
    expect(page).toContain('action="https://a.example/m"');
    await ask(stage, areq);
    const [entry] = await stage.control.authentications(areq["threeDSServerTransID"]);
    expect(entry).toMatchObject({ methodDone: true, completion: "Y" });
  });
});
