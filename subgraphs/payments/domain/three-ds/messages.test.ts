import { describe, expect, it } from "vitest";
import { readAnswer, readCRes, readRReq } from "./messages.ts";

const S = "0192b4b0-0000-7000-8000-000000000107";
const A = "5b2c6f0e-1111-4111-8111-111111111111";
const D = "6c2c6f0e-2222-4222-8222-222222222222";
const ids = { messageVersion: "2.2.0", threeDSServerTransID: S, acsTransID: A, dsTransID: D };
const ares = (change: object = {}) =>
  JSON.stringify({
    messageType: "ARes",
    ...ids,
    transStatus: "Y",
    eci: "05",
    acsReferenceNumber: "r",
    ...change,
  });
const rreq = (change: object = {}) =>
  JSON.stringify({ messageType: "RReq", ...ids, transStatus: "Y", ...change });
const cres = (change: object = {}) =>
  Buffer.from(JSON.stringify({ messageType: "CRes", ...ids, transStatus: "Y", ...change })).toString(
    "base64url",
  );

describe("an ARes", () => {
  it("is read with ids in lower case; empty is absent, and what is not known is forgotten", () => {
    const read = readAnswer(
      ares({ acsTransID: A.toUpperCase(), transStatusReason: "", messageExtension: [{}] }),
    );
    expect(read).toMatchObject({
      ok: true,
      value: { acsTransID: A, transStatusReason: null, authenticationValue: null },
    });
    expect(JSON.stringify(read)).not.toContain("messageExtension");
  });

  it.each([
    ["another outcome", ares({ transStatus: "X" }), "transStatus"],
    ["an outcome in small letters", ares({ transStatus: "y" }), "transStatus"],
    ["no id", ares({ dsTransID: undefined }), "dsTransID"],
    ["an id that is none", ares({ acsTransID: "1" }), "acsTransID"],
    ["an ECI that is a number", ares({ eci: 5 }), "eci"],
    ["another message", ares({ messageType: "RReq" }), "messageType"],
    ["version 1", ares({ messageVersion: "1.0.2" }), "messageVersion"],
    ["a page", "<html>502</html>", "not JSON"],
    ["too much", `"${"x".repeat(200_000)}"`, "too long"],
    ["nothing", "null", "the message"],
  ])("with %s is not read, and the reason tells no values", (_, body, because) => {
    const read = readAnswer(body);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.error).toContain(because);
  });

  it("may be an Erro", () => {
    const erro = {
      messageType: "Erro",
      errorCode: "305",
      errorComponent: "D",
      errorDescription: "x",
      errorDetail: "y",
    };
    expect(readAnswer(JSON.stringify(erro))).toMatchObject({ ok: true, value: { errorCode: "305" } });
  });
});

describe("an RReq", () => {
  it.each(["C", "D", "I", "X", ""])("cannot end with %j", (transStatus) => {
    expect(readRReq(rreq({ transStatus })).ok).toBe(false);
  });
  it.each(["Y", "N", "U", "A", "R"])("can end with %s", (transStatus) => {
    expect(readRReq(rreq({ transStatus })).ok).toBe(true);
  });
});

describe("a CRes", () => {
  it.each([
    ["as it is", cres(), true],
    ["with padding", `${cres()}=`, true],
    ["with an outcome that no browser is told", cres({ transStatus: "A" }), false],
    ["in plain base64", "e30+/w", false],
    ["empty", "", false],
    ["endless", "A".repeat(200_000), false],
  ])("%s", (_, field, reads) => {
    expect(readCRes(field).ok).toBe(reads);
  });
});
