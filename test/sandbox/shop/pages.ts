import type { ShopConfig } from "./tessera.ts";

/** The shop's pages. Everything that is written into them goes through `escape`, or `scriptValue` in scripts. */
export type Page = { readonly html: string; readonly policy: string };

function escape(text: string): string {
  const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "#39" };
  return text.replace(/[&<>"']/g, (character) => `&${names[character]};`);
}

/** A JavaScript literal that cannot end the script element it stands in. */
function scriptValue(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

const STYLE = `
  :root { color-scheme: light; }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; background: #f5f2ec; color: #2b2622;
    font: 400 17px/1.5 ui-serif, Georgia, "Times New Roman", serif; }
  header { padding: 22px 24px; font-size: 20px; letter-spacing: .02em; }
  header a { color: inherit; text-decoration: none; }
  main { display: grid; gap: 36px; max-width: 860px; margin: 0 auto; padding: 12px 20px 56px; }
  @media (min-width: 760px) { main.product { grid-template-columns: 1.1fr 1fr; align-items: center; } }
  svg { display: block; width: 100%; height: auto; border-radius: 18px; background: #e9e2d6; }
  h1 { margin: 0 0 8px; font-size: 34px; font-weight: 500; line-height: 1.15; }
  .price { margin: 18px 0; font-size: 22px; }
  button { width: 100%; padding: 14px; border: 0; border-radius: 10px; background: #2b2622; color: #fff; font: inherit;
    cursor: pointer; }
  button:focus-visible { outline: 3px solid #2b2622; outline-offset: 3px; }
  .note { font-size: 15px; color: #5c534a; }
  #thanks { text-align: center; }
`;

/** Tiles, drawn from numbers. */
function mosaic(): string {
  const colours = ["#c9673f", "#e0a458", "#4f7c82", "#2f4b59", "#d9c9a3", "#8a9a5b"];
  const tiles = Array.from({ length: 64 }, (_, at) => {
    const [column, row] = [at % 8, Math.floor(at / 8)];
    const colour = colours[(column * column * 2 + row * 3 + column * row) % colours.length];
    return `<rect x="${42 + column * 40}" y="${42 + row * 40}" width="35" height="35" rx="5" fill="${colour}"/>`;
  });
  return `<svg viewBox="0 0 400 400" role="img" aria-label="A coaster of coloured tiles">${tiles.join("")}</svg>`;
}

function page(title: string, body: string, policy: readonly string[], nonce: string): Page {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header><a href="/">Opus &amp; Tile</a></header>
${body}
</body>
</html>
`;
  // As strict as a shop's policy may be: the checkout has to work under it.
  const rules = ["default-src 'none'", `style-src 'nonce-${nonce}'`, "base-uri 'none'", ...policy];
  return { html, policy: rules.join("; ") };
}

export type Product = { readonly name: string; readonly text: string; readonly price: string };

export function productPage(product: Product, order: string, nonce: string): Page {
  const body = `<main class="product">
${mosaic()}
<div>
<h1>${escape(product.name)}</h1>
<p>${escape(product.text)}</p>
<p class="price">${escape(product.price)}</p>
<form method="post" action="/buy">
<input type="hidden" name="order" value="${escape(order)}">
<button type="submit">Buy now</button>
</form>
<p class="note">A demonstration shop: nothing is sold. Pay with 4242 4242 4242 4242.</p>
</div>
</main>`;
  return page(product.name, body, ["form-action 'self'", "frame-ancestors 'none'"], nonce);
}

export function checkoutPage(shop: ShopConfig, vault: string, clientSecret: string, nonce: string): Page {
  const options = scriptValue({ publishableKey: shop.publishableKey, clientSecret });
  const body = `<main>
<div id="checkout"></div>
<p id="thanks" class="note"></p>
</main>
<script src="${escape(shop.edgeUrl)}/v1/checkout.js"></script>
<script nonce="${nonce}">Tessera.mount("#checkout", ${options})</script>
<script nonce="${nonce}">
document.addEventListener("tessera:complete", () => {
  document.getElementById("thanks").textContent = "Thank you! Your coasters are being packed.";
});
</script>`;
  const policy = [
    `script-src 'nonce-${nonce}' ${shop.edgeUrl}`,
    `connect-src ${shop.edgeUrl}`,
    `frame-src ${vault} ${shop.edgeUrl}`,
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ];
  return page("Checkout", body, policy, nonce);
}

export function problemPage(problem: string, nonce: string): Page {
  const body = `<main><div><h1>Something went wrong</h1><p>${escape(problem)}</p></div></main>`;
  return page("Something went wrong", body, ["form-action 'none'", "frame-ancestors 'none'"], nonce);
}
