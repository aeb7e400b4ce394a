import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type MagicCode, magicNumber } from "../../../../test/sandbox/three-ds/cards.ts";
import {
  API_KEY,
  Payer,
  SECRET,
  type Stage,
  startStage,
  until,
} from "../../../../test/sandbox/three-ds/test-harness.ts";
import type { Exemption } from "../../domain/authentication.ts";
import type { Payment } from "../../domain/payment.ts";
import { samplePayment, sampleTerms } from "../../domain/samples.ts";
import { readCRes } from "../../domain/three-ds/messages.ts";
import type { ChallengeWish, Device } from "../../domain/three-ds/request.ts";
import { browserSample, requestorSample } from "../../domain/three-ds/samples.ts";
import { type AuthenticationAnswer, advance, type Session } from "../../domain/three-ds/session.ts";
import { directSend } from "../contract/direct-send.ts";
import { createDirectory, type Directory, type DirectorySettings, threeDsAccount } from "./index.ts";
import { type Reception, readResults } from "./results.ts";

const BRANDS = { visa: "visa", mastercard: "mastercard", amex: "amex" } as const;
type Name = keyof typeof BRANDS;

let stage: Stage;
let directory: Directory;
let newer: Directory;

beforeAll(async () => {
  stage = await startStage();
  const path = "/ds/areq";
  const settings: DirectorySettings = {
    version: "2.2.0",
    server: { referenceNumber: "3DS_LOA_SER_1", operatorId: "op", url: `${stage.listener.url}/results` },
    paths: { visa: path, mastercard: path, amex: path, jcb: path },
    challengeMs: 900_000,
    decoupledMinutes: 5,
    loopback: true,
  };
  directory = createDirectory(settings);
  newer = createDirectory({ ...settings, version: "2.3.1" });
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control.reset();
  await stage.control.settings({ webhooks: { retryDelayMs: 20 } });
  stage.listener.results.length = 0;
});

const payWith = (brand: string): Payment =>
  samplePayment({ terms: sampleTerms({ card: { ...sampleTerms().card, brand } }) }, 4_999n);

type Ask = {
  readonly challenge?: ChallengeWish;
  readonly exemption?: Exemption;
  readonly absent?: boolean;
  readonly deadlineMs?: number;
  readonly over?: Directory;
};

/** Asks the directory for a card; gives the session before and after the answer. */
async function ask(
  number: string,
  name: Name = "visa",
  wishes: Ask = {},
): Promise<[Session, AuthenticationAnswer]> {
  const payment = payWith(BRANDS[name]);
  const device: Device = wishes.absent
    ? { channel: "requestor", prior: null }
    : {
        channel: "browser",
        browser: browserSample(),
        notificationUrl: `${stage.listener.url}/back`,
        method: "unavailable",
      };
  const options = {
    serverTransaction: randomUUID(),
    at: new Date(),
    requestor: requestorSample(),
    device,
    challenge: wishes.challenge ?? ("no_preference" as const),
    exemption: wishes.exemption ?? null,
    email: "payer@example.com",
  };
  const account = threeDsAccount({ baseUrl: stage.url, key: API_KEY });
  const card = { number, expMonth: 3, expYear: 2030, cvc: "" };
  const send = directSend(account, () => card, wishes.deadlineMs ?? 5_000);
  const over = wishes.over ?? directory;
  const session = over.start(payment, options);
  const response = await send(over.authenticate(payment, options), "unused");
  return [session, over.answer(session, response, new Date(), "02")];
}

const magic = (name: Name, code: MagicCode, wishes: Ask = {}) => ask(magicNumber(name, code), name, wishes);

/** Takes everything that has come in for a session, as the flow will. */
function receive(session: Session): { session: Session; receptions: Reception[] } {
  let current = session;
  const receptions: Reception[] = [];
  for (const { headers, body } of stage.listener.results) {
    const read = readResults(headers, Buffer.from(body), ["another", SECRET]);
    if (!read.ok) throw new Error(read.error.because);
    const next = advance(current, { type: "results", results: read.value, at: new Date() });
    receptions.push(next.ok ? "taken" : next.error);
    if (next.ok) current = next.value;
  }
  return { session: current, receptions };
}

