import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Platform, payments, startPlatform } from "../support/platform.ts";

/**
 * Where card numbers must not be: after payments, declines, a lost answer, a replay and a refused request, every
 * table, every log, every file of the platform and every request that the provider got other than through the
 * vault is searched for the numbers, raw, spaced, in base64 and in hex.
 */
const NUMBERS = [
  "4242424242424242",
  "4000000000009995",
  "5555555555554444",
  "378282246310005",
  "4000000000000127",
];
const CVC = "918";

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({
    sandboxRequestLog: true,
    regionEnv: { PROVIDER_DEADLINE_MS: "1500", LOG_LEVEL: "trace" },
  });
});
afterAll(() => platform?.stop());

const groups = (number: string, separator: string) => (number.match(/.{1,4}/g) ?? []).join(separator);

/** What the numbers look like in the clothes that software puts them into. */
function disguises(number: string): string[] {
  const bytes = Buffer.from(number);
  const base64 = [0, 1, 2].map((shift) => {
    // Inside a longer text the same bytes give one of three spellings; their middles are what stays.
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    return text.slice(shift === 0 ? 0 : shift + 1, -2);
  });
  return [
    number,
    groups(number, " "),
    groups(number, "-"),
    groups(number, "+"),
    groups(number, "%20"),
    [...number].join(" "),
    bytes.toString("hex"),
    BigInt(number).toString(16).padStart(14, "0"),
    ...base64,
  ];
}
const needles = NUMBERS.flatMap((number) => disguises(number).map((needle) => ({ number, needle })));

function findings(text: string): string[] {
  const lower = text.toLowerCase();
  return needles
    .filter(({ needle }) => text.includes(needle) || lower.includes(needle.toLowerCase()))
    .map(({ number, needle }) => `${number} as ${needle}`);
}

it("finds what it looks for, in every disguise", () => {
  for (const number of NUMBERS) {
    expect(findings(`x ${number} y`)).not.toEqual([]);
    expect(findings(groups(number, " "))).not.toEqual([]);
    for (const shift of ["", "a", "ab"]) {
      expect(findings(Buffer.from(`${shift}${number}zz`).toString("base64")), shift).not.toEqual([]);
      expect(findings(Buffer.from(`${shift}${number}`).toString("hex")), shift).not.toEqual([]);
    }
  }
  expect(findings("4242 and 424242******4242 and tok_01_4242")).toEqual([]);
});

it("finds no card number in any table, log, file or foreign request", async () => {
  const api = payments(platform);
  for (const number of NUMBERS) {
    const token = await platform.token({ number, cvc: number.startsWith("37") ? "9182" : CVC });
    const result = await api.authorize({
      token,
      captureMethod: "AUTOMATIC",
      payer: { ipAddress: "192.0.2.7" },
    });
    if (result.__typename === "Payment") await api.refund(result.id, { amount: api.money(500) });
  }
  await platform.sandbox.faults({
    match: { operation: "create" },
    times: 1,
    fault: { kind: "lose_response" },
  });
  const lost = await api.authorize({
    token: await platform.token({ number: NUMBERS[2] as string, cvc: CVC }),
  });
  await api.settled(lost.payment.id);
  // A merchant that sends a card number where it does not belong.
  await api.authorize({ token: NUMBERS[0] });
  await platform.request(`{ payment(id: "${NUMBERS[1]}") { id } }`);
  await platform.sandbox.flush();
  await new Promise((resolve) => setTimeout(resolve, 500));

  const found: string[] = [];
  const look = (where: string, text: string) => {
    for (const finding of findings(text)) found.push(`${where}: ${finding}`);
  };

  const tables = await platform.owner<{ schema: string; name: string }[]>`
    select schemaname as schema, tablename as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  expect(tables.length).toBeGreaterThan(15);
  let rows = 0;
  for (const { schema, name } of tables) {
    const all = await platform.owner.unsafe(`select to_jsonb(t)::text as row from ${schema}.${name} t`);
    for (const { row } of all) look(`table ${schema}.${name}`, row as string);
    rows += all.length;
  }
  expect(rows).toBeGreaterThan(50);

  const files = filesUnder(platform.home).filter((file) => !file.includes("/postgres/"));
  expect(files.some((file) => file.endsWith("region.log"))).toBe(true);
  expect(files.some((file) => file.endsWith(".sqlite"))).toBe(true);
  for (const file of files.filter((name) => !name.endsWith("sandbox-requests.jsonl"))) {
    look(file.slice(platform.home.length), readFileSync(file).toString("latin1"));
  }
  expect(readFileSync(join(platform.home, "logs", "region.log"), "utf8")).toContain("unknown");

  // What reached the provider: card numbers only in requests that create a payment, which only the vault sends.
  const requests = readFileSync(join(platform.home, "sandbox-requests.jsonl"), "utf8").trim().split("\n");
  const parsed = requests.map(
    (line) =>
      JSON.parse(line) as { method: string; path: string; headers: Record<string, string>; body: string },
  );
  const throughProxy = ({ method, path }: { method: string; path: string }) =>
    method === "POST" && path === "/v1/payment_intents";
  for (const request of parsed.filter((one) => !throughProxy(one)))
    look(`request ${request.path}`, JSON.stringify(request));
  expect(parsed.filter(throughProxy).length).toBeGreaterThanOrEqual(NUMBERS.length);
  for (const request of parsed.filter(throughProxy)) {
    look("headers and path of a charge", JSON.stringify({ ...request, body: "" }));
    expect(findings(decodeURIComponent(request.body))).not.toEqual([]);
  }

  expect(found).toEqual([]);
});

it("has forgotten the security codes of recorded authorizations", async () => {
  const token = await platform.token({ cvc: CVC });
  const api = payments(platform);
  await api.authorize({ token });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = (await platform.sandbox.requests()).received;
  await api.authorize({ token });
  expect((await platform.sandbox.requests()).received).toBeGreaterThan(before);
  await platform.sandbox.flush();
  const last = readFileSync(join(platform.home, "sandbox-requests.jsonl"), "utf8")
    .trim()
    .split("\n")
    .at(-1) as string;
  const { body } = JSON.parse(last) as { body: string };
  expect(decodeURIComponent(body)).toContain("[card][number]=4242424242424242");
  expect(decodeURIComponent(body)).not.toContain("[card][cvc]");
});

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    return stat.isDirectory() ? filesUnder(path) : [path];
  });
}
