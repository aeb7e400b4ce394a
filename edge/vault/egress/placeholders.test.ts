import fc from "fast-check";
import { expect, it } from "vitest";
import { parseBody } from "./body.ts";
import { planSwap } from "./placeholders.ts";

const destination = {
  origin: "https://provider.test",
  paths: ["/pay"],
  fields: { "card.number": ["n"], "card.exp_month": ["m"], "card.exp_year": ["y"], "card.cvc": ["c"] },
};
const form = (text: string) => parseBody("application/x-www-form-urlencoded", text);
const plan = (text: string) => {
  const planned = planSwap(form(text)?.fields ?? [], destination);
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
      expect(body?.write(body.fields.map(({ value }) => value))).toBe(text);
    }),
  );
});

it("knows one format, whatever its case and parameters", () => {
  expect(parseBody("Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=1")?.fields).toHaveLength(1);
  for (const type of [undefined, "", "application/json", "text/plain"])
    expect(parseBody(type, "a=1")).toBeNull();
});
