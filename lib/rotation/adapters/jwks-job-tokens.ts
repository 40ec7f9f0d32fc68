import { originOf } from "../../lambda/failure-origin";
import type { JobTokens } from "../procedure/change-gate";
import { once } from "../protocol/once";
import { RotationError } from "../protocol/rotation-error";

/**
 * jose is ES modules; this is how a CommonJS one loads them on every Node that we support. One by one: a bundle takes the
 * whole of a module that is loaded like this.
 */
const loadJwks = () => import("jose/jwks/remote");
const loadJwt = () => import("jose/jwt/verify");

/** A token for one call has no reason to be older. GitHub's live for less, GitLab's as long as the job. */
const OLDEST = "10 minutes";

/** jose's codes of keys that could not be fetched; others speak of the token. */
const NO_KEYS = /^(ERR_JWKS_TIMEOUT|ERR_JOSE_GENERIC|ERR_JWKS_INVALID)$/;

/**
 * {@link JobTokens} by an issuer's published keys. They are kept for ten minutes, and asked for again for a key that is not known.
 *
 * @param keySet address of the keys
 */
export function jwksJobTokens({
  issuer,
  keySet,
}: {
  readonly issuer: string;
  readonly keySet: string;
}): JobTokens {
  const keys = once(async () => {
    const { createRemoteJWKSet } = await loadJwks();
    return createRemoteJWKSet(new URL(keySet));
  });

  return {
    async verify(token, audience) {
      const { jwtVerify } = await loadJwt();
      try {
        const { payload } = await jwtVerify(token, await keys(), {
          issuer,
          audience,
          algorithms: ["RS256", "ES256"],
          maxTokenAge: OLDEST,
          clockTolerance: "30 seconds",
          requiredClaims: ["exp", "iat"],
        });
        return payload;
      } catch (failure) {
        const origin = originOf(failure);
        if (NO_KEYS.test(origin) || !origin.startsWith("ERR_J")) {
          throw new RotationError("target-unreachable", `keys of ${issuer}`, origin);
        }
        throw new RotationError(
          "token-refused",
          `the token must be of ${issuer}, for audience ${audience}`,
          origin,
        );
      }
    },
  };
}
