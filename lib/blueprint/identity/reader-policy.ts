import { fault } from "../../model/faults";
import type { PolicyStatement } from "../../model/policy-document";
import {
  type AccountScope,
  anyKeyArn,
  secretArnPattern,
  secretArnPrefix,
  secretsManagerService,
} from "../platform/aws-arns";
import { MANAGED_LIMIT, MANAGED_PER_ROLE, type RolePolicies, rolePolicies } from "../platform/role-plan";

/** A workload, its role, and the secrets that it reads. */
export interface ReaderPolicyInput {
  readonly scope: AccountScope;
  readonly registry: string;
  readonly environment: string;
  readonly workload: string;
  readonly roleName: string;
  /** All regions of the environment. */
  readonly regions: readonly string[];
  /** Secrets Manager names, sorted. */
  readonly secretNames: readonly string[];
}

function readStatement(input: ReaderPolicyInput, names: readonly string[]): PolicyStatement {
  return {
    Sid: "ReadSecrets",
    Effect: "Allow",
    Action: ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
    Resource: names.map((name) => secretArnPattern(input.scope, "*", name)),
    Condition: { StringEquals: { "aws:RequestedRegion": input.regions } },
  };
}

function decryptStatement(input: ReaderPolicyInput): PolicyStatement {
  return {
    Sid: "DecryptThroughSecretsManager",
    Effect: "Allow",
    Action: ["kms:Decrypt"],
    Resource: input.regions.map((region) => anyKeyArn(input.scope, region)),
    Condition: {
      StringEquals: { "kms:ViaService": input.regions.map(secretsManagerService) },
      StringLike: { "kms:EncryptionContext:SecretARN": [secretArnPrefix(input.scope, input.environment)] },
    },
  };
}

/**
 * The exact read rights of a workload: its secrets in the environment's regions and decryption of just those through
 * Secrets Manager (docs/explanation/architecture.md, decision 8). Split by IAM's size limits.
 *
 * @throws RegistryError when ten managed policies do not hold the workload's secrets
 */
export function readerPolicies(input: ReaderPolicyInput): RolePolicies {
  if (input.secretNames.length === 0) return { inline: [], managed: [] };
  return rolePolicies({
    roleName: input.roleName,
    inlineName: "read-secrets",
    managedWord: "read",
    statements: [readStatement(input, input.secretNames), decryptStatement(input)],
    overflow: (policies) =>
      fault(
        ["workloads", input.workload],
        `${input.secretNames.length} secrets in ${input.environment}, whose read rights need ${policies} managed policies`,
        `${MANAGED_PER_ROLE} managed policies of ${MANAGED_LIMIT} characters on one role (IAM quota)`,
        "split the workload into several, each with its own ServiceAccount and its own consumers",
      ),
  });
}
