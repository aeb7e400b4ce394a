import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MerchantId } from "../../subgraphs/kernel/ids.ts";
import { startTestEdge, type TestEdge, VAULT_ORIGIN } from "../testing/harness.ts";
import { VISA } from "../testing/vault-client.ts";

/** Tokenizing, describing and deleting, in workerd, with the api worker answering whose key it is. */
let edge: TestEdge;
let merchant: MerchantId;
let publishableKey: string;
let auth: Record<string, string>;

beforeAll(async () => {
  edge = await startTestEdge();
  merchant = edge.region.newMerchant();
  publishableKey = await edge.region.issueKey("publishable", merchant);
  auth = await edge.vaultAuth(merchant);
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.region.lookupAnswer = null;
});

type Answer = Awaited<ReturnType<TestEdge["postToVault"]>>;

async function refused(answer: Answer): Promise<[number, { code: string; message: string; field?: string }]> {
  const { error } = (await answer.json()) as { error: { code: string; message: string; field?: string } };
  return [answer.status, error];
}

async function tokenize(card: Parameters<TestEdge["encrypted"]>[0], key = publishableKey) {
  const answer = await edge.postToVault("/v1/tokens", await edge.encrypted(card, key));
  expect(answer.status).toBe(201);
  return (await answer.json()) as { token: string; brand: string; bin: string; last4: string };
}

describe("POST /v1/tokens", () => {
  it("turns a card into a token and a description", async () => {
    const answer = await edge.postToVault("/v1/tokens", await edge.encrypted(VISA, publishableKey));
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({
      token: expect.stringMatching(/^tok_01_[0-9A-Za-z]{32}$/),
      brand: "visa",
      bin: "42424242",
      last4: "4242",
      expMonth: 12,
      expYear: 2030,
    });
  });

  it("gives another token each time, and takes a card without a security code", async () => {
    const { cvc: _cvc, ...withoutCvc } = VISA;
    const tokens = await Promise.all(
      [VISA, VISA, withoutCvc].map(async (card) => (await tokenize(card)).token),
    );
    expect(new Set(tokens).size).toBe(3);
  });

  it.each([
    ["fails Luhn", { number: "4242424242424241" }, "INVALID_NUMBER", "number"],
    ["is too short", { number: "424242424242" }, "INVALID_NUMBER", "number"],
    ["has letters", { number: "4242x4242y4242z4242" }, "INVALID_NUMBER", "number"],
    ["is of a brand not taken", { number: "6759649826438453" }, "UNSUPPORTED_BRAND", "number"],
    ["has expired", { expYear: 2020 }, "EXPIRED_CARD", "expiry"],
    ["has no such month", { expMonth: 13 }, "INVALID_EXPIRY", "expiry"],
    ["expires in the far future", { expYear: 2099 }, "INVALID_EXPIRY", "expiry"],
    ["has a short security code", { cvc: "12" }, "INVALID_CVC", "cvc"],
    ["has a security code of another brand", { cvc: "1234" }, "INVALID_CVC", "cvc"],
  ])("refuses a card that %s, without repeating it", async (_name, change, code, field) => {
    const card = { ...VISA, ...change };
    const answer = await edge.postToVault("/v1/tokens", await edge.encrypted(card, publishableKey));
    const [status, error] = await refused(answer);
    expect([status, error.code, error.field]).toEqual([422, code, field]);
    expect(JSON.stringify(error)).not.toMatch(/\d{5}/);
  });

  it("refuses a message that was changed, or made for another key", async () => {
    const message = await edge.encrypted(VISA, publishableKey);
    const other = await edge.region.issueKey("publishable");
    const changed = {
      "another merchant's key": { ...message, publishableKey: other },
      "another nonce": { ...message, nonce: "AAAAAAAAAAAAAAAA" },
      "another salt": { ...message, salt: "A".repeat(43) },
      "a point off the curve": { ...message, ephemeralPublicKey: `BA${"A".repeat(85)}` },
      "a cut ciphertext": { ...message, ciphertext: message.ciphertext.slice(0, -4) },
    };
    for (const [name, body] of Object.entries(changed)) {
      const [status, { code }] = await refused(await edge.postToVault("/v1/tokens", body));
      expect([name, status, code]).toEqual([name, 422, "DECRYPTION_FAILED"]);
    }
    const unknown = { ...message, keyId: "retired" };
    const [status, { code }] = await refused(await edge.postToVault("/v1/tokens", unknown));
    expect([status, code]).toEqual([422, "UNKNOWN_ENCRYPTION_KEY"]);
  });

  it("refuses a message of the wrong form", async () => {
    const message = await edge.encrypted(VISA, publishableKey);
    for (const body of [
      "not json",
      "{}",
      "[]",
      "null",
      { ...message, salt: "short" },
      { ...message, nonce: 1 },
    ]) {
      const [status, { code }] = await refused(await edge.postToVault("/v1/tokens", body));
      expect([status, code]).toEqual([400, "INVALID_REQUEST"]);
    }
  });

  it("refuses another content type and a large body", async () => {
    const message = JSON.stringify(await edge.encrypted(VISA, publishableKey));
    const plain = await edge.postToVault("/v1/tokens", message, { "content-type": "text/plain" });
    expect((await refused(plain))[1].code).toBe("UNSUPPORTED_MEDIA_TYPE");
    const large = await edge.postToVault("/v1/tokens", message + " ".repeat(5000));
    expect((await refused(large))[0]).toBe(413);
  });

  it("refuses a key that is unknown, revoked or secret", async () => {
    const revoked = await edge.region.issueKey("publishable");
    await edge.region.revoke(revoked);
    for (const key of [revoked, `pk_0107_${"a".repeat(38)}`]) {
      const [status, { code }] = await refused(
        await edge.postToVault("/v1/tokens", await edge.encrypted(VISA, key)),
      );
      expect([status, code]).toEqual([401, "UNAUTHENTICATED"]);
    }
    const secret = await edge.encrypted(VISA, await edge.region.issueKey("secret", merchant));
    expect((await edge.postToVault("/v1/tokens", secret)).status).toBe(400);
  });

  it("says UNAVAILABLE when nobody can tell whose key it is", async () => {
    const key = await edge.region.issueKey("publishable");
    edge.region.lookupAnswer = async () => ({ status: 500, body: "{}" });
    const answer = await edge.postToVault("/v1/tokens", await edge.encrypted(VISA, key));
    expect(await refused(answer)).toEqual([503, expect.objectContaining({ code: "UNAVAILABLE" })]);
  });

  it("answers its own page and servers, no script of another origin", async () => {
    const message = await edge.encrypted(VISA, publishableKey);
    const foreign = await edge.postToVault("/v1/tokens", message, { origin: "https://shop.example" });
    expect(await refused(foreign)).toEqual([403, expect.objectContaining({ code: "FORBIDDEN" })]);
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
    const own = await edge.postToVault("/v1/tokens", message, { origin: VAULT_ORIGIN });
    expect(own.status).toBe(201);
  });
});

