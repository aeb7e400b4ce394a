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
 * GET / shows the product, POST /buy begins a checkout.
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

async function buy(request: IncomingMessage, nonce: string): Promise<Page> {
  const order = (await readForm(request)).get("order");
  // The order's number comes back from the browser; a page kept open from long ago is served all the same.
  const known = order !== null && /^order-[0-9a-f-]{36}$/.test(order) ? order : `order-${randomUUID()}`;
  const [vault, clientSecret] = await Promise.all([
    vaultOrigin(shop),
    createCheckoutSession(shop, known, PRICE, PRODUCT.name),
  ]);
  return checkoutPage(shop, vault, clientSecret, nonce);
}

const server = createServer((request, response) => {
  const nonce = randomBytes(16).toString("base64");
  const { pathname } = new URL(request.url ?? "/", "http://shop");
  const route = `${request.method} ${pathname}`;
  if (route === "GET /") return send(response, 200, productPage(PRODUCT, `order-${randomUUID()}`, nonce));
  if (route === "POST /buy") {
    buy(request, nonce).then(
      (page) => send(response, 200, page),
      (error: Error) => send(response, 502, problemPage(error.message, nonce)),
    );
    return;
  }
  if (route === "GET /buy" || route === "GET /checkout") {
    // Reloaded or bookmarked: there is no order to pay.
    response.writeHead(303, { location: "/" }).end();
    return;
  }
  send(response, 404, problemPage("There is no such page.", nonce));
});

server.listen(port, "127.0.0.1", () => console.log(`ready on http://127.0.0.1:${port}`));
