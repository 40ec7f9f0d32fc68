import * as z from "zod/mini";
import type { SigningKey } from "./signing-key";

/** An API server's knowledge of the tokens that it accepts. */
export interface TokenAuthority {
  readonly key: SigningKey;
  /** Value of `iss`. */
  readonly issuer: string;
  /** The API server's own audiences, which a review without audiences asks for. */
  readonly apiAudiences: readonly string[];
}

/** Status of a TokenReview (authentication.k8s.io/v1). */
export interface TokenReviewStatus {
  readonly authenticated?: true;
  readonly user?: {
    readonly username: string;
    readonly uid: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
  /** Those of the token that were asked for. */
  readonly audiences?: readonly string[];
  readonly error?: string;
}

/** Claims of a ServiceAccount's token (kubernetes/kubernetes `pkg/serviceaccount/claims.go`). */
const ServiceAccountClaims = z.object({
  iss: z.string(),
  aud: z.pipe(
    z.union([z.string(), z.array(z.string())]),
    z.transform((aud) => [aud].flat()),
  ),
  exp: z.number(),
  nbf: z.number(),
  jti: z.string(),
  "kubernetes.io": z.object({
    namespace: z.string(),
    serviceaccount: z.object({ name: z.string(), uid: z.string() }),
    pod: z.object({ name: z.string(), uid: z.string() }),
  }),
});

/**
 * Judges a token as kube-apiserver does: issuer, signature, audience, times, in that order (kubernetes/kubernetes
 * `pkg/serviceaccount/jwt.go`, `AuthenticateToken`, and `pkg/registry/authentication/tokenreview/storage.go`).
 * What it makes of the bearer comes from the `kubernetes.io` claims, not from `sub`.
 *
 * @param now seconds since 1970
 */
export function reviewToken(
  authority: TokenAuthority,
  token: string,
  audiences: readonly string[] | undefined,
  now: number,
): TokenReviewStatus {
  const claims = ServiceAccountClaims.safeParse(authority.key.verify(token)).data;
  if (!claims || claims.iss !== authority.issuer) return { error: "invalid bearer token" };
  const wanted = audiences && audiences.length > 0 ? audiences : authority.apiAudiences;
  const shared = claims.aud.filter((audience) => wanted.includes(audience));
  if (shared.length === 0) {
    const [has, target] = [claims.aud, wanted].map((list) => JSON.stringify(list));
    return {
      error: `invalid bearer token, token audiences ${has} is invalid for the target audiences ${target}`,
    };
  }
  if (now >= claims.exp) return { error: "invalid bearer token, service account token has expired" };
  if (now < claims.nbf) return { error: "invalid bearer token, service account token is not valid yet" };
  const { namespace, serviceaccount, pod } = claims["kubernetes.io"];
  return {
    authenticated: true,
    user: {
      username: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
      uid: serviceaccount.uid,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      extra: {
        "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`],
        "authentication.kubernetes.io/pod-name": [pod.name],
        "authentication.kubernetes.io/pod-uid": [pod.uid],
      },
    },
    audiences: shared,
  };
}
