import { type Duration, formatDuration } from "../../model/duration";
import {
  inboxName,
  keyAsWord,
  mirrorName,
  procedureFunctionName,
  roleName,
  secretName,
} from "../../model/names";
import type { PolicyDocument } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import type { RotationSchedule } from "../../model/rotation-schedule";
import { hasInbox, isSupplied } from "../../model/supplied-values";
import { roleArn, rootArn, secretArnPattern } from "../platform/aws-arns";
import { commonTags, type Tags } from "../platform/tags";
import { vaultPathOf } from "../platform/vault-policy";
import { type FunctionAssignment, type FunctionsBySecret, functionRoleArn } from "./function-assignment";
import { isMirrored } from "./mirrored";
import { scheduleOf } from "./schedule-of";
import { inboxPolicy, secretPolicy } from "./secret-policy";

/** Fields of every secret, whoever owns its value. */
export interface SecretPlanCommon {
  readonly key: string;
  /** The key as one word of Terraform addresses: `db--app-primary`. */
  readonly word: string;
  readonly kind: EnvironmentSecret["kind"];
  readonly settings: EnvironmentSecret["settings"];
  readonly description: string;
  readonly owner: string;
  /** Workload names, sorted; none once retired. */
  readonly consumers: readonly string[];
  readonly rotateEvery: Duration;
  readonly rotation: EnvironmentSecret["rotation"];
  readonly acceptedBy: EnvironmentSecret["acceptedBy"];
  readonly dualWrite: boolean;
  readonly overlap: Duration;
  readonly publishLead: Duration;
  readonly classification: EnvironmentSecret["classification"];
  /** Secret with which rotation changes this one. */
  readonly admin?: string;
  readonly retired?: string;
  /** Path at which pods read it in Vault. */
  readonly vaultPath: string;
}

/** A secret of AWS Secrets Manager. */
export interface AwsSecretPlan extends SecretPlanCommon {
  readonly store: "aws";
  readonly name: string;
  /** ARN in any region; ends in `-??????`. */
  readonly arnPattern: string;
  readonly regions: readonly string[];
  readonly policy: PolicyDocument;
  /** Secret into which people put the values that they supply; `undefined`: nobody supplies them. */
  readonly inbox?: InboxPlan;
  /** Name of the function that rotates it. */
  readonly rotatedBy?: string;
  /** Schedule on which it rotates by itself. Without one, operators start its rotations. */
  readonly schedule?: RotationSchedule;
  readonly recoveryWindowDays: number;
  readonly preventDestroy: boolean;
  /** Words of former keys, oldest first: Terraform moves the address. */
  readonly movedFrom: readonly string[];
  readonly tags: Tags;
}

/** A secret of the primary region alone into which people put what they supply, for one function to read. */
export interface InboxPlan {
  readonly name: string;
  /** The inbox as one word of Terraform addresses. */
  readonly word: string;
  /** Former words, oldest first. */
  readonly movedFrom: readonly string[];
  readonly description: string;
  readonly policy: PolicyDocument;
  readonly tags: Tags;
}

/** A secret that a Vault engine owns; each Vault has its own value. */
export interface VaultSecretPlan extends SecretPlanCommon {
  readonly store: "vault";
  readonly regions: readonly string[];
}

/** One secret of an environment. */
export type SecretPlan = AwsSecretPlan | VaultSecretPlan;

const toDays = (duration: Duration): number => Math.round(duration.seconds / 86_400);

/** A retired secret has no consumer by rule, so nothing needs to be taken away here. */
const consumersOf = (secret: EnvironmentSecret): readonly string[] =>
  secret.consumers.map((consumer) => consumer.workload).sort();

