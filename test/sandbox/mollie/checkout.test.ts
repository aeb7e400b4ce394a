import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./test-harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterEach(() => harness.control.reset());
afterAll(() => harness.running.stop());

const CARD = {
  number: "4242 4242 4242 4242",
  expiry: "12/39",
  cvc: "123",
  holder: "A. Payer",
  action: "pay",
};

async function checkout(overrides: object = {}): Promise<{ id: string; page: string }> {
  const { body } = await harness.create(overrides);
  return { id: body.id, page: body._links.checkout.href };
}

/** As a browser sends a form: without following where it is sent. */
const submit = (url: string, fields: Record<string, string>): Promise<Response> =>
  fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

const read = async (url: string): Promise<string> => (await fetch(url, { redirect: "manual" })).text();

describe("the hosted page", () => {
  it("has a form that a person can fill in, whatever they use to read it", async () => {
    const { page } = await checkout({ description: "Coasters <b> & more" });
    const html = await read(page);
    expect(html).toContain('<html lang="en">');
    expect(html).toContain("<h1>Pay 10.00 EUR</h1>");
    expect(html).toContain("Coasters &lt;b&gt; &amp; more");
    const inputs = [...html.matchAll(/<(?:input|select) id="(\w+)" name="(\w+)"/g)];
    expect(inputs.map(([, id]) => id)).toEqual([
      "number",
      "expiry",
      "cvc",
      "holder",
      "outcome",
      "failureReason",
    ]);
    for (const [, id, name] of inputs) {
      expect(id).toBe(name);
      expect(html).toContain(`<label for="${id}">`);
    }
    for (const purpose of ["cc-number", "cc-exp", "cc-csc", "cc-name"]) {
      expect(html).toContain(`autocomplete="${purpose}"`);
    }
  });

  it("says at each field what is wrong, charges nothing, and forgets number and code", async () => {
    const { id, page } = await checkout();
    const wrong = {
      number: "4242424242424241",
      expiry: "01/20",
      cvc: "12",
      holder: "A. Payer",
      action: "pay",
    };
    const answer = await submit(page, wrong);
    expect(answer.status).toBe(422);
    const html = await answer.text();
    for (const field of ["number", "expiry", "cvc"]) {
      expect(html).toContain(`aria-describedby="${field === "expiry" ? "expiry-hint " : ""}${field}-error"`);
      expect(html).toContain(`<a href="#${field}">`);
    }
    expect(html).toContain('role="alert"');
    expect(html).toContain('value="A. Payer"');
    expect(html).not.toContain("4242424242424241");
    expect((await harness.call("GET", `/v2/payments/${id}`)).body.status).toBe("open");
  });

  it("sends the payer back once they have paid, and only back after that", async () => {
    const { id, page } = await checkout();
    for (let times = 0; times < 2; times++) {
      const answer = await submit(page, CARD);
      expect([answer.status, answer.headers.get("location")]).toEqual([303, "https://shop.example/return"]);
    }
    expect((await fetch(page, { redirect: "manual" })).status).toBe(303);
    const { movements } = await harness.control.book({ payment: id });
    expect(movements.map(({ kind }) => kind)).toEqual(["authorized", "captured"]);
  });

  it("asks at the bank's page where the card wants it, also after a closed tab", async () => {
    const { id, page } = await checkout();
    const bank = (await submit(page, { ...CARD, number: "4000000000003220" })).headers.get("location") ?? "";
    // The payer closes the tab, and opens the address that the merchant has once more.
    expect((await fetch(page, { redirect: "manual" })).headers.get("location")).toBe(bank);
    const html = await read(bank);
    expect(html).toContain("Your bank asks: is this you?");
    expect(html).toContain("Card ending in 3220");
    expect((await submit(bank, { outcome: "succeed" })).headers.get("location")).toBe(
      "https://shop.example/return",
    );
    expect((await harness.call("GET", `/v2/payments/${id}`)).body.status).toBe("paid");
  });

  it("sends who cancels to the merchant's page for that", async () => {
    const { page } = await checkout();
    expect((await submit(page, { action: "cancel" })).headers.get("location")).toBe(
      "https://shop.example/cancel",
    );
    const { page: plain } = await checkout({ cancelUrl: undefined });
    expect((await submit(plain, { action: "cancel" })).headers.get("location")).toBe(
      "https://shop.example/return",
    );
  });

  it("is found by its secret address only", async () => {
    const { id } = await checkout();
    expect((await fetch(`${harness.running.url}/_sandbox/checkout/${id}`)).status).toBe(404);
  });

  it("keeps no card number", async () => {
    const { page } = await checkout();
    await submit(page, CARD);
    const kept = JSON.stringify([...harness.running.sandbox.store.tables.payments.values()]);
    expect(kept).not.toContain("4242424242424242");
    expect(kept).toContain('"last4":"4242"');
  });
});