describe("for regions", () => {
  const paths = ["/v1/tokens/describe", "/v1/tokens/delete", "/v1/cvc/forget"];

  it("describes a card, with the same fingerprint for the same card of one merchant", async () => {
    const { token } = await tokenize(VISA);
    const describe = async (asked: string, headers = auth) =>
      (await edge.postToVault("/v1/tokens/describe", { token: asked }, headers)).json() as Promise<
        Record<string, unknown>
      >;
    const description = await describe(token);
    expect(description).toEqual({
      token,
      brand: "visa",
      bin: "42424242",
      last4: "4242",
      expMonth: 12,
      expYear: 2030,
      fingerprint: expect.stringMatching(/^fp_[0-9a-f]{32}$/),
      cvcAvailable: true,
    });
    const { cvc: _cvc, ...withoutCvc } = VISA;
    const again = await describe((await tokenize({ ...withoutCvc, expYear: 2031 })).token);
    expect(again["fingerprint"]).toBe(description["fingerprint"]);
    expect(again["cvcAvailable"]).toBe(false);

    const other = edge.region.newMerchant();
    const otherKey = await edge.region.issueKey("publishable", other);
    const elsewhere = await describe((await tokenize(VISA, otherKey)).token, await edge.vaultAuth(other));
    expect(elsewhere["fingerprint"]).not.toBe(description["fingerprint"]);
  });

  it("answers for another merchant's token exactly as for an unknown one", async () => {
    const { token } = await tokenize(VISA);
    const stranger = await edge.vaultAuth(edge.region.newMerchant());
    const unknown = `tok_01_${"0".repeat(32)}`;
    for (const path of ["/v1/tokens/describe", "/v1/tokens/delete"]) {
      const theirs = await edge.postToVault(path, { token }, stranger);
      const none = await edge.postToVault(path, { token: unknown }, stranger);
      expect([theirs.status, await theirs.text()]).toEqual([none.status, await none.text()]);
      expect(none.status).toBe(404);
      const malformed = await edge.postToVault(path, { token: "4242" }, stranger);
      expect((await refused(malformed))[1].code).toBe("UNKNOWN_TOKEN");
    }
    // Forgetting a stranger's CVC answers the same, and does nothing.
    expect((await edge.postToVault("/v1/cvc/forget", { tokens: [token, unknown] }, stranger)).status).toBe(
      200,
    );
    const still = await edge.postToVault("/v1/tokens/describe", { token }, auth);
    expect(await still.json()).toMatchObject({ cvcAvailable: true });
  });

  it("deletes a card: the token is unknown from then on, and nothing of the card is left", async () => {
    const { token } = await tokenize(VISA);
    expect((await edge.postToVault("/v1/tokens/delete", { token }, auth)).status).toBe(200);
    for (const path of ["/v1/tokens/describe", "/v1/tokens/delete"])
      expect((await refused(await edge.postToVault(path, { token }, auth)))[1].code).toBe("UNKNOWN_TOKEN");
    const rows = await edge.rowsOf(token);
    expect(rows.token).toMatchObject({ fingerprint: "", deleted_at: expect.any(Number) });
    expect(rows.sealedBytes).toBe(0);
    expect(rows.cvc).toBeUndefined();
  });

  it.each(paths)("%s needs the region's word", async (path) => {
    const { token } = await tokenize(VISA);
    const forged = await startForger(merchant);
    for (const headers of [
      {},
      { "tessera-vault-auth": "nonsense" },
      forged,
      { "tessera-identity": auth["tessera-vault-auth"] as string },
    ]) {
      const answer = await edge.postToVault(path, { token, tokens: [token] }, headers);
      expect(await refused(answer)).toEqual([401, expect.objectContaining({ code: "UNAUTHENTICATED" })]);
    }
  });

  it.each(paths)("%s refuses a body of the wrong form", async (path) => {
    const answer = await edge.postToVault(path, { tokens: "tok" }, auth);
    expect(await refused(answer)).toEqual([400, expect.objectContaining({ code: "INVALID_REQUEST" })]);
  });
});

