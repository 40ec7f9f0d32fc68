import { isDeepStrictEqual } from "node:util";
import type { KindSettings, RotationMode } from "../../model/kinds";
import { RotationError } from "../protocol/rotation-error";
import type { PublishedTarget } from "../protocol/target";
import {
  advance,
  checkDistinct,
  checkGenerations,
  checkReplaced,
  dropsUsed,
  firstGenerations,
  promote,
  publish,
  retire,
} from "../values/generations";
import { type JwtValue, withJwks } from "../values/jwks";
import {
  type PrivateJwk,
  type PublicJwk,
  privateJwkOf,
  publicHalf,
  VALUE_SCHEMAS,
} from "../values/value-schemas";

export type { JwtValue };

/** jose is an ES module; this is how a CommonJS one loads it on every Node that we support. */
const loadJose = () => import("jose");

/** Ports and settings of the jwt-signing-key target. */
export interface JwtTargetProps {
  readonly settings: KindSettings<"jwt-signing-key">;
  readonly mode: RotationMode;
}

/**
 * JWT signing keys with their JWKS. Each key has its own `alg`, so another `algorithm` in the settings comes with the
 * next key and changes no token that is signed before that one is used. A verifier that pins an algorithm must take the
 * new one before a rotation publishes it.
 */
export function jwtSigningKeyTarget({ settings, mode }: JwtTargetProps): PublishedTarget<JwtValue> {
  const fresh = (): Promise<PrivateJwk> => generateSigningKey(settings.algorithm);
  const automatic = mode === "automatic";
  const first = async (current?: PrivateJwk): Promise<JwtValue> =>
    withJwks(firstGenerations(current ?? (await fresh()), automatic ? await fresh() : null));

  return {
    acceptedBy: "own-workloads",
    schema: VALUE_SCHEMAS["jwt-signing-key"],

    async generate(predecessor, _attempt, staged) {
      if (predecessor === undefined) {
        // A key that the organisation signed with before goes on, with the one before it, so that no token is refused.
        return staged === undefined
          ? first()
          : withJwks({ ...staged, next: automatic ? await fresh() : staged.next });
      }
      const next = await fresh();
      return withJwks(automatic ? advance(predecessor, next, publicHalf) : publish(predecessor, next));
    },

    checkSuccession(pending, predecessor, emergency = false) {
      if (emergency && predecessor !== undefined) checkReplaced(pending, predecessor, kidOf);
      else checkGenerations(pending, predecessor, kidOf);
    },

    async test(value) {
      checkDistinct(value, kidOf);
      if (!isDeepStrictEqual(value.jwks, withJwks(value).jwks)) {
        throw new RotationError(
          "target-refused",
          "the JWKS does not show exactly the public keys of the value",
        );
      }
      for (const key of [value.current, value.next]) {
        if (key !== null) await proveKey(key, value.jwks);
      }
    },

    promoted(current) {
      const promoted = promote(current, publicHalf);
      if (promoted === undefined) {
        throw new RotationError("nothing-published", "the current version has no next key");
      }
      return withJwks(promoted);
    },

    dropsUsed: (current, before) => dropsUsed(current, before, (a, b) => a.kid === b.kid),

    withoutRetired(current, retired) {
      return current.previous?.kid === retired.current.kid ? withJwks(retire(current)) : undefined;
    },

    withoutPrevious: (current) => (current.previous === null ? undefined : withJwks(retire(current))),

    async replaced() {
      return first();
    },

    keyInUse: ({ current }) => current.kid,
  };
}

/**
 * A new key pair whose `kid` is its RFC 7638 thumbprint.
 *
 * RSA keys have 3,072 bits: NIST SP 800-57 part 1 gives 2,048 until 2030 only.
 */
async function generateSigningKey(algorithm: PrivateJwk["alg"]): Promise<PrivateJwk> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await loadJose();
  const { privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    ...(/^[RP]S/.test(algorithm) ? { modulusLength: 3_072 } : {}),
  });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk, "sha256");
  const key = privateJwkOf({ ...jwk, kid, alg: algorithm, use: "sig" });
  if (key === undefined) throw new RotationError("unexpected", `a new ${algorithm} key has an unknown form`);
  return key;
}

/** Signs with a key and verifies by the JWKS alone, as another workload would. */
async function proveKey(key: PrivateJwk, jwks: JwtValue["jwks"]): Promise<void> {
  const { createLocalJWKSet, importJWK, jwtVerify, SignJWT } = await loadJose();
  const { alg, kid } = key;
  try {
    const token = await new SignJWT({}).setProtectedHeader({ alg, kid }).sign(await importJWK(key, alg));
    await jwtVerify(token, createLocalJWKSet({ keys: [...jwks.keys] }), { algorithms: [alg] });
  } catch {
    throw new RotationError("target-refused", `a token signed with key ${kid} does not verify by the JWKS`);
  }
}

const kidOf = (key: PublicJwk): string => key.kid;
