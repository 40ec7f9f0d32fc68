import type {
  AuditFunction,
  AuditNormaliserSettings,
  AuditSinkSettings,
} from "../../contracts/audit-settings";
import type {
  FunctionSettings,
  MirroredVault,
  MirrorSettings,
  ProcedureSettings,
} from "../../contracts/function-settings";
import { type Fault, fault } from "../../model/faults";
import { KINDS, type KindName } from "../../model/kinds";
import {
  auditKeyAlias,
  inboxName,
  mirrorName,
  type ProcedureFunction,
  publicationsTable,
  runsTable,
  secretName,
} from "../../model/names";
import type { PolicyDocument, PolicyStatement } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { hasInbox } from "../../model/supplied-values";
import { functionArn, roleArn } from "../platform/aws-arns";
import {
  MANAGED_LIMIT,
  MANAGED_PER_ROLE,
  type RolePlace,
  type RolePlan,
  rolePolicies,
} from "../platform/role-plan";
import { commonTags, type Tags } from "../platform/tags";
import type { FunctionAssignment } from "../store/function-assignment";
import { isMirrored } from "../store/mirrored";
import type { MirrorLoginPlan } from "../vault/mirror-login";
import type { VaultPlan } from "../vault/vault-server-plan";
import { functionBaseRights, mirrorRights, networkRights, rotationRights } from "./function-rights";

/** A Lambda function of an environment, in its primary region. */
export interface FunctionPlan {
  readonly name: string;
  /** The function as one word of Terraform addresses: `function--mirror`. */
  readonly word: string;
  readonly arn: string;
  /** Bundle that it runs: `index.js` in the zip of that name. */
  readonly bundle: KindName | "mirror" | ProcedureFunction | AuditFunction;
  readonly description: string;
  readonly role: RolePlan;
  /** Subnets and security groups; `undefined`: outside of a VPC. */
  readonly network?: { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] };
  /** Keys of its secrets, sorted. */
  readonly secrets: readonly string[];
  /** `settings.json` beside the bundle. Names, never a value. */
  readonly settings:
    | FunctionSettings
    | MirrorSettings
    | ProcedureSettings[ProcedureFunction]
    | AuditNormaliserSettings
    | AuditSinkSettings;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly logGroup: string;
  readonly logRetentionDays: number;
  readonly tags: Tags;
}

/** A function that rotates the secrets of one kind. */
export type RotationFunctionPlan = FunctionPlan & {
  readonly bundle: KindName;
  readonly settings: FunctionSettings;
};

/** `true` for a function that rotates secrets; `false` for the mirror and the functions of the procedure. */
export const rotates = (plan: FunctionPlan): plan is RotationFunctionPlan => plan.bundle in KINDS;

/** A function waits for ElastiCache's change, which takes minutes; Lambda's longest time is 15 of them. */
export const PATIENT_SECONDS = 900;
/** Others log in and call an API, with time for a new access key to be known everywhere. */
export const BRISK_SECONDS = 120;
/** Half a CPU or so: TLS, SCRAM and RSA keys are work. */
const MEMORY_MB = 512;
/** Rotations of a year can be looked up; CloudWatch's next step. */
const LOG_RETENTION_DAYS = 400;

/** `lambda.amazonaws.com` takes the role for the function. */
const LAMBDA_TRUST: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "Lambda",
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com" },
      Action: ["sts:AssumeRole"],
    },
  ],
};

/**
 * The function that rotates the secrets of one kind in one network.
 *
 * @param procedure whether a procedure follows, so that it begins runs
 */
