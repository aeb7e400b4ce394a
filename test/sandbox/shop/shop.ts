import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { checkoutPage, type Page, problemPage, productPage } from "./pages.ts";
import { createCheckoutSession, type ShopConfig, vaultOrigin } from "./tessera.ts";

/**
 * A demonstration shop: a process of its own that stands for a merchant's server. It holds the secret key, sets
 * the price, and serves a page that mounts the checkout with two lines of script under a strict content policy.
 *
 *   SHOP_PORT  SHOP_EDGE_URL  SHOP_SECRET_KEY  SHOP_PUBLISHABLE_KEY
 *
 * GET / shows the product, POST /buy begins an order, GET /checkout/{order} is the page that pays it: also for who
 * comes back to it from a bank's page, or opens it again.
 */
const PRODUCT = {
  name: "Mosaic coasters",
  text: "Four coasters, each of sixty-four tiles cut and set by hand. Cork below, so that your table stays as it is.",
  price: "49.00 EUR",
};
const PRICE = { amount: 4900, currency: "EUR" };
const MAX_FORM_BYTES = 1024;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    console.error(`the shop needs ${name}`);
    process.exit(1);
  }
  return value;
}

const port = Number(setting("SHOP_PORT"));
const shop: ShopConfig = {
  edgeUrl: setting("SHOP_EDGE_URL"),
  secretKey: setting("SHOP_SECRET_KEY"),
  publishableKey: setting("SHOP_PUBLISHABLE_KEY"),
};

function send(response: ServerResponse, status: number, { html, policy }: Page): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    // The page holds a client secret.
    "cache-control": "no-store",
  });
  response.end(html);
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_FORM_BYTES) throw new Error("the form is too large");
  }
  return new URLSearchParams(text);
}

const ORDER = /^order-[0-9a-f-]{36}$/;

/** Where the order is paid. The order's number comes back from the browser; another one begins an order. */
async function buy(request: IncomingMessage): Promise<string> {
  const order = (await readForm(request)).get("order");
  return `/checkout/${order !== null && ORDER.test(order) ? order : `order-${randomUUID()}`}`;
}

async function pay(order: string, nonce: string): Promise<Page> {
  const returnUrl = `http://127.0.0.1:${port}/checkout/${order}`;
  const [vault, clientSecret] = await Promise.all([
    vaultOrigin(shop),
    createCheckoutSession(shop, order, PRICE, PRODUCT.name, returnUrl),
  ]);
  return checkoutPage(shop, vault, clientSecret, nonce);
}

const server = createServer((request, response) => {
  const nonce = randomBytes(16).toString("base64");
  const { pathname } = new URL(request.url ?? "/", "http://shop");
  const route = `${request.method} ${pathname}`;
  if (route === "GET /") return send(response, 200, productPage(PRODUCT, `order-${randomUUID()}`, nonce));
  const fail = (error: Error) => send(response, 502, problemPage(error.message, nonce));
  if (route === "POST /buy") {
    // To a page of its own, which can be loaded again without buying again.
    void buy(request).then((location) => response.writeHead(303, { location }).end(), fail);
    return;
  }
  const order = /^GET \/checkout\/(.+)$/.exec(route)?.[1] ?? "";
  if (ORDER.test(order)) {
    void pay(order, nonce).then((page) => send(response, 200, page), fail);
    return;
  }
  if (route === "GET /buy" || route === "GET /checkout") {
    // Bookmarked: there is no order to pay.
    response.writeHead(303, { location: "/" }).end();
    return;
  }
  send(response, 404, problemPage("There is no such page.", nonce));
});

server.listen(port, "127.0.0.1", () => console.log(`ready on http://127.0.0.1:${port}`));
