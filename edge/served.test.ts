import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type MerchantId, newId } from "../subgraphs/kernel/ids.ts";
import { filesBelow, tracesOf } from "./testing/card-traces.ts";
import { ServedEdge } from "./testing/served-edge.ts";
import { cardForm, VISA } from "./testing/vault-client.ts";

/**
 * The generated configuration, really serving: what only shows with real sockets, a real disk and a real kill.
 * The last tests scan everything that the ones before left behind.
 */
const edge = new ServedEdge();
/** Random, and never the test cards': what is found must come from here. */
const CANARIES = [randomVisa(), randomVisa()] as const;
let merchant: MerchantId;
let publishableKey: string;
let secretKey: string;
let token: string;

function randomVisa(): string {
  const digits = `4${Array.from({ length: 14 }, () => Math.floor(Math.random() * 10)).join("")}`;
  const sum = Array.from(digits).reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return digits + ((10 - (sum % 10)) % 10);
}

beforeAll(async () => {
  await edge.open({
    vault: { EGRESS_TIMEOUT_MS: "400", CVC_LIFETIME_MS: "1500" },
    api: { REGION_TIMEOUT_MS: "400" },
  });
  merchant = edge.region.newMerchant();
  publishableKey = await edge.region.issueKey("publishable", merchant);
  secretKey = await edge.region.issueKey("secret", merchant);
});
afterAll(() => edge.close());
beforeEach(() => {
  edge.provider.requests.length = 0;
  edge.region.requests.length = 0;
  edge.provider.answer = () => ({ body: '{"id":"pi_1"}' });
  edge.region.answer = () => ({ body: '{"data":{}}' });
});

const tokenize = async (number: string = CANARIES[0]) =>
  ((await (await edge.tokenize({ ...VISA, number }, publishableKey)).json()) as { token: string }).token;
const number = () =>
  new URLSearchParams(edge.provider.requests.at(-1)?.body).get("payment_method_data[card][number]");

it("serves both workers: a card becomes a token, and the token a card at the provider", async () => {
  token = await tokenize();
  const answer = await edge.egress(merchant, token, cardForm());
  expect([answer.status, answer.headers.get("tessera-egress")]).toEqual([200, "forwarded"]);
  expect(number()).toBe(CANARIES[0]);
  expect(Object.keys(edge.provider.requests[0]?.headers ?? {}).sort()).toEqual([
    "authorization",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "user-agent",
  ]);
});

it("sends the region exactly the headers that it should have", async () => {
  const headers = {
    "tessera-dev-cf": '{"country":"DE"}',
    "tessera-x": "1",
    "cf-connecting-ip": "203.0.113.9",
  };
  expect((await edge.graphql(secretKey, {}, headers)).status).toBe(200);
  const [received] = edge.region.requests;
  expect(received?.identity).toMatchObject({ merchant, country: "DE", ip: "203.0.113.9" });
  expect(Object.keys(received?.headers ?? {}).sort()).toEqual([
    "accept",
    "content-length",
    "content-type",
    "host",
    "tessera-identity",
    "tessera-request-id",
  ]);
});

it("passes a provider's message on, byte for byte, with the headers that it is signed with", async () => {
  const body = Uint8Array.from({ length: 10_000 }, (_, at) => (at * 31) % 256);
  const headers = { "stripe-signature": "t=1,v1=a", "x-other": "1", "content-type": "application/json" };
  const answer = await fetch(`${edge.api}/webhooks/stripe/eu-1`, { method: "POST", headers, body });
  expect([answer.status, await answer.text()]).toEqual([200, "[accepted]"]);
  const [received] = edge.region.inbound;
  expect(received?.bytes.equals(body)).toBe(true);
  expect(received?.word).toMatchObject({ path: "/webhooks/stripe/eu-1" });
  expect(Object.keys(received?.headers ?? {}).sort()).toEqual([
    "content-length",
    "content-type",
    "host",
    "stripe-signature",
    "tessera-identity",
    "tessera-request-id",
    "user-agent",
  ]);
});

it("refuses a large body that is streamed", async () => {
  let left = 1024;
  const body = new ReadableStream({
    pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(1024)) : controller.close()),
  });
  const answer = await edge.graphql(secretKey, { body, duplex: "half" } as RequestInit);
  expect(answer.status).toBe(413);
});

