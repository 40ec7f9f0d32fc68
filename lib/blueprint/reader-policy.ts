import { fault, RegistryError } from "../model/faults";
import { fitName } from "../model/names";
import { compactLength, type PolicyDocument, type PolicyStatement } from "../model/policy-document";
import {
  type AccountScope,
  anyKeyArn,
  secretArnPattern,
  secretArnPrefix,
  secretsManagerService,
} from "./aws-arns";

/** All inline policies of a role together (IAM quota; white space does not count). */
const INLINE_LIMIT = 10_240;
/** One managed policy (IAM quota). */
const MANAGED_LIMIT = 6_144;
/** Managed policies that a role may have by default (IAM quota). */
const MANAGED_PER_ROLE = 10;

/** A policy with its name. */
export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/**
 * What a role may do. Inline while it fits: such a policy lives and dies with its role and can be attached to nothing
 * else. Beyond that, managed policies of legal size.
 */
export interface RolePolicies {
  readonly inline: readonly NamedPolicy[];
  readonly managed: readonly NamedPolicy[];
}

/** Whose secrets a reader reads. */
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

const documentOf = (...statements: PolicyStatement[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: statements,
});

/**
 * The exact read rights of a workload: its secrets in the environment's regions and decryption of just those through
 * Secrets Manager (design, decision 8). Split by IAM's size limits.
 *
 * @throws RegistryError when ten managed policies do not hold the workload's secrets
 */
export function readerPolicies(input: ReaderPolicyInput): RolePolicies {
  if (input.secretNames.length === 0) return { inline: [], managed: [] };
  const whole = documentOf(readStatement(input, input.secretNames), decryptStatement(input));
  if (compactLength(whole) <= INLINE_LIMIT) {
    return { inline: [{ name: "read-secrets", document: whole }], managed: [] };
  }
  const documents = [
    documentOf(decryptStatement(input)),
    ...splitNames(input).map((names) => documentOf(readStatement(input, names))),
  ];
  if (documents.length > MANAGED_PER_ROLE) {
    throw new RegistryError([
      fault(
        ["workloads", input.workload],
        `${input.secretNames.length} secrets in ${input.environment}, whose read rights need ${documents.length} managed policies`,
        `${MANAGED_PER_ROLE} managed policies of ${MANAGED_LIMIT} characters on one role (IAM quota)`,
        "split the workload into several, each with its own ServiceAccount and its own consumers",
      ),
    ]);
  }
  return {
    inline: [],
    managed: documents.map((document, index) => ({
      name: fitName(`${input.roleName}-read-${index + 1}`, 128),
      document,
    })),
  };
}

/** Greedy split in the order of the names, so that a new name changes only the policies from its place on. */
function splitNames(input: ReaderPolicyInput): string[][] {
  const empty = compactLength(documentOf(readStatement(input, [])));
  const parts: string[][] = [];
  let current: string[] = [];
  let length = empty;
  for (const name of input.secretNames) {
    const cost = JSON.stringify(secretArnPattern(input.scope, "*", name)).length + 1;
    if (current.length > 0 && length + cost > MANAGED_LIMIT) {
      parts.push(current);
      current = [];
      length = empty;
    }
    current.push(name);
    length += cost;
  }
  if (current.length > 0) parts.push(current);
  return parts;
}
