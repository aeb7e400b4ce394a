import type { CreatedMerchant } from "../../subgraphs/merchants/create.ts";
import { tokenize } from "./tokenize.ts";

/**
 * A link to the schema explorer that hands over the demo key and a test card's token, so that its examples run as
 * they are. Both are in the fragment, which a browser sends to no server; the page keeps them for its tab and
 * takes them out of the address bar (edge/explorer/credentials.ts).
 */
export async function explorerLink(
  { edge, vault }: { readonly edge: string; readonly vault: string },
  { publishableKey, secretKey }: CreatedMerchant,
): Promise<string> {
  const card = {
    number: "4242424242424242",
    expMonth: 12,
    expYear: new Date().getUTCFullYear() + 3,
    cvc: "123",
  };
  const { token } = await tokenize(vault, publishableKey, card);
  return `${edge}/explorer/#${new URLSearchParams({ key: secretKey, token })}`;
}