describe("a provider", () => {
  it.each([
    ["that redirects", () => ({ status: 307, headers: { location: "/v1/customers" } }), "REDIRECT_REFUSED"],
    ["that breaks the connection", () => "reset" as const, "PROVIDER_UNREACHABLE"],
  ])("%s: failed, and sent once", async (_name, answer, code) => {
    const fresh = await tokenize();
    edge.provider.answer = answer;
    const failed = await edge.egress(merchant, fresh, cardForm());
    expect([failed.status, failed.headers.get("tessera-egress")]).toEqual([502, "failed"]);
    expect(await failed.json()).toMatchObject({ error: { code } });
    expect(edge.provider.requests).toHaveLength(1);
  });

  it("that repeats the whole request: the number is masked", async () => {
    edge.provider.answer = ({ body }) => ({ status: 400, body: `{"received":"${body}"}` });
    const answer = await edge.egress(merchant, await tokenize(), cardForm());
    expect(tracesOf(CANARIES[0], Buffer.from(await answer.text()))).toEqual([]);
  });
});

it.each([
  ["breaks the connection", "reset" as const, 503],
  ["is silent", "hang" as const, 504],
])("a region that %s: UNAVAILABLE, and sent once", async (_name, region, status) => {
  edge.region.answer = () => region;
  const answer = await edge.graphql(secretKey);
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: "UNAVAILABLE" } }] });
  expect(edge.region.requests).toHaveLength(1);
});

it("answers those who wait when the request that began a key's look-up is cancelled", async () => {
  const key = await edge.region.issueKey("secret");
  edge.region.lookupAnswer = () => new Promise((resolve) => setTimeout(() => resolve(null), 300));
  const gone = new Promise((resolve) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    const first = request(`${edge.api}/graphql`, { method: "POST", headers, agent: false });
    first.once("error", resolve).end("{}");
    // A reset, which workerd notices at once: a connection that is only closed could still be waited for.
    setTimeout(() => first.socket?.resetAndDestroy(), 100);
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = performance.now();
  const second = edge.graphql(key);
  await gone;
  expect((await second).status).toBe(200);
  // The look-up went on without its request: had it died, the second would have waited to ask again.
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(edge.region.lookups.filter((hash) => hash === edge.region.lookups.at(-1))).toHaveLength(1);
  edge.region.lookupAnswer = null;
});

it("deletes a security code when its time is over, by itself", async () => {
  const fresh = await tokenize();
  const described = async () => {
    const body = JSON.stringify({ token: fresh });
    const answer = await edge.post("/v1/tokens/describe", body, await edge.auth(merchant));
    return ((await answer.json()) as { cvcAvailable: boolean }).cvcAvailable;
  };
  expect(await described()).toBe(true);
  expect(codesOnDisk()).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 1_900));
  expect(await described()).toBe(false);
  const refused = await edge.egress(merchant, fresh, cardForm(), "ref_late");
  expect(await refused.json()).toMatchObject({ error: { code: "CVC_UNAVAILABLE" } });
  // Not merely hidden: the alarm has taken the rows away.
  expect(codesOnDisk()).toBe(0);
});

/** How many security codes there are in the Durable Objects' databases, which workerd has open meanwhile. */
function codesOnDisk(): number {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const shards = filesBelow(join(edge.dir, "storage")).filter(({ path }) =>
    /[0-9a-f]{64}\.sqlite$/.test(path),
  );
  const codes = shards.map(({ path }) => {
    const database = new DatabaseSync(path, { readOnly: true });
    const row = database.prepare("SELECT count(*) AS codes FROM cvc").get() as { codes: number };
    database.close();
    return row.codes;
  });
  return codes.reduce((sum, count) => sum + count, 0);
}

