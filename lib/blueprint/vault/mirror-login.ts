import type { Duration } from "../../model/duration";
import { mirrorAudience, mirrorAuthMount, mirrorName } from "../../model/names";
import type { Environment, Registry } from "../../model/registry";
import { functionArn, roleArn } from "../platform/aws-arns";
import { type VaultPolicy, vaultPolicy } from "../platform/vault-policy";
import { isMirrored } from "../store/mirrored";
import type { SecretPlan } from "../store/secret-plan";
import type { DatabasePlan } from "./database-plan";

/**
 * Login of the mirror's function to one Vault: by a token in which AWS vouches for its IAM role
 * (`sts:GetWebIdentityToken`), through the `jwt` method. AWS publishes the issuer's keys.
 */
export interface MirrorLoginPlan {
  readonly authMount: string;
  /** Auth role; the policy has the same name. */
  readonly role: string;
  readonly audience: string;
  readonly issuer: string;
  /** ARN of its IAM role: `sub` of the tokens. */
  readonly subject: string;
  /**
   * Claims that a token must have besides, by JSON pointer: whose code asked for it, and as whom. `sub` alone would be the mirror's
   * role for whoever acts on its behalf (`SubjectMode: "OriginIdentity"`) and for another function with the same role.
   */
  readonly boundClaims: Readonly<Record<string, string>>;
  /** Algorithm with which AWS signs, when asked for it (`SigningAlgorithm`). */
  readonly signingAlgorithm: "ES384";
  /** Exactly the copies and the root rotations that it makes. */
  readonly policy: VaultPolicy;
  readonly tokenTtl: Duration;
  readonly tokenMaxTtl: Duration;
}

/**
 * AWS's own claims, as a JSON pointer.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html,
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 */
const AWS_CLAIMS = "/https:~1~1sts.amazonaws.com~1";

/** A function runs at most that long. */
const TOKEN_TTL: Duration = { seconds: 900 };

/** The mirror's login to one Vault; none where it has nothing to do there. */
export function mirrorLoginPlan(
  registry: Registry,
  environment: Environment,
  vault: string,
  secrets: readonly SecretPlan[],
  databases: readonly DatabasePlan[],
): MirrorLoginPlan | undefined {
  const copies = secrets
    .filter((secret) => isMirrored(environment, secret))
    .map(({ vaultPath }) => vaultPath);
  const rotations = databases.flatMap(({ connections }) =>
    connections.map(({ rotateRootPath }) => rotateRootPath),
  );
  // The rules want the issuer wherever there is something to do.
  if (environment.awsTokenIssuer === undefined || copies.length + rotations.length === 0) return undefined;
  const name = mirrorName(registry.id, environment.name);
  const subject = roleArn(environment, environment.rolePath, name);
  return {
    authMount: mirrorAuthMount(environment.name),
    role: name,
    audience: mirrorAudience(environment.name, vault),
    issuer: environment.awsTokenIssuer,
    subject,
    boundClaims: {
      [`${AWS_CLAIMS}/lambda_source_function_arn`]: functionArn(
        environment,
        environment.regions.primary,
        name,
      ),
      // AWS documents it for this partition.
      ...(environment.partition === "aws" ? { [`${AWS_CLAIMS}/principal_id`]: subject } : {}),
    },
    signingAlgorithm: "ES384",
    policy: vaultPolicy(name, [
      // `create` for the first version, `update` for the next ones, `read` for what it compares with.
      ...copies.map((path) => ({ path, capabilities: ["create", "read", "update"] as const })),
      ...rotations.map((path) => ({ path, capabilities: ["update"] as const })),
      // Its token ends with its work.
      { path: "auth/token/revoke-self", capabilities: ["update"] },
    ]),
    tokenTtl: TOKEN_TTL,
    tokenMaxTtl: TOKEN_TTL,
  };
}
