import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** PostgreSQL's default (`scram_iterations`) and the least that RFC 7677 allows. Enough for 285 random bits. */
const ITERATIONS = 4_096;
/** PostgreSQL's own salt length. */
export const SCRAM_SALT_BYTES = 16;

/**
 * Verifier that PostgreSQL stores for a password, computed here so that the password itself is in no statement, hence in
 * no server log: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (RFC 5802 section 3, RFC 7677;
 * PostgreSQL's `scram_build_secret`). No kept-up npm package builds verifiers, `pg` has the client's half only.
 *
 * @param password printable ASCII only, which SASLprep (RFC 4013) leaves as it is
 */
export async function scramVerifier(password: string, salt: Buffer): Promise<string> {
  if (!/^[ -~]+$/.test(password)) throw new RangeError("a password beyond printable ASCII needs SASLprep");
  const salted = await derive(password, salt, ITERATIONS, 32, "sha256");
  const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
