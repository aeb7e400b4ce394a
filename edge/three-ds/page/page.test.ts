import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BankShopping } from "../../../test/support/bank-shopping.ts";
import type { CheckoutDouble } from "../../testing/checkout-double.ts";
import { chromiumForTests as found } from "../../testing/shopping.ts";

/** The pages of a challenge among windows that mean no good. */
if (found.path === null) console.warn(`tests of the challenge page SKIPPED: ${found.why}`);

/** An issuer's page that claims to be the return page, and tries to lead the payer away. */
const HOSTILE = `<!doctype html><title>issuer</title><p>issuer</p><script>
for (const window of [parent, parent.parent, top]) window.postMessage("tessera:3ds-returned", "*");
try { top.location = "https://evil.invalid/" } catch {}
</script>`;

describe.skipIf(found.path === null)("the pages of a challenge", () => {
  const shopping = new BankShopping();
  let checkout: CheckoutDouble;
  let page: Page;
  let stranger: Server;
  let origin: string;

  beforeAll(async () => {
    stranger = createServer((_, response) => response.setHeader("content-type", "text/html").end(HOSTILE));
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    await shopping.start();
  });
  afterAll(async () => {
    await shopping.stop();
    stranger?.close();
  });
  beforeEach(async () => {
    checkout = await shopping.beginWithBank();
  });
  afterEach(async () => {
    expect(shopping.problems).toEqual([]);
    await page.context().close();
  });

  it("believe nobody but the return page that the payer is back, and let nobody lead the payer away", async () => {
    checkout.act = () => Promise.resolve({ type: "CHALLENGE", acsUrl: `${origin}/`, creq: "e30" });
    page = await shopping.pay();
    await shopping.issuer().getByText("issuer").waitFor();
    await page.evaluate(() => {
      const checkoutRoot = document.querySelector("#checkout > *")?.shadowRoot;
      const frame = checkoutRoot?.querySelector<HTMLIFrameElement>("dialog iframe");
      for (const target of [frame?.contentWindow, window]) target?.postMessage("tessera:3ds-returned", "*");
    });
    await page.waitForTimeout(800);
    expect(await shopping.dialog().isVisible()).toBe(true);
    expect(checkout.confirmations).toHaveLength(1);
    expect(page.url()).toContain(shopping.shopUrl);
    // The browser says that it was tried.
    expect(shopping.problems.splice(0).join()).toContain("sandboxed");
  });

  /** Greets the frame named `challenge` from a window; what is heard within a moment. */
  const greet = ([from, edge, acsUrl]: readonly [string, string, string]) => {
    const frame = (from === "parent" ? window.parent : window).frames["challenge" as never] as Window;
    const { port1, port2 } = new MessageChannel();
    frame.postMessage({ type: "tessera:challenge", acsUrl, creq: "e30" }, edge, [port2]);
    return new Promise<readonly string[]>((resolve) => {
      const heard: string[] = [];
      port1.onmessage = ({ data }) => heard.push(data as string);
      setTimeout(() => resolve(heard), 400);
    });
  };

  async function openFrames(path: string): Promise<void> {
    page = await shopping.buy();
    await page.evaluate(async (address) => {
      const [challenge, other] = [document.createElement("iframe"), document.createElement("iframe")];
      [challenge.name, other.name] = ["challenge", "stranger"];
      challenge.src = address;
      const loaded = new Promise((resolve) => challenge.addEventListener("load", resolve));
      document.body.append(challenge, other);
      await loaded;
    }, `${shopping.edge.api}${path}`);
  }

  it("take their orders from the page around them, and from no other window", async () => {
    await openFrames("/3ds/challenge");
    const order = (from: string) => [from, shopping.edge.api, `${shopping.stage.listener.url}/bank`] as const;
    expect(await page.frame("stranger")?.evaluate(greet, order("parent"))).toEqual([]);
    expect(await page.evaluate(greet, order("self"))).toEqual(["opening", "shown"]);
    // And only once: nobody takes the frame over later.
    expect(await page.evaluate(greet, order("self"))).toEqual([]);
  });

  it.each(["javascript:alert(document.domain)", "http://bank.example/", "data:text/html,x", "nothing"])(
    "post nothing to %s",
    async (address) => {
      await openFrames("/3ds/challenge");
      expect(await page.evaluate(greet, ["self", shopping.edge.api, address] as const)).toEqual(["refused"]);
    },
  );

  it("tell no page of another origin that the payer is back", async () => {
    page = await shopping.buy();
    const heard = await page.evaluate(async (address) => {
      const messages: unknown[] = [];
      window.addEventListener("message", ({ data }) => messages.push(data));
      const frame = document.createElement("iframe");
      frame.src = address;
      document.body.append(frame);
      await new Promise((resolve) => setTimeout(resolve, 700));
      return messages;
    }, `${shopping.edge.api}/3ds/return`);
    expect(heard).toEqual([]);
  });
});
