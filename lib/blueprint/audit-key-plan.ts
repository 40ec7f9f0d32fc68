import { auditKeyAlias } from "../model/names";
import type { PolicyDocument, PolicyStatement } from "../model/policy-document";
import type { Environment, Registry } from "../model/registry";
import { principalArnValues, rootArn } from "./aws-arns";
import { ADMINISTRATION } from "./key-policy";

/**
 * The KMS key that makes fingerprints of values for rotation records, in the primary region: `HMAC_256`, used by
 * `GenerateMac` and `VerifyMac` alone.
 */
export interface AuditKeyPlan {
  readonly alias: string;
  readonly description: string;
  readonly policy: PolicyDocument;
}

/**
 * What an HMAC key of one region has not: rotation, replicas. Its state of rotation can be asked for, which Terraform does.
 * https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
 */
const NOT_FOR_HMAC: readonly string[] = [
  "kms:DisableKeyRotation",
  "kms:EnableKeyRotation",
  "kms:ListKeyRotations",
  "kms:ReplicateKey",
  "kms:RotateKeyOnDemand",
  "kms:UpdatePrimaryRegion",
];

/**
 * The audit key of an environment. Whoever may make fingerprints can try values until one fits, so only functions that
 * rotate may, which read the values anyway. Break-glass may hold a value against a fingerprint.
 *
 * @param rotatorRoles ARNs of the roles of functions that rotate
 */
export function auditKeyPlan(
  registry: Registry,
  environment: Environment,
  rotatorRoles: readonly string[],
): AuditKeyPlan {
  const { breakGlass } = environment.principals;
  const uses = (Sid: string, action: string, principals: readonly string[]): PolicyStatement => ({
    Sid,
    Effect: "Allow",
    // The account, narrowed to the principals below, as in the other keys' policies.
    Principal: { AWS: rootArn(environment) },
    Action: [action],
    Resource: ["*"],
    Condition: {
      ArnLike: { "aws:PrincipalArn": principals.flatMap(principalArnValues) },
      StringEquals: { "kms:MacAlgorithm": ["HMAC_SHA_256"] },
    },
  });
  return {
    alias: auditKeyAlias(registry.id, environment.name),
    description: `Fingerprints of values of ${registry.id} in ${environment.name}`,
    policy: {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "AccountAdministersWithoutData",
          Effect: "Allow",
          Principal: { AWS: rootArn(environment) },
          Action: ADMINISTRATION.filter((action) => !NOT_FOR_HMAC.includes(action)),
          Resource: ["*"],
        },
        uses("RotatorsMakeFingerprints", "kms:GenerateMac", rotatorRoles),
        ...(breakGlass.length > 0 ? [uses("BreakGlassVerifies", "kms:VerifyMac", breakGlass)] : []),
      ],
    },
  };
}
