// node verify-proof.mjs proof.json key.json: proves, with a public JWK alone, that a row was in the books as shown.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const must = (holds, words) => holds || (console.error(`NOT PROVEN: ${words}`), process.exit(1));
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const hex = (text, n) => must(RegExp(`^[0-9a-f]{${2 * n}}$`).test(text), text) && Buffer.from(text, "hex");
/** A version byte, then the fields, each "name:bytes": big-endian, beyond 8 bytes in hexadecimal; 0 is a text. */
function encode(fields, from) {
  const parts = fields.split(" ").map((field) => {
    const [name, size] = [field.split(":")[0], Number(field.split(":")[1])];
    if (size > 8) return hex((from[name] ?? "0".repeat(32)).replaceAll("-", ""), size);
    if (size === 0) return Buffer.from(String.fromCharCode(from[name].length) + from[name], "latin1");
    const [value, bytes] = [BigInt(from[name]), Buffer.alloc(8)];
    bytes.writeBigInt64BE(must(BigInt.asIntN(8 * size, value) === value, name) && value);
    return bytes.subarray(8 - size);
  });
  return Buffer.concat([Buffer.of(1), ...parts]);
}
/** The root that a path leads to from the leaf at place `at` of `width` (RFC 9162, section 2.1.3.2). */
function rootOf(bytes, at, width, path) {
  let node = must(at >= 0 && at < width && at % 1 === 0, "no such place") && sha256(Buffer.of(0), bytes);
  for (const sibling of path) {
    while (at % 2 === 0 && at + 1 === width && width > 1) [at, width] = [at / 2, (width + 1) / 2];
    node = sha256(Buffer.of(1), ...(at % 2 === 1 ? [hex(sibling, 32), node] : [node, hex(sibling, 32)]));
    [at, width] = [Math.floor(at / 2), Math.ceil(width / 2)];
  }
  return must(at === 0 && width === 1, "a path leads elsewhere") && node.toString("hex");
}
const [proof, keys] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file)));
const { row, batch, checkpoint, accounts } = proof;
const first = "shard:2 seq:8 id:16 kind:2 cause:2 debit:8 credit:8 amount:8 currency:0";
const rowBytes = encode(`${first} pending:16 atMicros:8 content:8`, row);
const root = rootOf(rowBytes, Number(BigInt(row.seq) - BigInt(batch.firstSeq)), batch.count, proof.path);
const header = { ...batch, shard: row.shard, atMicros: row.atMicros, root };
const headerBytes = encode("shard:2 number:8 firstSeq:8 count:4 atMicros:8 root:32 mac:32", header);
const { signed, signature, index, path } = checkpoint;
const said = JSON.parse(signed);
must(said.format === "tessera.checkpoint.v1" && /^[A-Z]{3,99}$/.test(row.currency), "another format");
must(rootOf(headerBytes, index, said.batches, path) === said.root, "the checkpoint has another root");
const key = createPublicKey({ key: [keys].flat().find(({ kid }) => kid === said.key), format: "jwk" });
must(verify(null, Buffer.from(signed), key, Buffer.from(signature, "base64url")), "the signature is wrong");
const named = (id, { book, code } = {}) => {
  const digest = sha256(Buffer.from(`${book}/${code}/${row.currency}`)).readBigUInt64BE();
  return BigInt.asUintN(63, digest) === BigInt(id) ? `${code} of book ${book}` : `account ${id}`;
};
const at = new Date(Number(BigInt(row.atMicros) / 1000n)).toISOString();
console.log(`PROVEN: transfer ${row.id} (${["single", "pending", "post", "release"][row.kind]}), posted ${at}: ${row.amount} minor units of
  ${row.currency}, debits ${named(row.debit, accounts.debit)}, credits ${named(row.credit, accounts.credit)};
  row ${row.seq} of shard ${row.shard}, batch ${batch.number}, in the checkpoint that ${said.key} signed at ${said.at}`);