function took(session: Session, answer: AuthenticationAnswer): Session {
  const next = advance(session, { type: "answered", answer, at: new Date() });
  if (!next.ok) throw new Error(next.error);
  return next.value;
}

describe("every outcome of the directory", () => {
  const eci = { visa: ["05", "06", "07"], amex: ["05", "06", "07"], mastercard: ["02", "01", "00"] };
  describe.each(["visa", "mastercard", "amex"] as const)("%s", (name) => {
    const [full, attempt, none] = eci[name] as [string, string, string];
    it.each([
      [
        "Y",
        "01",
        { kind: "authenticated", authentication: { eci: full, liabilityShift: true, challenged: false } },
      ],
      ["A", "02", { kind: "authenticated", authentication: { eci: attempt, liabilityShift: true } }],
      ["N", "03", { kind: "rejected", decline: { code: "authentication_failed", providerCode: "N:01" } }],
      ["U", "04", { kind: "unavailable", authentication: { eci: none, liabilityShift: false } }],
      ["C", "05", { kind: "challenge", action: { type: "challenge" } }],
      ["D", "06", { kind: "decoupled", action: { type: "decoupled" } }],
      ["R", "07", { kind: "rejected", decline: { code: "suspected_fraud", providerCode: "R:11" } }],
      ["I", "08", { kind: "authenticated", authentication: { transStatus: "I", liabilityShift: false } }],
    ] as const)("%s", async (_, code, expected) => {
      const [session, answer] = await magic(name, code);
      expect(answer).toMatchObject(expected);
      if (!("authentication" in answer) || answer.authentication === null) return;
      expect(answer.authentication.serverTransaction).toBe(session.serverTransaction);
      const [entry] = await stage.control.authentications(session.serverTransaction);
      expect(entry?.outcome.cavv ?? null).toBe(answer.authentication.cavv);
    });
  });

  it.each([
    ["4242424242424242", {}, "authenticated"],
    ["4000002500003155", {}, "challenge"],
    ["4000002500003155", { absent: true }, "authenticated"],
    ["4000002760003184", { absent: true }, "rejected"],
    ["4000000000003055", {}, "authenticated"],
    ["4000000000003055", { challenge: "mandated" }, "challenge"],
    ["4000008400001280", {}, "unavailable"],
    ["4000000000003097", {}, "unavailable"],
  ] as const)("%s %o: %s", async (number, wishes, kind) => {
    expect((await ask(number, "visa", wishes))[1].kind).toBe(kind);
  });

  it("an American Express card that takes no part", async () => {
    const [, answer] = await ask("378282246310005", "amex");
    expect(answer).toMatchObject({ kind: "unavailable", because: expect.stringContaining("Erro 305") });
  });

  it("an exemption that the issuer takes, and one that it does not", async () => {
    const taken = await ask("5555555555554444", "mastercard", {
      challenge: "avoid",
      exemption: "transaction_risk_analysis",
    });
    expect(taken[1]).toMatchObject({ kind: "authenticated", exempted: true, authentication: { eci: "06" } });
    const [, refused] = await ask("4000002760003184", "visa", {
      challenge: "avoid",
      exemption: "trusted_beneficiary",
    });
    expect(refused.kind).toBe("challenge");
    expect((await magic("mastercard", "51"))[1]).toMatchObject({ kind: "authenticated", exempted: true });
  });
});

describe("version 2.3.1", () => {
  it("names exemptions that 2.2 has no word for", async () => {
    const wishes = { challenge: "avoid", exemption: "low_value" } as const;
    const kept = await ask("4000000000003055", "visa", { ...wishes, over: newer });
    expect(kept[1]).toMatchObject({
      kind: "authenticated",
      exempted: true,
      authentication: { version: "2.3.1" },
    });
    const [, older] = await ask("4000000000003055", "visa", wishes);
    expect(older).toMatchObject({
      kind: "authenticated",
      exempted: false,
      authentication: { transStatus: "Y" },
    });
  });
});

