import { createHash, createHmac } from "node:crypto";
import { scramVerifier } from "../../../lib/rotation/targets/scram-verifier";

/** The example exchange of RFC 7677, section 3: user "user", password "pencil". */
const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
const exchange =
  "n=user,r=rOprNGfwEbeRWgbNEkqO," +
  "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
  "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const clientProof = Buffer.from("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "base64");
const serverSignature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

test("the verifier proves the client and the server of RFC 7677's example", async () => {
  const verifier = await scramVerifier("pencil", salt);
  const [, storedKey, serverKey] = /^SCRAM-SHA-256\$4096:[^$]+\$([^:]+):(.+)$/.exec(verifier) ?? [];
  const hmac = (key: string | undefined) =>
    createHmac("sha256", Buffer.from(key ?? "", "base64"))
      .update(exchange)
      .digest();
  expect(hmac(serverKey).toString("base64")).toBe(serverSignature);
  // RFC 5802: the server takes the signature off the proof, and the hash of what is left is StoredKey.
  const signature = hmac(storedKey);
  const clientKey = Buffer.from(clientProof.map((byte, index) => byte ^ (signature[index] ?? 0)));
  expect(createHash("sha256").update(clientKey).digest("base64")).toBe(storedKey);
});

test("a password that SASLprep would change is refused", async () => {
  await expect(scramVerifier("ⅠX", salt)).rejects.toThrow(RangeError);
});
