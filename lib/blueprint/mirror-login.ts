import type { Duration } from "../model/duration";
import { mirrorAudience, mirrorAuthMount, mirrorName } from "../model/names";
import type { Environment, Registry } from "../model/registry";
import { roleArn } from "./aws-arns";
import type { DatabasePlan } from "./database-plan";
import { isMirrored } from "./mirrored";
import type { SecretPlan } from "./secret-plan";
import { type VaultPolicy, vaultPolicy } from "./vault-policy";

/**
 * How the mirror's function logs in to one Vault: by a token in which AWS vouches for its IAM role
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
  /** What AWS signs with, when asked for it (`SigningAlgorithm`). */
  readonly signingAlgorithm: "ES384";
  /** Exactly the copies and the root rotations that it makes. */
  readonly policy: VaultPolicy;
  readonly tokenTtl: Duration;
  readonly tokenMaxTtl: Duration;
}

/** A function runs at most that long. */
const TOKEN_TTL: Duration = { seconds: 900 };

/** The mirror's login to one Vault; none where it has nothing to do there. */
export function mirrorLoginPlan(
  registry: Registry,
  environment: Environment,
  secrets: readonly SecretPlan[],
  databases: readonly DatabasePlan[],
): MirrorLoginPlan | undefined {
  const copies = secrets.filter(isMirrored).map(({ vaultPath }) => vaultPath);
  const rotations = databases.flatMap(({ connections }) =>
    connections.map(({ rotateRootPath }) => rotateRootPath),
  );
  // The rules want the issuer wherever there is something to do.
  if (environment.awsTokenIssuer === undefined || copies.length + rotations.length === 0) return undefined;
  const name = mirrorName(registry.id, environment.name);
  return {
    authMount: mirrorAuthMount(environment.name),
    role: name,
    audience: mirrorAudience(environment.name),
    issuer: environment.awsTokenIssuer,
    subject: roleArn(environment, environment.rolePath, name),
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