describe("what is not believed", () => {
  it.each([
    ["21", "eci_contradicts"],
    ["22", "eci_contradicts"],
    ["23", "cavv_missing"],
    ["24", "cavv_malformed"],
  ] as const)("card %s: %s", async (code, doubt) => {
    const [, answer] = await magic("visa", code);
    expect(answer).toMatchObject({ kind: "unavailable", doubts: expect.arrayContaining([doubt]) });
    expect(answer).toMatchObject({ authentication: { transStatus: "U", cavv: null, liabilityShift: false } });
  });

  it("a no with a yes's proof is a no, and a yes without ECI has the usual one", async () => {
    expect((await magic("visa", "25"))[1]).toMatchObject({
      kind: "rejected",
      authentication: { cavv: null },
    });
    expect((await magic("visa", "26"))[1]).toMatchObject({
      authentication: { eci: "05", liabilityShift: true },
    });
  });

  it("a page that would run in ours", async () => {
    expect((await magic("visa", "38"))[1]).toMatchObject({ kind: "unavailable" });
  });

  it("an answer to another transaction", async () => {
    const parameters = { threeDSServerTransID: randomUUID() };
    await stage.control.faults({ fault: { kind: "quirk", quirk: "ares", parameters } });
    expect((await magic("visa", "01"))[1]).toMatchObject({ kind: "unknown" });
  });
});

describe("an answer that does not come", () => {
  it.each([
    ["lost after the work", { kind: "lose_response" }, "unknown"],
    ["a reset", { kind: "reset" }, "unknown"],
    ["silence", { kind: "hang" }, "unknown"],
    ["garbage", { kind: "garbage", work: true }, "unknown"],
    ["a proxy's failure", { kind: "status", status: 502, body: { error: "bad gateway" } }, "unknown"],
    ["a directory that is busy, and says so", { kind: "status", status: 503 }, "unavailable"],
  ] as const)("%s is %s, and asked again as another it is answered", async (_, fault, kind) => {
    await stage.control.faults({ times: 1, fault });
    expect((await magic("visa", "01", { deadlineMs: 300 }))[1].kind).toBe(kind);
    expect((await magic("visa", "01"))[1].kind).toBe("authenticated");
  });

  it.each([
    ["41", "402"],
    ["42", "403"],
    ["43", "101"],
  ] as const)("Erro of card %s is unavailable: %s", async (code, errorCode) => {
    const [, answer] = await magic("visa", code);
    expect(answer).toMatchObject({ kind: "unavailable", because: expect.stringContaining(errorCode) });
  });

  it("nothing was sent, for certain", () => {
    const options = { serverTransaction: randomUUID(), at: new Date(), requestor: requestorSample() };
    const rest = {
      device: { channel: "requestor", prior: null },
      challenge: "avoid",
      exemption: null,
      email: null,
    } as const;
    const session = directory.start(payWith("visa"), { ...options, ...rest });
    const response = { kind: "not_sent", code: "CARD_EXPIRED", because: "the vault refused" } as const;
    expect(directory.answer(session, response, new Date(), "05").kind).toBe("unavailable");
  });
});

