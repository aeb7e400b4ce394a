import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tracesOf } from "../testing/card-traces.ts";
import type { Fate } from "../testing/checkout-double.ts";
import { chromiumForTests as found, NUMBER, Shopping } from "../testing/shopping.ts";

/** The checkout in a real browser, on the demonstration shop's page. */
if (found.path === null) console.warn(`checkout tests SKIPPED: ${found.why}`);

describe.skipIf(found.path === null)(`the checkout${found.path === null ? ` (${found.why})` : ""}`, () => {
  const shopping = new Shopping();
  const { edge, card, button, status, complete } = shopping;
  let checkout: Shopping["checkout"];
  let page: Shopping["page"];

  beforeAll(() => shopping.start());
  afterAll(() => shopping.stop());
  beforeEach(() => {
    shopping.begin();
    ({ checkout } = shopping);
  });
  afterEach(async () => {
    expect(shopping.problems).toEqual([]);
    await page.close();
  });

  async function open(width = 900): Promise<void> {
    page = await shopping.buy({ viewport: { width, height: 900 } });
  }
  const type = shopping.type.bind(shopping);

  it("pays once for a double click, says so, and tells the page", async () => {
    await open();
    await page.getByText("49.00 EUR", { exact: true }).waitFor();
    await type();
    expect(await card().locator("#number").inputValue()).toBe("4242 4242 4242 4242");
    expect(await card().locator("#brand").innerText()).toBe("Visa");
    await button().dblclick();
    await complete();
    expect(await page.locator("#thanks").innerText()).toContain("Thank you");
    expect(await page.evaluate("document.activeElement.shadowRoot.activeElement.textContent")).toBe(
      "Payment complete",
    );
    expect(checkout.confirmations).toHaveLength(1);
    expect(checkout.confirmations[0]?.token).toMatch(/^tok_/);
  });

  it("shows the number to nobody but the vault", async () => {
    const sent: string[] = [];
    await open();
    page.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`));
    await type();
    await button().click();
    await complete();
    expect(sent.some((request) => request.includes("/v1/tokens"))).toBe(true);
    expect(tracesOf(NUMBER, Buffer.from(sent.join("\n")))).toEqual([]);
    expect(tracesOf(NUMBER, Buffer.from(JSON.stringify(edge.region.requests)))).toEqual([]);
    expect(tracesOf(NUMBER, Buffer.from(await page.content()))).toEqual([]);
    expect(tracesOf(NUMBER, Buffer.from(edge.logs))).toEqual([]);
  });

  it("lets the payer try another card after a decline, as the next attempt", async () => {
    checkout.fate = "decline";
    await open(360);
    await type("4000000000000002");
    await button().click();
    await page.getByText("Your card was declined. Please use another card.").waitFor();
    checkout.fate = "complete";
    await type();
    await button().click();
    await complete();
    const [first, second] = checkout.confirmations;
    expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
    expect(second?.token).not.toBe(first?.token);
  });

  it("makes a new token for the same card after a decline: its security code was used", async () => {
    checkout.fate = "decline";
    await open();
    await type();
    await button().click();
    await page.getByText("declined").waitFor();
    checkout.fate = "complete";
    await button().click();
    await complete();
    expect(checkout.confirmations[1]?.token).not.toBe(checkout.confirmations[0]?.token);
  });

  it("finds out what became of a payment whose answer was lost, with the same attempt and token", async () => {
    checkout.fate = "lost";
    await open();
    await type();
    // Enter pays as well.
    await card().locator("#cvc").press("Enter");
    await page.getByText("you will not be charged twice").waitFor();
    checkout.fate = "complete";
    await page.getByRole("button", { name: "Try again" }).click();
    await complete();
    const [first, second] = checkout.confirmations;
    expect(second).toEqual(first);
  });

  it.each([
    ["complete", "Payment complete"],
    ["declined", "The payment was declined. Please try another card."],
  ])("waits while the bank decides: %s", async (outcome, text) => {
    checkout.fate = `pending, then ${outcome}` as Fate;
    await open();
    await type();
    await button().click();
    await page.getByText("Your bank is confirming").waitFor();
    expect(await button().getAttribute("aria-disabled")).toBe("true");
    await page.getByText(text).waitFor();
    expect(checkout.confirmations).toHaveLength(1);
  });

  it("says what is wrong beside the field, and puts the cursor there", async () => {
    await open(360);
    await type("4242424242424241", "1320", "12");
    await button().click();
    await status().getByText("Please check the card details.").waitFor();
    for (const field of ["number", "expiry", "cvc"]) {
      expect(await card().locator(`#${field}`).getAttribute("aria-invalid")).toBe("true");
      expect(await card().locator(`#${field}-error`).innerText()).not.toBe("");
    }
    expect(await card().locator("#number:focus").count()).toBe(1);
    expect(checkout.confirmations).toHaveLength(0);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBe(360);
  });

  it("shows what only the vault can find wrong", async () => {
    await open();
    // The page's clock is the payer's: one that is wrong must not matter.
    await page.clock.setFixedTime(new Date("2019-05-05"));
    await type(NUMBER, "0620");
    await button().click();
    await card().getByText("This card has expired. Use another card.").waitFor();
    expect(await card().locator("#expiry").getAttribute("aria-invalid")).toBe("true");
  });

  it("ends where nothing can be paid any more", async () => {
    await open();
    await type();
    for (const session of checkout.sessions.values()) session.status = "EXPIRED";
    checkout.fate = "refuse";
    await button().click();
    await page.getByText("This checkout has expired").waitFor();
    expect(await button().count()).toBe(0);
  });

  it("gives the channel into the vault to the page around the frame, and to no other window", async () => {
    await open();
    await page.evaluate(async (vault) => {
      const [card, stranger] = [document.createElement("iframe"), document.createElement("iframe")];
      [card.name, stranger.name] = ["card", "stranger"];
      card.src = `${vault}/card`;
      const loaded = new Promise((resolve) => card.addEventListener("load", resolve));
      document.body.append(card, stranger);
      await loaded;
    }, edge.vault);
    /** Greets the card page from a window; whether it answers. */
    const greet = ([expression, vault]: readonly [string, string]) => {
      const card = (expression === "parent" ? window.parent : window).frames["card" as never] as Window;
      const { port1, port2 } = new MessageChannel();
      card.postMessage({ type: "tessera:hello", publishableKey: "pk_x" }, vault, [port2]);
      return new Promise<boolean>((resolve) => {
        port1.onmessage = () => resolve(true);
        setTimeout(() => resolve(false), 300);
      });
    };
    expect(await page.frame("stranger")?.evaluate(greet, ["parent", edge.vault] as const)).toBe(false);
    expect(await page.evaluate(greet, ["self", edge.vault] as const)).toBe(true);
    // And only once: nobody takes the frame over later.
    expect(await page.evaluate(greet, ["self", edge.vault] as const)).toBe(false);
  });
});
