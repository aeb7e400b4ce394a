import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSandbox } from "../kit/server.ts";
import { magicNumber } from "./cards.ts";
import { ThreeDsSandboxControl } from "./control-client.ts";
import { threeDs } from "./dialect.ts";
import {
  API_KEY,
  areqFor,
  ask,
  creqFor,
  cresIn,
  type Json,
  Payer,
  SECRET,
  type Stage,
  startStage,
  until,
} from "./test-harness.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.control.reset();
  await stage.control.settings({ webhooks: { retryDelayMs: 20 } });
  stage.listener.results.length = 0;
});

async function challenge(number: string): Promise<{ ares: Json; payer: Payer; transaction: string }> {
  const ares = await ask(stage, areqFor(stage, number));
  expect(ares["transStatus"]).toBe("C");
  return { ares, payer: new Payer(ares["acsURL"]), transaction: ares["acsTransID"] };
}
const results = (): Json[] => stage.listener.results.map(({ message }) => message);

describe("how a challenge ends", () => {
  it.each([
    ["the right code", ["1234"], { transStatus: "Y", eci: "05", interactionCounter: "01" }, "Y"],
    ["the right code at last", ["0", "1", "1234"], { transStatus: "Y", interactionCounter: "03" }, "Y"],
    ["three wrong codes", ["0", "1", "2"], { transStatus: "N", transStatusReason: "01" }, "N"],
    ["cancelled", ["cancel"], { transStatus: "N", challengeCancel: "01" }, "N"],
  ])("%s", async (_, codes, expected, told) => {
    const { ares, payer, transaction } = await challenge("4000002760003184");
    expect(await payer.open(creqFor(ares))).toContain('id="code"');
    const page = await payer.enter(transaction, ...codes);
    // The RReq was answered before the browser got its way back.
    expect(results()).toHaveLength(1);
    expect(results()[0]).toMatchObject({ messageType: "RReq", acsTransID: transaction, ...expected });
    expect(cresIn(page)).toMatchObject({ messageType: "CRes", transStatus: told });
    if (told === "N") expect(results()[0]).not.toHaveProperty("authenticationValue");
  });

  it("says after a wrong code how many tries are left", async () => {
    const { ares, payer, transaction } = await challenge("4000002760003184");
    await payer.open(creqFor(ares));
    const page = await payer.enter(transaction, "9999");
    expect(page).toContain('role="alert"');
    expect(page).toContain("2 tries are left");
    expect(results()).toHaveLength(0);
  });

  it.each([
    ["nobody ever came", { firstCReqMs: 30 }, false, "05"],
    ["the window was closed", { challengeMs: 30 }, true, "04"],
  ])("%s", async (_, settings, opens, challengeCancel) => {
    await stage.control.settings(settings);
    const { ares, payer } = await challenge("4000002760003184");
    if (opens) await payer.open(creqFor(ares));
    await until(() => results().length > 0);
    expect(results()[0]).toMatchObject({ transStatus: "N", transStatusReason: "14", challengeCancel });
    // Who comes later is brought back at once.
    expect(cresIn(await payer.open(creqFor(ares)))).toMatchObject({ transStatus: "N" });
  });

  it("shows the page again to who comes back before the end", async () => {
    const { ares, payer, transaction } = await challenge("4000002760003184");
    await payer.open(creqFor(ares));
    await payer.enter(transaction, "0");
    expect(await payer.open(creqFor(ares))).toContain('id="code"');
    expect(cresIn(await payer.enter(transaction, "1234"))).toMatchObject({ transStatus: "Y" });
  });
});