describe("each ending of a challenge", () => {
  async function challenge(number: string, name: Name = "visa") {
    const [begun, answer] = await ask(number, name);
    if (answer.kind !== "challenge" || answer.action.type !== "challenge") throw new Error(answer.kind);
    const { acsUrl, creq } = answer.action;
    return {
      session: took(begun, answer),
      payer: new Payer(acsUrl),
      creq,
      transaction: answer.acsTransaction,
    };
  }
  const ended = (conclusion: object) => ({ state: "finished", conclusion });
  const yes = { kind: "authenticated", authentication: { challenged: true, liabilityShift: true } };

  it.each([
    ["the right code", "4000002760003184", ["1234"], yes],
    ["the right code at last", "4000002760003184", ["0000", "1", "1234"], yes],
    ["wrong thrice", "4000002760003184", ["0", "1", "2"], { decline: { code: "authentication_failed" } }],
    ["cancelled", "4000002760003184", ["cancel"], { decline: { code: "authentication_failed" } }],
    ["the issuer then cannot", magicNumber("visa", "36"), ["1234"], { kind: "unavailable" }],
    ["the issuer then rejects", magicNumber("visa", "39"), ["1234"], { kind: "rejected" }],
    [
      "the scheme stands in",
      magicNumber("visa", "37"),
      ["1234"],
      { kind: "authenticated", authentication: { transStatus: "A", eci: "06", liabilityShift: true } },
    ],
    ["an ECI that contradicts", magicNumber("visa", "35"), ["1234"], { kind: "unavailable" }],
  ] as const)("%s", async (_, number, codes, conclusion) => {
    const { session, payer, creq, transaction } = await challenge(number);
    expect(await payer.open(creq)).toContain("49.99");
    await payer.enter(transaction, ...codes);
    const received = receive(session);
    expect(received.receptions).toEqual(["taken"]);
    expect(received.session).toMatchObject(ended(conclusion));
  });

  it.each([
    ["nobody came", { firstCReqMs: 30 }, false],
    ["the window was closed", { challengeMs: 30 }, true],
  ])("%s", async (_, settings, opens) => {
    await stage.control.settings(settings);
    const { session, payer, creq } = await challenge("4000002760003184");
    if (opens) await payer.open(creq);
    await until(() => stage.listener.results.length > 0);
    expect(receive(session).session).toMatchObject(
      ended({ kind: "rejected", decline: { code: "payer_absent" } }),
    );
  });

  it("the RReq is the truth, whatever the browser brings", async () => {
    const { session, payer, creq, transaction } = await challenge(magicNumber("visa", "31"));
    await payer.open(creq);
    const page = await payer.enter(transaction, "1234");
    const brought = readCRes(/name="cres" value="([^"]+)"/.exec(page)?.[1] ?? "");
    expect(brought).toMatchObject({ ok: true, value: { transStatus: "N" } });
    expect(receive(session).session).toMatchObject(ended(yes));
  });

  it("an RReq that never comes is a no, though the browser brings a yes", async () => {
    const { session, payer, creq, transaction } = await challenge(magicNumber("visa", "33"));
    await payer.open(creq);
    expect(await payer.enter(transaction, "1234")).toContain('name="cres"');
    const over = { type: "expired", at: new Date(Date.now() + 3_600_000) } as const;
    const next = advance(session, over);
    expect(next).toMatchObject({ ok: true, value: ended({ kind: "rejected" }) });
  });

  it("an RReq that comes twice is taken once, and confirmed twice", async () => {
    const { session, payer, creq, transaction } = await challenge(magicNumber("visa", "34"));
    await payer.open(creq);
    await payer.enter(transaction, "1234");
    await until(() => stage.listener.results.length === 2);
    const received = receive(session);
    expect(received.receptions).toEqual(["taken", "taken"]);
    expect(received.session).toMatchObject(ended(yes));
  });

  it("the issuer's app says yes", async () => {
    await stage.control.settings({ decoupledDelayMs: 20 });
    const [begun, answer] = await magic("mastercard", "06");
    await until(() => stage.listener.results.length > 0);
    expect(receive(took(begun, answer)).session).toMatchObject(
      ended({ ...yes, authentication: { eci: "02" } }),
    );
  });
});

it("asks no directory of a scheme that it has no path for", () => {
  expect(directory.serves("visa")).toBe("visa");
  expect(directory.serves("amex")).toBe("amex");
  expect(directory.serves("discover")).toBeNull();
  expect(directory.serves("elo")).toBeNull();
});