export function rotationFunctionPlan(
  registry: Registry,
  environment: Environment,
  assignment: FunctionAssignment,
  procedure: boolean,
): FunctionPlan {
  const { kind, secrets, name } = assignment;
  return functionPlan(registry, environment, {
    name,
    bundle: kind,
    description: `Rotates ${kind} secrets of ${environment.name}`,
    network: assignment.network,
    secrets,
    timeoutSeconds: kind === "redis-auth-token" ? PATIENT_SECONDS : BRISK_SECONDS,
    settings: {
      kind,
      environment: environment.name,
      region: environment.regions.primary,
      publicationsTable: publicationsTable(registry.id, environment.name),
      ...(procedure ? { runsTable: runsTable(registry.id, environment.name) } : {}),
      auditKeyAlias: auditKeyAlias(registry.id, environment.name),
      secrets: Object.fromEntries(
        secrets.map((secret) => [nameOf(secret), rotated(registry, environment, secret)]),
      ),
    },
    rights: rotationRights(registry, environment, secrets, procedure),
  });
}

/** The function that copies AWSCURRENT into every Vault, and has Vaults rotate their own logins to databases. */
export function mirrorFunctionPlan(
  registry: Registry,
  environment: Environment,
  vaults: readonly VaultPlan[],
): FunctionPlan | undefined {
  const served = vaults.flatMap((vault) => (vault.mirror ? [mirroredVault(vault, vault.mirror)] : []));
  if (served.length === 0) return undefined;
  const secrets = registry.secretsIn(environment.name).filter(({ store }) => store === "aws");
  const [first] = environment.networks;
  const network = environment.mirrorNetwork ?? first?.name;
  const name = mirrorName(registry.id, environment.name);
  return functionPlan(registry, environment, {
    name,
    bundle: "mirror",
    description: `Copies current secrets of ${environment.name} into Vault`,
    network: network === "none" ? undefined : network,
    secrets,
    timeoutSeconds: PATIENT_SECONDS,
    settings: {
      environment: environment.name,
      region: environment.regions.primary,
      publicationsTable: publicationsTable(registry.id, environment.name),
      auditKeyAlias: auditKeyAlias(registry.id, environment.name),
      vaults: served,
      secrets: Object.fromEntries(
        secrets.map((secret) => [
          nameOf(secret),
          isMirrored(environment, secret) ? { path: secret.physicalKey } : {},
        ]),
      ),
    },
    rights: mirrorRights(
      registry,
      environment,
      secrets,
      served.map(({ audience }) => audience),
    ),
  });
}

function mirroredVault(vault: VaultPlan, { authMount, role, audience }: MirrorLoginPlan): MirroredVault {
  return {
    name: vault.name,
    address: vault.address,
    ...(vault.caPem ? { caPem: vault.caPem } : {}),
    ...(vault.namespace ? { namespace: vault.namespace } : {}),
    authMount,
    role,
    audience,
    kvMount: vault.kv.mount,
    connections: vault.databases.flatMap(({ mount, connections }) =>
      connections.map(({ name, rotateEvery }) => ({ mount, name, rotateEverySeconds: rotateEvery.seconds })),
    ),
  };
}

/** Log group of a function: Lambda's own name for it. */
export const logGroupOf = (name: string): string => `/aws/lambda/${name}`;

/** Parts in which the functions of one registry differ. */
export interface FunctionParts
  extends Pick<FunctionPlan, "name" | "bundle" | "description" | "timeoutSeconds" | "settings"> {
  readonly network: string | undefined;
  readonly secrets: readonly EnvironmentSecret[];
  readonly rights: readonly PolicyStatement[];
}

/** A function of a registry's environment. */
export function functionPlan(
  registry: Registry,
  environment: Environment,
  { network: networkName, secrets, ...rest }: FunctionParts,
): FunctionPlan {
  const network = environment.networks.find((candidate) => candidate.name === networkName);
  return functionIn(environment, {
    ...rest,
    // A double hyphen keeps it apart from any workload's.
    word: `function--${rest.name.slice(`${registry.id}-${environment.name}--`.length)}`,
    ...(network ? { network: { subnets: network.subnets, securityGroups: network.securityGroups } } : {}),
    secrets: secrets.map(({ key }) => key),
    unbound: functionBaseRights(registry, environment, logGroupOf(rest.name)),
    overflow: (policies) =>
      fault(
        ["environments", environment.name],
        `${secrets.length} secrets of function ${rest.name}, whose rights need ${policies} managed policies`,
        `${MANAGED_PER_ROLE} managed policies of ${MANAGED_LIMIT} characters on one role (IAM quota)`,
        "spread the secrets over several networks or registries",
      ),
    tags: commonTags(registry, environment),
  });
}