describe("results that go wrong", () => {
  it("are signed", async () => {
    const { ares, payer, transaction } = await challenge("4000002760003184");
    await payer.open(creqFor(ares));
    await payer.enter(transaction, "1234");
    const [{ body, headers } = { body: "", headers: {} as Record<string, string> }] = stage.listener.results;
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    expect(headers["x-ds-signature"]).toBe(`sha256=${signature}`);
  });

  it("are sent again until they are answered, the same each time", async () => {
    const answer = stage.listener.answer;
    let lost = 0;
    stage.listener.answer = (message) => (lost++ < 2 ? null : answer(message));
    const { ares, payer, transaction } = await challenge("4000002760003184");
    await payer.open(creqFor(ares));
    await payer.enter(transaction, "1234");
    stage.listener.answer = answer;
    expect(stage.listener.results).toHaveLength(3);
    expect(new Set(stage.listener.results.map(({ body }) => body)).size).toBe(1);
  });

  it("come twice, late, or never", async () => {
    await stage.control.settings({ lateResultsMs: 100 });
    for (const [code, atReturn, atLast] of [
      ["34", 2, 2],
      ["32", 0, 1],
      ["33", 0, 0],
    ] as const) {
      stage.listener.results.length = 0;
      const { ares, payer, transaction } = await challenge(magicNumber("visa", code));
      await payer.open(creqFor(ares));
      expect(cresIn(await payer.enter(transaction, "1234"))).toMatchObject({ transStatus: "Y" });
      if (code !== "34") expect(results(), code).toHaveLength(atReturn);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(results(), code).toHaveLength(atLast);
    }
  });

  it("contradict what the browser is told", async () => {
    const { ares, payer, transaction } = await challenge(magicNumber("visa", "31"));
    await payer.open(creqFor(ares));
    expect(cresIn(await payer.enter(transaction, "1234"))).toMatchObject({ transStatus: "N" });
    expect(results()[0]).toMatchObject({ transStatus: "Y" });
  });
});

describe("decoupled authentication", () => {
  const wanted = { threeDSRequestorDecReqInd: "Y", threeDSRequestorDecMaxTime: "00005" };
  const start = (): Promise<Json> => ask(stage, areqFor(stage, magicNumber("mastercard", "06"), wanted));

  it.each([
    ["Y", { transStatus: "Y", eci: "02", authenticationType: "04" }],
    ["N", { transStatus: "N", eci: "00" }],
  ] as const)("ends by itself with %s", async (decoupledOutcome, expected) => {
    await stage.control.settings({ decoupledDelayMs: 20, decoupledOutcome });
    const ares = await start();
    expect(ares["transStatus"]).toBe("D");
    await until(() => results().length > 0);
    expect(results()[0]).toMatchObject({ acsTransID: ares["acsTransID"], ...expected });
  });

  it("waits for the payer where it is told to", async () => {
    await stage.control.settings({ decoupledOutcome: "never" });
    const ares = await start();
    await stage.control.decoupled(ares["threeDSServerTransID"], "Y");
    await until(() => results().length > 0);
    await expect(stage.control.decoupled(ares["acsTransID"], "N")).rejects.toThrow("409");
  });
});

it("goes on where it was after it was killed", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "three-ds-sandbox-"));
  const options = { port: 0, apiKey: API_KEY, dataDir };
  const before = await startSandbox(threeDs, options);
  const ares = await ask({ ...stage, url: before.url }, areqFor(stage, "4000002760003184"));
  await before.stop();
  const later = await startSandbox(threeDs, options);
  const payer = new Payer(`${later.url}/acs/challenge`);
  await payer.open(creqFor(ares));
  expect(cresIn(await payer.enter(ares["acsTransID"], "1234"))).toMatchObject({ transStatus: "Y" });
  expect(
    await new ThreeDsSandboxControl(later.url).proof(results()[0]?.["authenticationValue"]),
  ).toMatchObject({
    known: true,
  });
  expect(await readFile(join(dataDir, "three-ds-sandbox.jsonl"), "utf8")).not.toContain("4000002760003184");
  await later.stop();
  await rm(dataDir, { recursive: true });
});

it("shows a merchant's name as text", async () => {
  const { ares, payer } = await challenge("4000002760003184");
  const page = await payer.open(creqFor(ares));
  expect(page).toContain("Shop &amp; Söhne &lt;b&gt;");
  expect(page).not.toContain("Söhne <b>");
});

it("speaks the payer's language", async () => {
  const ares = await ask(stage, areqFor(stage, "4000002760003184", { browserLanguage: "de-AT" }));
  const page = await new Payer(ares["acsURL"]).open(creqFor(ares));
  expect(page).toContain('lang="de"');
  expect(page).toContain("12,34");
});
