import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Reception, readResults, refusedResults, resultsResponse } from "./results.ts";

const SECRET = "a directory's secret";
const IDS = {
  threeDSServerTransID: "0192b4b0-0000-7000-8000-000000000107",
  acsTransID: "5b2c6f0e-1111-4111-8111-111111111111",
  dsTransID: "6c2c6f0e-2222-4222-8222-222222222222",
};
const rreq = (change: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({ messageType: "RReq", messageVersion: "2.2.0", ...IDS, transStatus: "N", ...change }),
  );
const signed = (body: Buffer, secret = SECRET) => ({
  "x-ds-signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
});

describe("an RReq", () => {
  it("is read if a directory has signed it, with the secret in use or the one before", () => {
    expect(readResults(signed(rreq()), rreq(), [SECRET])).toMatchObject({
      ok: true,
      value: { transStatus: "N" },
    });
    expect(readResults(signed(rreq()), rreq(), ["new", SECRET]).ok).toBe(true);
    const elsewhere = { "x-client": signed(rreq())["x-ds-signature"] };
    expect(readResults(elsewhere, rreq(), [SECRET], "x-client").ok).toBe(true);
  });

  it.each([
    ["a changed body", signed(rreq()), rreq({ transStatus: "Y" }), [SECRET]],
    ["another secret", signed(rreq(), "other"), rreq(), [SECRET]],
    ["no secrets here", signed(rreq()), rreq(), []],
    ["no signature", {}, rreq(), [SECRET]],
    ["half a signature", { "x-ds-signature": "sha256=00" }, rreq(), [SECRET]],
    // An empty secret is everybody's.
    ["an empty secret", signed(rreq(), ""), rreq(), [""]],
  ] as const)("is refused: %s", (_, headers, body, secrets) => {
    const read = readResults(headers, body, secrets);
    expect(read).toMatchObject({ ok: false, error: { kind: "not_signed" } });
    if (!read.ok) expect(refusedResults(read.error)).toMatchObject({ status: 401, body: "" });
  });

  it("that cannot be read is answered with an Erro", () => {
    const body = rreq({ transStatus: "C" });
    const read = readResults(signed(body), body, [SECRET]);
    if (read.ok) throw new Error("it was read");
    expect(JSON.parse(refusedResults(read.error).body)).toMatchObject({
      messageType: "Erro",
      errorCode: "203",
      errorComponent: "S",
      errorMessageType: "RReq",
      errorDetail: expect.stringContaining("transStatus"),
    });
  });
});

describe("the answer to an RReq", () => {
  const read = readResults(signed(rreq()), rreq(), [SECRET]);
  const message = (reception: Reception): unknown => {
    if (!read.ok) throw new Error(read.error.because);
    return JSON.parse(resultsResponse(read.value, reception).body);
  };

  it.each(["taken", "late"] as const)("confirms what was %s", (reception) => {
    expect(message(reception)).toEqual({
      messageType: "RRes",
      messageVersion: "2.2.0",
      ...IDS,
      resultsStatus: "01",
    });
  });

  it.each([
    ["unknown_transaction", "301"],
    ["not_ours", "301"],
    ["unexpected", "305"],
  ] as const)("of what is %s is Erro %s", (reception, errorCode) => {
    expect(message(reception)).toMatchObject({ messageType: "Erro", errorCode, ...IDS });
  });
});
