import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { magicNumber } from "../../../test/sandbox/three-ds/cards.ts";
import { BankShopping, REFUSED } from "../../../test/support/bank-shopping.ts";
import type { CheckoutDouble } from "../../testing/checkout-double.ts";
import { chromiumForTests as found } from "../../testing/shopping.ts";

/** A 3-D Secure challenge in a real browser, on the demonstration shop's page, with the sandbox's bank in the frame. */
if (found.path === null) console.warn(`challenge tests SKIPPED: ${found.why}`);

describe.skipIf(found.path === null)("a challenge", () => {
  const shopping = new BankShopping();
  const { dialog, code, focused, press, complete } = shopping;
  const enter = shopping.enter.bind(shopping);
  let checkout: CheckoutDouble;
  let page: Page;

  beforeAll(() => shopping.start());
  afterAll(() => shopping.stop());
  beforeEach(async () => {
    checkout = await shopping.beginWithBank();
  });
  afterEach(async () => {
    expect(shopping.problems).toEqual([]);
    await page.context().close();
  });
  const pay = async (options: Parameters<BankShopping["pay"]>[0] = {}) => {
    page = await shopping.pay(options);
  };

  describe("that is answered", () => {
    it("is shown in a frame of a standard size, and the right code pays, once", async () => {
      await pay({ viewport: { width: 1280, height: 900 } });
      await dialog().waitFor();
      await code().waitFor();
      await shopping.screenshot("challenge-desktop-light");
      const frame = await page.locator("dialog iframe").boundingBox();
      expect([frame?.width, frame?.height]).toEqual([500, 600]);
      expect((await shopping.authentication())["windowSize"]).toBe("03");
      await enter("1234");
      await complete();
      expect(await dialog().count()).toBe(0);
      expect(checkout.begun).toBe(1);
      const [first, second] = checkout.confirmations;
      expect(first?.token).toMatch(/^tok_/);
      // The browser is back: the same attempt, and nothing that could begin another one.
      expect(second).toMatchObject({ token: null, attempt: first?.attempt });
    });

    it("comes with what the issuer wants to know of the browser", async () => {
      await pay({ locale: "de-AT", timezoneId: "Europe/Vienna", viewport: { width: 900, height: 900 } });
      await dialog().waitFor();
      expect(checkout.confirmations[0]?.browser).toEqual({
        userAgent: await page.evaluate("navigator.userAgent"),
        language: "de-AT",
        javaEnabled: false,
        colorDepth: await page.evaluate("screen.colorDepth"),
        screenWidth: 900,
        screenHeight: 900,
        timeZoneOffset: await page.evaluate("new Date().getTimezoneOffset()"),
      });
    });

    it.each([
      ["three wrong codes", async () => enter("1", "2", "3")],
      [
        "a cancellation at the bank",
        async () => shopping.issuer().getByRole("button", { name: "Cancel" }).click(),
      ],
    ])("ends without money after %s, and another card can be tried", async (_, end) => {
      await pay();
      await end();
      await page.getByText(REFUSED).waitFor();
      expect(await dialog().count()).toBe(0);
      checkout.fate = "complete";
      await shopping.type();
      await shopping.button().click();
      await complete();
      expect(checkout.begun).toBe(2);
      expect(checkout.confirmations.at(-1)?.attempt).toBe(2);
    });

    it("is waited for if its result is late", async () => {
      await shopping.stage.control.settings({ lateResultsMs: 2_500 });
      checkout.act = (confirmation) => shopping.challenge(magicNumber("visa", "32"), confirmation);
      await pay();
      await enter("1234");
      await page.getByText("Your bank is confirming the payment").waitFor();
      // Asked at once, the server still says that the payer is needed: the same page is not shown for it.
      await expect.poll(() => checkout.confirmations.length).toBe(2);
      await page.waitForTimeout(600);
      expect(await dialog().count()).toBe(0);
      expect(checkout.confirmations).toHaveLength(2);
      await complete();
      expect(checkout.begun).toBe(1);
    });
  });

  describe("that is not answered", () => {
    it("is taken away, with a word, when it is over on the bank's side", async () => {
      await shopping.stage.control.settings({ challengeMs: 1_500 });
      await pay();
      await code().waitFor();
      await page.getByText(REFUSED).waitFor();
      expect(await dialog().count()).toBe(0);
      expect(await shopping.button().innerText()).toBe("Pay 49.00 EUR");
    });

    it("asks before it is left, says that nothing was charged, and can be taken up again", async () => {
      await pay();
      await code().waitFor();
      await press("Cancel");
      await page.getByText("Stop confirming? Nothing has been charged so far.").waitFor();
      expect(await focused()).toBe("Keep confirming");
      await press("Keep confirming");
      await press("Cancel");
      await press("Stop");
      await page.getByText("nothing has been charged so far. You can still confirm it.").waitFor();
      await shopping.screenshot("stopped-desktop-light");
      expect(await dialog().count()).toBe(0);
      expect(await focused()).toBe("Confirm with your bank");
      await page.keyboard.press("Enter");
      await enter("1234");
      await complete();
      expect(checkout.begun).toBe(1);
    });

    it("lets the payer try another card once it has ended", async () => {
      await shopping.stage.control.settings({ challengeMs: 2_000 });
      await pay();
      await code().waitFor();
      await press("Cancel");
      await press("Stop");
      await page.getByText(REFUSED).waitFor();
      expect(await shopping.button().innerText()).toBe("Pay 49.00 EUR");
    });

    it("says so if the bank's page does not come, and loads it again", async () => {
      // Nobody listens there, and the browser is made to wait for the answer for ever.
      const held = `${shopping.stage.url}/acs/challenge`;
      let holding = true;
      page = await shopping.newPage();
      await page.context().route(held, (route) => (holding ? undefined : route.continue()));
      await page.clock.install();
      await page.goto(shopping.shopUrl);
      await shopping.button().click();
      await shopping.type();
      await shopping.button().click();
      await page.getByText("Opening your bank’s page…").waitFor();
      await page.clock.fastForward(16_000);
      await page.getByText("Your bank’s page has not loaded yet.").waitFor();
      holding = false;
      await press("Load it again");
      await enter("1234");
      await complete();
      expect(checkout.begun).toBe(1);
    });
  });

  describe("in a tab that was closed", () => {
    it("is shown again, and the payment goes through once", async () => {
      await pay();
      await code().waitFor();
      const url = page.url();
      await page.context().close();
      page = await shopping.newPage();
      await page.goto(url);
      await dialog().waitFor();
      await enter("1234");
      await complete();
      expect(checkout.begun).toBe(1);
      expect(checkout.confirmations.slice(1).every(({ token }) => token === null)).toBe(true);
    });

    it("is not, if it has ended meanwhile", async () => {
      await pay();
      await code().waitFor();
      const url = page.url();
      await page.goto("about:blank");
      const [secret = ""] = checkout.sessions.keys();
      checkout.conclude(secret, "processing");
      setTimeout(() => checkout.conclude(secret, "complete"), 600);
      await page.goto(url);
      await complete();
      expect(checkout.begun).toBe(1);
    });

    it("keeps a second payment from beginning while the first may still go through", async () => {
      await pay();
      await code().waitFor();
      await page.reload();
      await dialog().waitFor();
      await press("Cancel");
      await press("Stop");
      await page.getByText("You can still confirm it").waitFor();
      // The fields stand still, and the button does no more than to go on.
      expect(await shopping.card().locator("#number").isEditable()).toBe(false);
      await shopping.button().click();
      await dialog().waitFor();
      expect(checkout.begun).toBe(1);
    });
  });
});