/** A word signed with a key that no vault knows. */
async function startForger(forMerchant: MerchantId): Promise<Record<string, string>> {
  const { newDevSecrets } = await import("../dev-secrets.ts");
  const { signingKey, signVaultRequest } = await import("../../subgraphs/kernel/identity.ts");
  const signer = await signingKey(JSON.parse(newDevSecrets().region.VAULT_SIGNING_KEY));
  return { "tessera-vault-auth": await signVaultRequest(forMerchant, signer, new Date()) };
}

describe("the card page", () => {
  it("may be framed by anyone and runs nothing but its own two files", async () => {
    const page = await edge.vault.fetch(`${VAULT_ORIGIN}/card`);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = page.headers.get("content-security-policy") ?? "";
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors *",
    ])
      expect(policy).toContain(rule);
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    const html = await page.text();
    expect(html).not.toMatch(/<script>|<style|style=|onclick/);
    for (const name of ["cc-number", "cc-exp", "cc-csc"]) expect(html).toContain(`autocomplete="${name}"`);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string);
    expect(files).toHaveLength(2);
    for (const path of files) {
      const file = await edge.vault.fetch(`${VAULT_ORIGIN}${path}`);
      expect(file.status).toBe(200);
      expect(file.headers.get("cache-control")).toContain("immutable");
      expect(file.headers.get("content-type")).toMatch(path.endsWith(".js") ? /javascript/ : /css/);
    }
  });

  it("is the only thing that is served", async () => {
    for (const path of ["/", "/card.html", "/assets", "/assets/", "/assets/nothing.js", "/worker.js"])
      expect((await edge.vault.fetch(`${VAULT_ORIGIN}${path}`)).status, path).toBe(404);
    expect((await edge.vault.fetch(`${VAULT_ORIGIN}/healthz`)).status).toBe(200);
  });
});
