import { describe, expect, it } from "vitest";
import { declaredVars } from "../../workerd-config.ts";
import { destinationOf, parseAllowList } from "./allow-list.ts";

const declared = declaredVars("vault")["EGRESS_ALLOW"] as string;
const production = parseAllowList(declared, { loopback: false });
const [first] = JSON.parse(declared) as object[];
const withOrigin = (origin: string) => JSON.stringify([{ ...first, origin }]);

describe("EGRESS_ALLOW", () => {
  it("as deployed, lets cards go to the providers' endpoints that take cards, and to no field but the card's", () => {
    expect(production.map(({ origin, paths }) => [origin, paths])).toEqual([
      ["https://api.stripe.com", ["/v1/payment_intents"]],
      ["https://api.stripe.com", ["/v1/payment_methods"]],
      ["https://checkout-live.adyen.example.com", ["/v72/payments", "/checkout/v72/payments"]],
      ["https://acquirer.example.com", ["/v1/messages"]],
      ["https://directory-server.example.com", ["/areq", "/ds/areq"]],
    ]);
    expect(production.flatMap(({ fields }) => fields["card.number"])).toEqual([
      "payment_method_data[card][number]",
      "card[number]",
      "paymentMethod.number",
      "card.pan",
      "acctNumber",
    ]);
  });

  it("allows nowhere a placeholder that it does not list", () => {
    expect(production.at(-1)?.fields).toEqual({
      "card.number": ["acctNumber"],
      "card.exp_month": [],
      "card.exp_mm": [],
      "card.exp_year": [],
      "card.exp_yymm": ["cardExpiryDate"],
      "card.cvc": [],
    });
  });

  it.each([
    "http://api.stripe.com",
    "https://api.stripe.com/",
    "https://api.stripe.com/v1",
    "https://user@api.stripe.com",
    "ftp://api.stripe.com",
    "api.stripe.com",
    "http://127.0.0.1:4000",
    "http://localhost:4000",
    "https://localhost",
    "https://[::1]",
    "https://127.9.9.9",
  ])("refuses %s in production", (origin) => {
    expect(() => parseAllowList(withOrigin(origin), { loopback: false })).toThrow("EGRESS_ALLOW");
  });

  it("takes http in development for this machine only", () => {
    for (const origin of [
      "http://127.0.0.1:4000",
      "http://localhost:4000",
      "http://[::1]:4000",
      "https://localhost",
    ])
      expect(parseAllowList(withOrigin(origin), { loopback: true })).toHaveLength(1);
    for (const origin of [
      "http://192.168.0.1",
      "http://localhost.evil.test",
      "http://127.0.0.1.evil.test",
      "http://10.0.0.1",
    ])
      expect(() => parseAllowList(withOrigin(origin), { loopback: true })).toThrow("not https");
  });

  it.each([
    "",
    "{}",
    "[{}]",
    '[{"origin":"https://a.test"}]',
    withOrigin("https://a.test").replace("/v1/payment_intents", "/"),
    withOrigin("https://a.test").replace("application/x-www-form-urlencoded", "text/plain"),
    withOrigin("https://a.test").replace("card.exp_month", "card.owner"),
  ])("refuses a list of another form: %s", (text) => {
    expect(() => parseAllowList(text, { loopback: true })).toThrow("EGRESS_ALLOW");
  });
});

describe("destinationOf", () => {
  const at = (url: string) => {
    const found = destinationOf(production, url);
    return found.ok ? found.value.url.href : found.error.code;
  };

  it.each([
    "https://api.stripe.com/v1/payment_intents",
    "https://api.stripe.com/v1/payment_intents/pi_1/confirm",
    "https://api.stripe.com/v1/payment_methods",
  ])("finds %s", (url) => {
    expect(at(url)).toBe(url);
  });

  it("looks at what will be requested, not at how it is written", () => {
    expect(at("HTTPS://API.Stripe.com:443/v1/payment_intents")).toBe(
      "https://api.stripe.com/v1/payment_intents",
    );
    expect(at("https://api.stripe.com/v1/payment_intents/../payment_methods")).toBe(
      "https://api.stripe.com/v1/payment_methods",
    );
  });

  it.each([
    ["http://api.stripe.com/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["https://api.stripe.com:8443/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["https://api.stripe.com.evil.test/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["https://evil.test/https://api.stripe.com/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["https://api.stripe.com@evil.test/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["https://x@api.stripe.com/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["https://аpi.stripe.com/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["//api.stripe.com/v1/payment_intents", "HOST_NOT_ALLOWED"],
    ["", "HOST_NOT_ALLOWED"],
    ["https://api.stripe.com/", "PATH_NOT_ALLOWED"],
    ["https://api.stripe.com/v1/payment_intentsx", "PATH_NOT_ALLOWED"],
    ["https://api.stripe.com/v1/payment_intents/..%2fcustomers", "PATH_NOT_ALLOWED"],
    ["https://api.stripe.com/v1/payment_intents/%2e%2e/customers", "PATH_NOT_ALLOWED"],
    ["https://api.stripe.com/v1/payment_intents?x=1", "PATH_NOT_ALLOWED"],
    ["https://api.stripe.com/v1/payment_intents#x", "PATH_NOT_ALLOWED"],
    ["https://api.stripe.com/v1\\customers", "PATH_NOT_ALLOWED"],
  ])("refuses %s: %s", (url, code) => {
    expect(at(url)).toBe(code);
  });
});
