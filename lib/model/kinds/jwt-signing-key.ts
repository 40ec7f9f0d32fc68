import * as z from "zod/mini";
import { hours, minutes } from "../duration";
import { duration, oneLine } from "../grammar";
import { type KindTraits, objectField } from "./traits";

/** Algorithms of JWT signing keys: what `jose` signs with. */
export const JWT_ALGORITHMS = [
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
] as const;

/** JWT signing key pair: its row in the table of kinds. */
export const JWT_SIGNING_KEY_TRAITS = {
  title: "JWT signing key pair",
  stores: ["aws"],
  acceptedBy: ["own-workloads"],
  rotation: ["automatic", "manual-dual-publish"],
  fields: [
    objectField("next"),
    objectField("current"),
    objectField("previous"),
    { name: "jwks", shape: "object", public: true },
  ],
  // Not the algorithm: it is each key's own, and a file would say the next one's before that one is used.
  publicSettings: ["issuer"],
} as const satisfies KindTraits;

/** Schema of the settings of a JWT signing key pair. */
export const jwtSigningKeySettings = () =>
  z.strictObject({
    /**
     * Algorithm of the next key (RFC 7518, RFC 8037). Another one comes with the next rotation: each key carries its
     * own `alg`, and keys that are in use keep theirs. Verifiers that pin an algorithm must take the new one first.
     */
    algorithm: z._default(z.enum(JWT_ALGORITHMS), "ES256"),
    /**
     * Source of the first key. `supplied`: an operator gives `bootstrap` the key that the organisation signs with, and it
     * keeps its `kid`, so that tokens that are out go on to be accepted; rotations make the ones after it.
     */
    firstKey: z._default(z.enum(["generated", "supplied"]), "generated"),
    /** Longest life of a token: a retired key must verify that long after its last signature. Default: 1 hour. */
    tokenLifetime: z._default(duration, hours(1)),
    /** Clock difference that verifiers allow. Default: 1 minute. */
    clockSkew: z._default(duration, minutes(1)),
    /** Time for which verifiers keep a JWKS. Default: 10 minutes (`jose`'s cache). */
    verifierCache: z._default(duration, minutes(10)),
    /** `iss` of the tokens, if verifiers check it. */
    issuer: z.optional(oneLine),
  });
