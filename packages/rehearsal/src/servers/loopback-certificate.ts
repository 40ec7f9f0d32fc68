import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/**
 * Certificates for servers on loopback. Node's crypto signs, but does not write X.509; the few DER structures
 * that it takes (RFC 5280) are below, so that no certificate tool and no package is needed.
 */

/** A server's certificate and the authority that vouches for it. The authority's own key is thrown away. */
export interface LoopbackCertificate {
  /** Certificate that clients trust. */
  readonly caPem: string;
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
}

const HOSTS = ["localhost", "127.0.0.1"] as const;
const DAY_MS = 86_400_000;
const VALID_DAYS = 30;

/** Makes a certificate for `localhost` and `127.0.0.1`, with an authority of its own, valid for 30 days. */
export function loopbackCertificate(server: string): LoopbackCertificate {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const leaf = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = `${server} rehearsal authority`;
  return {
    caPem: certificate({
      issuer,
      subject: issuer,
      publicKey: authority.publicKey,
      signer: authority,
      extensions: [
        extension(BASIC_CONSTRAINTS, true, sequence(BOOLEAN_TRUE)),
        // keyCertSign and cRLSign are bits 5 and 6.
        extension(KEY_USAGE, true, bitString(Buffer.from([0b0000_0110]), 1)),
      ],
    }),
    certificatePem: certificate({
      issuer,
      subject: server,
      publicKey: leaf.publicKey,
      signer: authority,
      extensions: [
        extension(BASIC_CONSTRAINTS, true, sequence()),
        // digitalSignature is bit 0.
        extension(KEY_USAGE, true, bitString(Buffer.from([0b1000_0000]), 7)),
        extension(EXTENDED_KEY_USAGE, false, sequence(SERVER_AUTH)),
        extension(SUBJECT_ALTERNATIVE_NAME, false, sequence(...HOSTS.map(generalName))),
      ],
    }),
    privateKeyPem: leaf.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

interface CertificateContent {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signer: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly extensions: readonly Buffer[];
}

function certificate(content: CertificateContent): string {
  const now = Date.now();
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    // Positive, and not led by a zero byte.
    integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    name(content.issuer),
    // Clocks of two machines in one rehearsal (WSL and its host) may differ.
    sequence(time(now - DAY_MS), time(now + VALID_DAYS * DAY_MS)),
    name(content.subject),
    spki(content.publicKey),
    explicit(
      3,
      sequence(
        ...content.extensions,
        // Strict verifiers (Python 3.13) insist on both.
        extension(SUBJECT_KEY_IDENTIFIER, false, octetString(keyIdentifier(content.publicKey))),
        extension(
          AUTHORITY_KEY_IDENTIFIER,
          false,
          sequence(der(0x80, keyIdentifier(content.signer.publicKey))),
        ),
      ),
    ),
  );
  const signature = sign("sha256", body, content.signer.privateKey);
  const text = sequence(body, ECDSA_WITH_SHA256, bitString(signature, 0)).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/(.{64})/g, "$1\n").trimEnd()}\n-----END CERTIFICATE-----\n`;
}

const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
const keyIdentifier = (key: KeyObject): Buffer => createHash("sha1").update(spki(key)).digest();

/** Tag, length, content (X.690). */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const explicit = (tag: number, content: Buffer): Buffer => der(0xa0 | tag, content);
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const octetString = (bytes: Buffer): Buffer => der(0x04, bytes);
const bitString = (bytes: Buffer, unusedBits: number): Buffer => der(0x03, Buffer.from([unusedBits]), bytes);
const BOOLEAN_TRUE = der(0x01, Buffer.from([0xff]));

/** An object identifier, by its content bytes in hexadecimal. */
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
/** 1.2.840.10045.4.3.2 */
const ECDSA_WITH_SHA256 = sequence(identifier("2a8648ce3d040302"));
/** 2.5.4.3 */
const COMMON_NAME = identifier("550403");
/** 2.5.29.14 */
const SUBJECT_KEY_IDENTIFIER = identifier("551d0e");
/** 2.5.29.15 */
const KEY_USAGE = identifier("551d0f");
/** 2.5.29.17 */
const SUBJECT_ALTERNATIVE_NAME = identifier("551d11");
/** 2.5.29.19 */
const BASIC_CONSTRAINTS = identifier("551d13");
/** 2.5.29.35 */
const AUTHORITY_KEY_IDENTIFIER = identifier("551d23");
/** 2.5.29.37 */
const EXTENDED_KEY_USAGE = identifier("551d25");
/** 1.3.6.1.5.5.7.3.1 */
const SERVER_AUTH = identifier("2b06010505070301");

function extension(id: Buffer, critical: boolean, value: Buffer): Buffer {
  return sequence(id, ...(critical ? [BOOLEAN_TRUE] : []), octetString(value));
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName, "utf8")))));
}

function generalName(host: string): Buffer {
  if (isIPv4(host)) return der(0x87, Buffer.from(host.split(".").map(Number)));
  return der(0x82, Buffer.from(host, "ascii"));
}

/** UTCTime, which RFC 5280 asks for until 2049. */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, "");
  return der(0x17, Buffer.from(digits.slice(2), "ascii"));
}