it("after a kill, and with new keys: old tokens open, new ones are sealed with the new key", async () => {
  await edge.kill();
  const rotated = (name: "VAULT_KEKS" | "VAULT_ENCRYPTION_KEYS", fresh: string) => {
    const before = JSON.parse(edge.secrets.vault[name]) as { keys: object };
    const after = JSON.parse(fresh) as { current: string; keys: Record<string, unknown> };
    const [key] = Object.values(after.keys);
    return JSON.stringify({ current: "dev-2", keys: { ...before.keys, "dev-2": key } });
  };
  const { newDevSecrets } = await import("./dev-secrets.ts");
  const fresh = newDevSecrets().vault;
  const before = edge.secrets;
  edge.secrets = {
    ...before,
    vault: {
      ...before.vault,
      VAULT_KEKS: rotated("VAULT_KEKS", fresh.VAULT_KEKS),
      VAULT_ENCRYPTION_KEYS: rotated("VAULT_ENCRYPTION_KEYS", fresh.VAULT_ENCRYPTION_KEYS),
    },
  };
  await edge.start({
    vault: { EGRESS_TIMEOUT_MS: "400", CVC_LIFETIME_MS: "1500" },
    api: { REGION_TIMEOUT_MS: "400" },
  });

  const withoutCvc = new URLSearchParams(cardForm());
  withoutCvc.delete("payment_method_data[card][cvc]");
  expect((await edge.egress(merchant, token, withoutCvc.toString())).headers.get("tessera-egress")).toBe(
    "forwarded",
  );
  expect(number()).toBe(CANARIES[0]);
  const published = (await (await fetch(`${edge.vault}/v1/encryption-key`)).json()) as { keyId: string };
  expect(published.keyId).toBe("dev-2");
  const later = await tokenize(CANARIES[1]);
  expect((await edge.egress(merchant, later, cardForm())).headers.get("tessera-egress")).toBe("forwarded");
  expect(number()).toBe(CANARIES[1]);

  // Without the old key, the old token is unreadable and the new one is not.
  await edge.kill();
  const keks = JSON.parse(edge.secrets.vault.VAULT_KEKS) as { keys: Record<string, string> };
  const onlyNew = JSON.stringify({ current: "dev-2", keys: { "dev-2": keks.keys["dev-2"] } });
  edge.secrets = { ...edge.secrets, vault: { ...edge.secrets.vault, VAULT_KEKS: onlyNew } };
  await edge.start();
  expect(await (await edge.egress(merchant, token, withoutCvc.toString())).json()).toMatchObject({
    error: { code: "CARD_UNREADABLE" },
  });
  expect((await edge.egress(merchant, later, withoutCvc.toString())).headers.get("tessera-egress")).toBe(
    "forwarded",
  );
});

describe("what is left behind by all of this", () => {
  it("holds no card number, in no file and no log", async () => {
    const files = filesBelow(edge.dir);
    expect(files.filter(({ path }) => path.includes(".sqlite")).length).toBeGreaterThan(3);
    for (const canary of CANARIES) {
      for (const { path, contents } of files) expect(tracesOf(canary, contents), path).toEqual([]);
      expect(tracesOf(canary, Buffer.from(edge.logs))).toEqual([]);
      expect(tracesOf(canary, Buffer.from(JSON.stringify(edge.region.requests)))).toEqual([]);
    }
  });

  it("holds no secret in a file either", () => {
    const text = filesBelow(edge.dir)
      .map(({ contents }) => contents.toString("latin1"))
      .join("");
    expect(text).not.toContain(edge.secrets.vault.VAULT_FINGERPRINT_KEY);
    const { keys } = JSON.parse(edge.secrets.vault.VAULT_KEKS) as { keys: Record<string, string> };
    for (const key of Object.values(keys)) expect(text).not.toContain(key);
  });

  it("would be found", () => {
    const [canary] = CANARIES;
    const grouped = canary.replace(/(\d{4})/g, "$1 ").trim();
    const forms = [
      canary,
      grouped,
      grouped.replaceAll(" ", "-"),
      Buffer.from(canary).toString("hex"),
      ...["", "a", "ab"].map((before) => Buffer.from(`${before}${canary}","exp`).toString("base64")),
    ];
    for (const form of forms) {
      writeFileSync(join(edge.dir, "planted"), `x${form}x`);
      const found = filesBelow(edge.dir).filter(({ contents }) => tracesOf(canary, contents).length > 0);
      expect(
        found.map(({ path }) => path),
        form,
      ).toEqual([join(edge.dir, "planted")]);
    }
  });
});

it("knows nothing of merchants that it was not told about", async () => {
  const stranger = newId("mer", { region: 1, shard: 7 }, new Date());
  const answer = await edge.egress(stranger, token, cardForm());
  expect(await answer.json()).toMatchObject({ error: { code: "UNKNOWN_TOKEN" } });
});
