import { auditKeyAlias } from "../../model/names";
import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import { rootArn } from "../platform/aws-arns";
import { ADMINISTRATION } from "./key-policy";

/**
 * The KMS key that proves which versions have passed their test, and makes fingerprints of values for rotation records, in
 * the primary region: `HMAC_256`, used by `GenerateMac` and `VerifyMac` alone.
 */
export interface AuditKeyPlan {
  readonly alias: string;
  readonly description: string;
  readonly policy: PolicyDocument;
}

/**
 * Actions that do not exist for an HMAC key of one region: rotation, replicas. Its rotation status can be read, and
 * Terraform does so.
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
 * The audit key of an environment. Whoever may make fingerprints can try values until one fits, and whoever may make proofs
 * can have any value copied into Vaults: so only functions that rotate may, which read and write the values anyway. Those
 * who have to know what is proved may check, and so may break-glass, which may hold a value against a fingerprint.
 *
 * @param rotatorRoles ARNs of the roles of functions that rotate
 * @param checkerRoles ARNs of the roles of functions that check proofs
 */
export function auditKeyPlan(
  registry: Registry,
  environment: Environment,
  rotatorRoles: readonly string[],
  checkerRoles: readonly string[],
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
      ArnLike: { "aws:PrincipalArn": principals },
      StringEquals: { "kms:MacAlgorithm": ["HMAC_SHA_256"] },
    },
  });
  return {
    alias: auditKeyAlias(registry.id, environment.name),
    description: `Proofs and fingerprints of values of ${registry.id} in ${environment.name}`,
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
        uses("RotatorsMakeProofsAndFingerprints", "kms:GenerateMac", rotatorRoles),
        ...(checkerRoles.length > 0 ? [uses("CheckersCheckProofs", "kms:VerifyMac", checkerRoles)] : []),
        ...(breakGlass.length > 0 ? [uses("BreakGlassVerifies", "kms:VerifyMac", breakGlass)] : []),
      ],
    },
  };
}
