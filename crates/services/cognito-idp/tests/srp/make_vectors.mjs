// Makes srp_vectors.json's first half with the client library itself: `npm install amazon-cognito-identity-js`,
// then `node make_vectors.mjs`. The server's arithmetic here is plain BigInt, so that it shares nothing with ours.
import { createRequire } from "node:module";
import { createHash, createHmac, randomBytes } from "node:crypto";

const require = createRequire(process.cwd() + "/");
const lib = "amazon-cognito-identity-js/lib/";
const AuthenticationHelper = require(lib + "AuthenticationHelper").default;
const BigInteger = require(lib + "BigInteger").default;

const power = (base, exponent, modulus) => {
  let result = 1n;
  for (base %= modulus; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
};

const people = [
  ["AbCdEfGhI", "ann", "Correct-horse7"],
  ["123456789", "e4b8a418-7011-70aa-3f5c-0123456789ab", "Pässwörter sind 1 Übel!"],
  ["zzzzzzzzz", "bob@example.com", "x".repeat(256)],
  ["POOLNAME1", "名前", "パスワード1aA!"],
  ["AbCdEfGhI", "a:b", "with:colon1A!"],
  ["AbCdEfGhI", "carol", " leading and trailing 1A "],
];
const vectors = [];
for (const [pool, user, password] of [...people, ...people]) {
  const helper = new AuthenticationHelper(pool);
  const [N, k] = [helper.N, helper.k].map((n) => BigInt("0x" + n.toString(16)));
  const salt = randomBytes(16);
  salt[0] = 0x40 | (salt[0] & 0x3f);
  const inner = createHash("sha256").update(`${pool}${user}:${password}`).digest();
  const x = BigInt("0x" + createHash("sha256").update(salt).update(inner).digest("hex"));
  const v = power(2n, x, N);
  const b = randomBytes(32);
  const B = (k * v + power(2n, BigInt("0x" + b.toString("hex")), N)) % N;
  const key = await new Promise((resolve, reject) =>
    helper.getPasswordAuthenticationKey(
      user, password, new BigInteger(B.toString(16), 16), new BigInteger(salt.toString("hex"), 16),
      (error, key) => (error ? reject(error) : resolve(key))));
  const block = randomBytes(64);
  const timestamp = "Sat Nov 21 01:02:03 UTC 2026";
  const signature = createHmac("sha256", key).update(pool).update(user).update(block).update(timestamp).digest();
  vectors.push({
    client: "amazon-cognito-identity-js", pool, user, password,
    salt: salt.toString("hex"), srp_a: helper.largeAValue.toString(16), b: b.toString("hex"),
    srp_b: B.toString(16), key: Buffer.from(key).toString("hex"), secret_block: block.toString("hex"),
    timestamp, signature: signature.toString("hex"),
  });
}
console.log(JSON.stringify(vectors, null, 1));
