/** What a merchant's server says to Tessera: two requests, as any integration would write them. */
export type ShopConfig = {
  readonly edgeUrl: string;
  /** Stays on this server. */
  readonly secretKey: string;
  readonly publishableKey: string;
};

export type Price = { readonly amount: number; readonly currency: string };

export const CREATE = `mutation CreateCheckoutSession($input: CreateCheckoutSessionInput!) {
  createCheckoutSession(input: $input) {
    __typename
    ... on CheckoutSession { id clientSecret }
    ... on UserError { message }
  }
}`;

/**
 * Creates the checkout session of an order, with the price that this server knows, and gives its client secret.
 * The order's number is the idempotency key: a form that is sent twice, and a page that is opened again, get one
 * session. `returnUrl` is the page that mounts the checkout: a bank's page sends the payer back there. Throws with
 * the API's own words if it refuses.
 */
export async function createCheckoutSession(
  shop: ShopConfig,
  order: string,
  price: Price,
  description: string,
  returnUrl: string,
): Promise<string> {
  const input = { idempotencyKey: order, amount: price, captureMethod: "AUTOMATIC", description, returnUrl };
  const answer = await fetch(`${shop.edgeUrl}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${shop.secretKey}` },
    body: JSON.stringify({ query: CREATE, variables: { input } }),
  });
  const { data, errors } = (await answer.json()) as {
    data?: { createCheckoutSession: { clientSecret?: string; message?: string } } | null;
    errors?: { message: string }[];
  };
  const session = data?.createCheckoutSession;
  if (session?.clientSecret !== undefined) return session.clientSecret;
  throw new Error(session?.message ?? errors?.[0]?.message ?? `the API answered ${answer.status}`);
}

/** Where the card fields come from: a page that mounts the checkout must allow this origin to be framed. */
export async function vaultOrigin(shop: ShopConfig): Promise<string> {
  const answer = await fetch(`${shop.edgeUrl}/v1/config`);
  return ((await answer.json()) as { vault: string }).vault;
}
