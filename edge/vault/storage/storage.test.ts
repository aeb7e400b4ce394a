import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EgressClient } from "../../testing/egress-client.ts";
import { cardForm, VISA } from "../../testing/vault-client.ts";

/** What the vault keeps: security codes for one use, and rows that a thief with the storage cannot use. */
let client: EgressClient;
const NUMBER = "4242424242424242";

beforeAll(async () => {
  client = await EgressClient.start();
});
afterAll(() => client.edge.close());
beforeEach(() => client.reset());

describe("the security code", () => {
  const withoutCvc = () => {
    const form = new URLSearchParams(cardForm());
    form.delete("payment_method_data[card][cvc]");
    return form.toString();
  };
  const described = async (reference?: string) => {
    const asked = { token: client.token, reference };
    const answer = await client.edge.postToVault("/v1/tokens/describe", asked, client.auth);
    return (await answer.json()) as { cvcAvailable: boolean };
  };

  it("goes to the first reference only, as often as that asks", async () => {
    expect((await described()).cvcAvailable).toBe(true);
    expect((await described()).cvcAvailable).toBe(true);
    expect((await client.send({ reference: "ref_1" })).outcome).toBe("forwarded");
    expect((await described()).cvcAvailable).toBe(false);
    expect((await described("ref_2")).cvcAvailable).toBe(false);
    expect((await described("ref_1")).cvcAvailable).toBe(true);
    expect((await client.send({ reference: "ref_1" })).outcome).toBe("forwarded");
    const other = await client.send({ reference: "ref_2" });
    expect([other.status, other.code, other.outcome]).toEqual([409, "CVC_UNAVAILABLE", "refused"]);
    expect(client.edge.provider.requests).toHaveLength(2);
  });

  it("is promised to the first reference that a description names, and kept for it", async () => {
    const promises = await Promise.all(["ref_1", "ref_2", "ref_3"].map((reference) => described(reference)));
    expect(promises.filter(({ cvcAvailable }) => cvcAvailable)).toHaveLength(1);
    const winner = `ref_${promises.findIndex(({ cvcAvailable }) => cvcAvailable) + 1}`;
    for (const reference of ["ref_1", "ref_2", "ref_3"]) {
      const { outcome } = await client.send({ reference });
      expect(outcome, reference).toBe(reference === winner ? "forwarded" : "refused");
    }
  });

  it("goes to one of many that ask at the same time", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => client.send({ reference: `ref_${at}` })),
    );
    expect(answers.filter(({ outcome }) => outcome === "forwarded")).toHaveLength(1);
    expect(answers.filter(({ code }) => code === "CVC_UNAVAILABLE")).toHaveLength(11);
  });

  it("is not used up by a request without it", async () => {
    expect((await client.send({ reference: "ref_1", body: withoutCvc() })).outcome).toBe("forwarded");
    expect((await client.send({ reference: "ref_2" })).outcome).toBe("forwarded");
  });

  it("is gone once it is to be forgotten; the card stays", async () => {
    await client.send();
    expect(
      (await client.edge.postToVault("/v1/cvc/forget", { tokens: [client.token] }, client.auth)).status,
    ).toBe(200);
    expect((await client.edge.rowsOf(client.token)).cvc).toBeUndefined();
    expect((await client.send()).code).toBe("CVC_UNAVAILABLE");
    expect((await client.send({ body: withoutCvc() })).outcome).toBe("forwarded");
    expect(
      (await client.edge.postToVault("/v1/cvc/forget", { tokens: [client.token] }, client.auth)).status,
    ).toBe(200);
  });

  it("is not given out past its time, even if its row is still there", async () => {
    await client.send();
    const database = await client.edge.database(client.token);
    await database.exec("UPDATE cvc SET expires_at = ? WHERE token = ?", Date.now() - 1, client.token);
    expect((await client.send()).code).toBe("CVC_UNAVAILABLE");
    expect((await described()).cvcAvailable).toBe(false);
  });
});

describe("a thief who can write to the storage", () => {
  const SEALED = "sealed, wrapped_dek, kek_id";

  /** Puts the sealed columns of one token's row into another's. */
  async function move(from: string, to: string, columns = SEALED): Promise<void> {
    const source = await client.edge.database(from);
    const [row] = await source.exec(`SELECT ${columns} FROM token WHERE id = ?`, from);
    const target = await client.edge.database(to);
    const set = columns.split(", ").map((column) => `${column} = ?`);
    await target.exec(`UPDATE token SET ${set.join(", ")} WHERE id = ?`, ...Object.values(row ?? {}), to);
  }

  it("cannot make a token open as another card, whole or in parts", async () => {
    const victim = await client.tokenize({ ...VISA, number: "5555555555554444" });
    for (const columns of [SEALED, "sealed", "wrapped_dek"]) {
      const own = await client.tokenize();
      await move(victim, own, columns);
      const answer = await client.send({ token: own });
      expect([answer.status, answer.code, answer.outcome]).toEqual([500, "CARD_UNREADABLE", "refused"]);
    }
    expect(client.edge.provider.requests).toHaveLength(0);
  });

  it("does no harm by putting a row back as it was, which shows that the others fail for what they changed", async () => {
    await move(client.token, client.token);
    expect((await client.send()).outcome).toBe("forwarded");
  });

  it("cannot make another merchant's card his own", async () => {
    const thief = client.edge.region.newMerchant();
    const database = await client.edge.database(client.token);
    await database.exec("UPDATE token SET merchant = ? WHERE id = ?", thief, client.token);
    const answer = await client.send({ headers: await client.edge.vaultAuth(thief) });
    expect([answer.code, answer.outcome]).toEqual(["CARD_UNREADABLE", "refused"]);
  });

  it("cannot move a security code to another token", async () => {
    const other = await client.tokenize({ ...VISA, cvc: "999" });
    const [row] = await (await client.edge.database(other)).exec(
      "SELECT sealed FROM cvc WHERE token = ?",
      other,
    );
    const database = await client.edge.database(client.token);
    await database.exec("UPDATE cvc SET sealed = ? WHERE token = ?", row?.["sealed"], client.token);
    expect((await client.send()).code).toBe("CVC_UNAVAILABLE");
  });

  it("sees ciphertext where card and code are", async () => {
    const rows = await (await client.edge.database(client.token)).exec(
      "SELECT * FROM token JOIN cvc ON token.id = cvc.token",
    );
    const bytes = rows
      .flatMap((row) => Object.values(row))
      .map((value) => (value instanceof ArrayBuffer ? Buffer.from(value).toString("latin1") : String(value)));
    expect(bytes.join("\n")).not.toContain(NUMBER);
    expect(bytes).not.toContain("123");
  });
});