/** One secret of an environment, from what the registry says of it. */
export function secretPlan(
  registry: Registry,
  environment: Environment,
  secret: EnvironmentSecret,
  functions: FunctionsBySecret,
): SecretPlan {
  const common: SecretPlanCommon = {
    key: secret.key,
    word: keyAsWord(secret.key),
    kind: secret.kind,
    settings: secret.settings,
    description: secret.description,
    owner: secret.owner,
    consumers: consumersOf(secret),
    rotateEvery: secret.rotateEvery,
    rotation: secret.rotation,
    acceptedBy: secret.acceptedBy,
    dualWrite: secret.dualWrite,
    overlap: secret.overlap,
    publishLead: secret.publishLead,
    classification: secret.classification,
    ...(secret.admin ? { admin: secret.admin } : {}),
    ...(secret.retired ? { retired: secret.retired } : {}),
    vaultPath: vaultPathOf(secret),
  };
  if (secret.store === "vault") {
    const served = new Set(environment.vaults.flatMap((vault) => vault.regions));
    return {
      ...common,
      store: "vault",
      regions: environment.allRegions.filter((region) => served.has(region)),
    };
  }
  const { deployer, operators, breakGlass } = environment.principals;
  const name = secretName(environment.name, secret.physicalKey);
  const roleOf = (assignment: FunctionAssignment): string => functionRoleArn(environment, assignment.name);
  const rotator = functions.rotatorOf(secret.key);
  const rotators = rotator ? [roleOf(rotator)] : [];
  const users = functions.usersOf(secret.key).map(roleOf);
  const mirrors = isMirrored(environment, secret)
    ? [functionRoleArn(environment, mirrorName(registry.id, environment.name))]
    : [];
  const schedule = scheduleOf(environment, secret);
  return {
    ...common,
    store: "aws",
    name,
    arnPattern: secretArnPattern(environment, "*", name),
    regions: environment.allRegions,
    policy: secretPolicy({
      key: secret.key,
      consumers: common.consumers.map((workload) => workloadRoleArn(registry, environment, workload)),
      readers: [...breakGlass, ...new Set([...rotators, ...users]), ...mirrors],
      takers: secret.rotation === "operator-assisted" && !isSupplied(secret) ? operators : [],
      writers: [...breakGlass, ...rotators],
      administrators: [deployer, ...breakGlass, rootArn(environment)],
      starters: [
        // `bootstrap` takes the first rotations, before there is a value that a run could be about.
        ...operators,
        ...(rotator
          ? [functionRoleArn(environment, procedureFunctionName(registry.id, environment.name, "dispatcher"))]
          : []),
      ],
    }),
    ...(rotator && hasInbox(secret) ? { inbox: inboxPlan(registry, environment, secret, rotator) } : {}),
    ...(rotator ? { rotatedBy: rotator.name } : {}),
    ...(schedule ? { schedule } : {}),
    recoveryWindowDays: toDays(environment.recoveryWindow),
    preventDestroy: environment.preventDestroy && secret.retired === undefined,
    movedFrom: secret.renamedFrom.map(keyAsWord),
    tags: {
      ...commonTags(registry, environment),
      "secret-key": secret.key,
      kind: secret.kind,
      owner: secret.owner,
      "rotation-cadence": formatDuration(secret.rotateEvery),
      "rotation-mode": secret.rotation,
      "data-classification": secret.classification,
      ...(secret.retired ? { retired: secret.retired } : {}),
    },
  };
}

function inboxPlan(
  registry: Registry,
  environment: Environment,
  secret: EnvironmentSecret,
  rotator: FunctionAssignment,
): InboxPlan {
  const { deployer, operators, breakGlass } = environment.principals;
  return {
    name: inboxName(environment.name, secret.physicalKey),
    word: inboxAsWord(secret.key),
    movedFrom: secret.renamedFrom.map(inboxAsWord),
    description: `Inbox for values of ${secret.key} that people supply; empty but for that moment`,
    policy: inboxPolicy({
      key: secret.key,
      reader: functionRoleArn(environment, rotator.name),
      suppliers: [...operators, ...breakGlass],
      administrators: [deployer, ...breakGlass, rootArn(environment)],
    }),
    tags: { ...commonTags(registry, environment), "secret-key": secret.key, owner: secret.owner },
  };
}

/** No key begins with an underscore. */
const inboxAsWord = (key: string): string => `_inbox--${keyAsWord(key)}`;

/** ARN of a workload's role: known from its name. */
export const workloadRoleArn = (registry: Registry, environment: Environment, workload: string): string =>
  roleArn(environment, environment.rolePath, roleName(registry.id, environment.name, workload));
