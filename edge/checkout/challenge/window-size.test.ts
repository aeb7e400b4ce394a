import { describe, expect, it } from "vitest";
import { windowSizeFor, withWindowSize } from "./window-size.ts";

describe("the size of a challenge", () => {
  it.each([
    [1280, 800, "03"],
    [500, 600, "03"],
    [700, 599, "04"],
    [499, 900, "02"],
    [599, 400, "02"],
    [389, 500, "01"],
    [250, 400, "01"],
    [249, 800, "05"],
    [900, 399, "05"],
  ])("in %i by %i is %s", (width, height, code) => {
    const size = windowSizeFor({ width, height });
    expect(size.code).toBe(code);
    expect(size.width).toBeLessThanOrEqual(width);
    expect(size.height).toBeLessThanOrEqual(height);
  });

  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const size = { code: "02", width: 390, height: 400 };

  it("is written into the CReq, and nothing else of it changes", () => {
    const creq = { messageType: "CReq", acsTransID: "ä?>~", challengeWindowSize: "05" };
    const sized = withWindowSize(encode(creq), size);
    expect(sized).toMatch(/^[\w-]+$/);
    expect(JSON.parse(Buffer.from(sized, "base64url").toString())).toEqual({
      ...creq,
      challengeWindowSize: "02",
    });
  });

  it.each(["", "not base64 !", encode({ messageType: "Erro" }), encode(null), encode([1])])(
    "is not written into what is no CReq: %j",
    (text) => {
      expect(withWindowSize(text, size)).toBe(text);
    },
  );
});
