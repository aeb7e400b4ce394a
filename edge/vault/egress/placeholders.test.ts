import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Destination } from "./allow-list.ts";
import { parseBody } from "./body.ts";
import { planSwap } from "./placeholders.ts";

const FORM = "application/x-www-form-urlencoded";
const destination: Destination = {
  origin: "https://provider.test",
  paths: ["/pay"],
  contentType: FORM,
  fields: {
    "card.number": ["n"],
    "card.exp_month": ["m"],
    "card.exp_mm": [],
    "card.exp_year": ["y"],
    "card.exp_yymm": [],
    "card.cvc": ["c"],
  },
};
const form = (text: string) => {
  const body = parseBody(FORM, new TextEncoder().encode(text));
  if (!body.ok) throw new Error(body.error.code);
  return body.value;
};
const plan = (text: string) => {
  const planned = planSwap(form(text), destination);
  return planned.ok ? planned.value : planned.error.code;
};

it("plans a swap for exactly the fields that hold a placeholder they may hold", () => {
  expect(plan("a=1&n={{card.number}}&m={{card.exp_month}}&b=")).toEqual([
    null,
    "card.number",
    "card.exp_month",
    null,
  ]);
});

it.each([
  "a={{card.number}}",
  "n={{card.cvc}}",
  "n={{card.number}}{{card.number}}",
  "n={{card.number}}&N={{card.number}}",
  "n={{card.number}}&a={{ card.number }}",
  "n={{card.number}}&a=x%7b%7bCARD.number%7d%7dx",
  "n={{card.number}}&%7B%7Bcard.cvc%7D%7D=a",
  "n={{card.number}}&n[]={{card.number}}",
])("refuses %s", (text) => {
  expect(plan(text)).toBe("FIELD_NOT_ALLOWED");
});

it("refuses a request that needs no card", () => {
  for (const text of ["", "a=1", "n=4242"]) expect(plan(text)).toBe("NO_PLACEHOLDER");
});

it("writes every other field as it was read, in its order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (pairs) => {
      const text = new URLSearchParams(pairs).toString();
      const body = form(text);
      expect(body.write(body.fields.map(({ value }) => value))).toBe(text);
    }),
  );
});

it("takes a body only in the destination's encoding", () => {
  const json = { ...destination, contentType: "application/json" as const };
  expect(planSwap(form("n={{card.number}}"), json)).toEqual({
    ok: false,
    error: { code: "UNSUPPORTED_MEDIA_TYPE" },
  });
});

describe("parseBody", () => {
  const code = (type: string | undefined, bytes: Uint8Array) => {
    const body = parseBody(type, bytes);
    return body.ok ? body.value.contentType : body.error.code;
  };
  const bytes = (text: string) => new TextEncoder().encode(text);

  it("knows two encodings, whatever their case, in UTF-8", () => {
    for (const type of [FORM, "Application/X-WWW-Form-Urlencoded; charset=utf-8", `${FORM};charset="UTF-8"`])
      expect(code(type, bytes("a=1")), type).toBe(FORM);
    for (const type of ["application/json", "Application/JSON ; charset=utf-8"])
      expect(code(type, bytes("{}")), type).toBe("application/json");
  });

  it.each([
    undefined,
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json, text/plain",
    "application/jsonp",
    "application/json+x",
    `${FORM}; boundary=x`,
  ])("refuses %s", (type) => {
    expect(code(type, bytes("{}"))).toBe("UNSUPPORTED_MEDIA_TYPE");
  });

  it("refuses what is not UTF-8, or begins with a byte order mark", () => {
    expect(code(FORM, new Uint8Array([0x61, 0x3d, 0xff]))).toBe("INVALID_REQUEST");
    expect(code("application/json", new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]))).toBe("INVALID_REQUEST");
    expect(code("application/json", bytes("\ufeff{}"))).toBe("INVALID_REQUEST");
  });
});
