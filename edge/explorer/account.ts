import { ask, Obstacle } from "./api.ts";

/** Whose key it is, as far as the page knows. */
export type Account =
  | { readonly kind: "no_key" }
  | { readonly kind: "asking" }
  | { readonly kind: "known"; readonly name: string; readonly id: string }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "unreachable"; readonly why: string };

const WHO = "query WhoseKey { viewer { id name } }";

/** Asks whose key it is, which is also how the page finds out that a key is not accepted. */
export async function accountOf(key: string): Promise<Account> {
  if (key === "") return { kind: "no_key" };
  try {
    const { status, answer } = await ask(key, { query: WHO });
    const viewer = answer.data?.["viewer"] as { id: string; name: string } | null | undefined;
    if (viewer) return { kind: "known", name: viewer.name, id: viewer.id };
    return { kind: "refused", why: whyRefused(key, status, answer.errors?.[0]?.message) };
  } catch (error) {
    if (error instanceof Obstacle) return { kind: "unreachable", why: error.message };
    throw error;
  }
}

function whyRefused(key: string, status: number, words: string | undefined): string {
  if (status === 401)
    return "This key is not accepted (401): it is mistyped, revoked, or of another deployment. Paste another one.";
  if (key.startsWith("pk_"))
    return "This is a publishable key, which can only pay a checkout session. The explorer needs a secret key (sk_…).";
  return words ?? `The platform answered with status ${status}.`;
}