/** Parts of a function, with or without a registry behind it. */
export interface FunctionInput
  extends Pick<
    FunctionPlan,
    | "name"
    | "word"
    | "bundle"
    | "description"
    | "network"
    | "secrets"
    | "settings"
    | "timeoutSeconds"
    | "tags"
  > {
  /** Rights of its own code. */
  readonly rights: readonly PolicyStatement[];
  /** Rights with which Lambda itself works for it, beside those for its network. */
  readonly unbound: readonly PolicyStatement[];
  readonly overflow: (policies: number) => Fault;
}

/** A function with its role, its log and its place, in the primary region. */
export function functionIn(
  place: RolePlace & { readonly regions: { readonly primary: string } },
  { rights, unbound, overflow, ...rest }: FunctionInput,
): FunctionPlan {
  const { name, network, tags } = rest;
  const arn = functionArn(place, place.regions.primary, name);
  return {
    ...rest,
    arn,
    role: {
      name,
      path: place.rolePath,
      arn: roleArn(place, place.rolePath, name),
      trust: LAMBDA_TRUST,
      policies: rolePolicies({
        roleName: name,
        inlineName: "function",
        managedWord: "part",
        statements: [
          ...rights.map((right) => ofItsCode(right, arn)),
          ...unbound,
          ...(network === undefined ? [] : networkRights(arn)),
        ],
        overflow,
      }),
      ...(place.permissionsBoundary ? { permissionsBoundary: place.permissionsBoundary } : {}),
      tags,
    },
    memoryMb: MEMORY_MB,
    logGroup: logGroupOf(name),
    logRetentionDays: LOG_RETENTION_DAYS,
  };
}

/**
 * A right that is the function's own code's: another function with the same role, or another session of it, has it not. Whoever may
 * pass the role to a function of theirs gains logs and dead letters.
 *
 * Not so where an AWS service asks on the code's behalf, since Lambda documents the key for calls out of the function's environment
 * alone: KMS under a service, which is nothing without the call of that service, and InvokeFunction, which RotateSecret asks for
 * (and which whoever has `lambda:*` has anyhow). https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
 */
function ofItsCode(right: PolicyStatement, arn: string): PolicyStatement {
  const { Action, Condition = {} } = right;
  const isAskedByServices =
    Condition.StringEquals?.["kms:ViaService"] !== undefined || Action.includes("lambda:InvokeFunction");
  return isAskedByServices
    ? right
    : { ...right, Condition: { ...Condition, ArnEquals: { "lambda:SourceFunctionArn": [arn] } } };
}

/** `true` where an approver must agree before a secret's old credential is retired; `false` where nothing is. */
export const needsDecommissionApproval = (environment: Environment, secret: EnvironmentSecret): boolean =>
  environment.approval === "required" && secret.acceptedBy !== "single-slot";

const nameOf = (secret: EnvironmentSecret): string => secretName(secret.environment, secret.physicalKey);

function rotated(
  registry: Registry,
  environment: Environment,
  secret: EnvironmentSecret,
): FunctionSettings["secrets"][string] {
  const admin = secret.admin === undefined ? undefined : registry.secretIn(environment.name, secret.admin);
  return {
    settings: secret.settings,
    rotation: secret.rotation,
    acceptedBy: secret.acceptedBy,
    overlap: secret.overlap,
    publishLead: secret.publishLead,
    ...(needsDecommissionApproval(environment, secret) ? { approval: true } : {}),
    ...(hasInbox(secret) ? { inbox: inboxName(environment.name, secret.physicalKey) } : {}),
    ...(admin ? { admin: nameOf(admin) } : {}),
  };
}
