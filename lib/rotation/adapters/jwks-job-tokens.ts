import * as z from "zod/mini";
import { originOf } from "../../lambda/failure-origin";
import type { JobClaims, JobTokens } from "../procedure/change-gate";
import { once } from "../protocol/once";
import { RotationError } from "../protocol/rotation-error";

/**
 * jose is ES modules; this is how a CommonJS one loads them on every Node that we support. One by one: a bundle takes the
 * whole of a module that is loaded like this.
 */
const loadJwks = () => import("jose/jwks/remote");
const loadJwt = () => import("jose/jwt/verify");

/** https://docs.github.com/en/actions/reference/security/oidc */
const claims = z.object({
  repository: z.string(),
  ref: z.string(),
  ref_protected: z.enum(["true", "false"]),
  event_name: z.string(),
  repository_id: z.optional(z.string()),
  repository_owner_id: z.optional(z.string()),
  job_workflow_ref: z.optional(z.string()),
});

/** A token for one call has no reason to be older; GitHub's live for less. */
const OLDEST = "10 minutes";

/** jose's codes of keys that could not be fetched; others speak of the token. */
const NO_KEYS = /^(ERR_JWKS_TIMEOUT|ERR_JOSE_GENERIC|ERR_JWKS_INVALID)$/;

/**
 * {@link JobTokens} of GitHub Actions' form. The issuer's published keys are kept for ten minutes, and asked for again for
 * a key that is not known.
 */
export function jwksJobTokens(issuer: string): JobTokens {
  const keys = once(async () => {
    const { createRemoteJWKSet } = await loadJwks();
    return createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks`));
  });

  async function verified(token: string, audience: string): Promise<unknown> {
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
  }

  return {
    async verify(token, audience): Promise<JobClaims> {
      const found = claims.safeParse(await verified(token, audience));
      if (!found.success) {
        throw new RotationError("token-refused", "the token is not of a job of GitHub Actions");
      }
      const { repository, ref, ref_protected, event_name, ...rest } = found.data;
      return {
        repository,
        ref,
        refProtected: ref_protected === "true",
        eventName: event_name,
        repositoryId: rest.repository_id,
        repositoryOwnerId: rest.repository_owner_id,
        workflow: rest.job_workflow_ref,
      };
    },
  };
}
