import type {
  ApprovalGateSettings,
  ChangeGateSettings,
  CheckerSettings,
  DispatchedSecret,
  DispatcherSettings,
  RecorderSettings,
  RestarterSettings,
  WatcherSettings,
} from "../../contracts/function-settings";
import { believedJobs } from "../../model/changes";
import { fault } from "../../model/faults";
import {
  alarmTopic,
  approvalTopic,
  auditKeyAlias,
  CADENCE_METRIC,
  CADENCE_STATES,
  changesTable,
  METRIC_NAMESPACE,
  type ProcedureFunction,
  procedureFunctionName,
  publicationsTable,
  recordsBucket,
  reminderTopic,
  runsTable,
  secretName,
  stateMachineName,
  stateMachineRoleName,
} from "../../model/names";
import type { PolicyDocument } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { isSupplied } from "../../model/supplied-values";
import {
  BRISK_SECONDS,
  type FunctionParts,
  type FunctionPlan,
  functionPlan,
  needsDecommissionApproval,
  PATIENT_SECONDS,
} from "../functions/function-plan";
import { clustersOf, type WorkloadPlan } from "../identity/workload-plan";
import { type AuditKeyPlan, auditKeyPlan } from "../keys/audit-key-plan";
import { bucketArn, roleArn, stateMachineArn, topicArn } from "../platform/aws-arns";
import { MANAGED_LIMIT, MANAGED_PER_ROLE, type RolePlan, rolePolicies } from "../platform/role-plan";
import { commonTags, type Tags } from "../platform/tags";
import {
  type FunctionAssignment,
  type FunctionsBySecret,
  functionRoleArn,
} from "../store/function-assignment";
import { scheduleOf } from "../store/schedule-of";
import { ciTrust } from "./ci-trust";
import { peopleTrust } from "./people-trust";
import {
  alarmsPublish,
  approvalGateRights,
  approverPolicy,
  changeGateRights,
  ciPolicy,
  dispatcherRights,
  failoverPolicy,
  operatorPolicy,
  type ProcedureNames,
  type ProcedureScope,
  preflightPolicy,
  publisherPolicy,
  recorderRights,
  recordsPolicy,
  stateMachineRights,
  watcherRights,
} from "./procedure-rights";
import { type StateMachineDefinition, stateMachineDefinition } from "./state-machine";
import { whosePolicy } from "./whose-policy";

/** The procedure that follows every rotation of an environment: proves it, then retires the old credential. */
export interface ProcedurePlan {
  /** DynamoDB table: partition key `secret`, sort key `run`. */
  readonly runsTable: string;
  /** DynamoDB table: partition key `change`. */
  readonly changesTable: string;
  readonly stateMachine: {
    readonly name: string;
    readonly arn: string;
    readonly role: RolePlan;
    readonly definition: StateMachineDefinition;
  };
  readonly records: RecordsPlan;
  /** Key of the proofs of versions, and of the fingerprints in records. */
  readonly auditKey: AuditKeyPlan;
  /** Requests for approval. Subscribe the approvers: each message names the run and the command that decides. */
  readonly approvals: TopicPlan;
  /** Reminders of secrets that people have to rotate soon. Subscribe the owners. */
  readonly reminders: TopicPlan;
  /** Sorted by word. */
  readonly alarms: readonly AlarmPlan[];
  /** Policies for people's roles, which this stack does not make. */
  readonly people: {
    readonly operator: PolicyDocument;
    readonly approver: PolicyDocument;
    /** Policy for `secrets-registry preflight`. */
    readonly preflight: PolicyDocument;
    /** Policy of CI's jobs that vouch for change requests; `undefined`: none does. */
    readonly ci?: PolicyDocument;
    /** Policy of people who answer the loss of a region, not for every day; `undefined`: there is one region alone. */
    readonly failover?: PolicyDocument;
    /** Policy of break-glass, which may ask whose a leaked text is; `undefined`: there is none. */
    readonly whose?: PolicyDocument;
  };
  /** Trust policies by which the sessions of people's roles bear their holders' names. */
  readonly trusts: {
    readonly operator: PolicyDocument;
    readonly approver: PolicyDocument;
    /** Trust policy by which only jobs that may vouch take CI's role. */
    readonly ci?: PolicyDocument;
  };
  readonly preventDestroy: boolean;
  readonly tags: Tags;
}

/** S3 bucket of rotation records. */
export interface RecordsPlan {
  readonly name: string;
  readonly arn: string;
  /** `COMPLIANCE`: nobody can shorten the retention, root neither. `GOVERNANCE`: whoever has the right can. */
  readonly lockMode: "COMPLIANCE" | "GOVERNANCE";
  readonly retentionDays: number;
  /** `true`: a destroy removes the bucket together with its records, in development, by a role that may bypass governance. */
  readonly forceDestroy: boolean;
  readonly policy: PolicyDocument;
}

/** An SNS topic. */
export interface TopicPlan {
  readonly name: string;
  readonly arn: string;
  readonly policy: PolicyDocument;
}

/** A CloudWatch alarm at the first data point of its threshold or more. */
export interface AlarmPlan {
  /** The alarm as one word of Terraform addresses, and the end of its name. */
  readonly word: string;
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: "Sum" | "Maximum";
  readonly periodSeconds: number;
  /** @default 1 */
  readonly threshold?: number;
  /** State of the alarm without data. `breaching`: silence is an alarm as well. */
  readonly whenMissing: "breaching" | "notBreaching";
  readonly topic: "alarms" | "reminders";
}

/** The plan and the functions that belong to it. */
export interface Procedure {
  readonly plan: ProcedurePlan;
  readonly functions: readonly FunctionPlan[];
}

/** Parts from which the procedure is planned. */
export interface ProcedureParts {
  readonly assignments: readonly FunctionAssignment[];
  readonly bySecret: FunctionsBySecret;
  readonly workloads: readonly WorkloadPlan[];
  readonly mirror: FunctionPlan | undefined;
}

/** Longer than a year, so that a yearly audit finds all of it. */
const RETENTION_DAYS = 400;
/** Over a weekend and a holiday. */
const APPROVAL_SECONDS = 4 * 86_400;
/** People need time to ask for a change, and to have it approved. */
const DUE_AHEAD_SECONDS = 14 * 86_400;
/** A rotation ends in minutes; AWSPENDING that is an hour old stands still. */
const STUCK_AFTER_SECONDS = 3_600;
/** The watcher comes hourly; three hours without it are no delay any more. */
const WATCH_PERIOD_SECONDS = 3 * 3_600;
const MINUTES_5 = 300;

/** The procedure of an environment. */
export function procedureOf(registry: Registry, environment: Environment, parts: ProcedureParts): Procedure {
  const { primary } = environment.regions;
  const secrets = registry.secretsIn(environment.name).filter(({ store }) => store === "aws");
  const names = namesOf(registry, environment, parts.assignments);
  const confirms = parts.mirror === undefined;
  const scope: ProcedureScope = { registry, environment, names, secrets, confirms };
  const machineArn = stateMachineArn(environment, primary, names.stateMachine);
  const role = machineRole(scope, machineArn);
  const functions = functionsOf(scope, machineArn, parts);
  const topic = (name: string, policy: PolicyDocument): TopicPlan => ({
    name,
    arn: topicArn(environment, primary, name),
    policy,
  });
  const roleOf = (name: string): string => functionRoleArn(environment, name);
  const own = (what: ProcedureFunction): string => procedureFunctionName(registry.id, environment.name, what);
  return {
    functions,
    plan: {
      runsTable: names.runsTable,
      changesTable: names.changesTable,
      stateMachine: {
        name: names.stateMachine,
        arn: machineArn,
        role,
        definition: stateMachineDefinition({
          partition: environment.partition,
          environment: environment.name,
          dispatcher: own("dispatcher"),
          approvalGate: own("approval-gate"),
          checker: own("checker"),
          restarter: own("restarter"),
          recorder: own("recorder"),
          publicationsTable: names.publicationsTable,
          alarmTopicArn: topicArn(environment, primary, names.alarmTopic),
          approvalTopicArn: topicArn(environment, primary, names.approvalTopic),
          approvalSeconds: APPROVAL_SECONDS,
        }),
      },
      records: {
        name: names.recordsBucket,
        arn: bucketArn(environment, names.recordsBucket),
        lockMode: environment.tier === "production" ? "COMPLIANCE" : "GOVERNANCE",
        retentionDays: RETENTION_DAYS,
        forceDestroy: environment.tier === "development",
        policy: recordsPolicy(environment, names.recordsBucket, roleOf(own("recorder"))),
      },
      auditKey: auditKeyPlan(registry, environment, names.rotators.map(roleOf), [
        ...(parts.mirror ? [parts.mirror.role.arn] : []),
        ...(["dispatcher", "watcher"] as const).map((what) => roleOf(own(what))),
      ]),
      approvals: topic(names.approvalTopic, publisherPolicy(environment, names.approvalTopic, role.arn)),
      reminders: topic(
        names.reminderTopic,
        publisherPolicy(
          environment,
          names.reminderTopic,
          roleOf(own("watcher")),
          alarmsPublish(environment, names.reminderTopic),
        ),
      ),
      alarms: alarmsOf(registry, environment, machineArn),
      people: {
        operator: operatorPolicy(scope),
        approver: approverPolicy(scope),
        preflight: preflightPolicy(scope),
        ...(environment.changes ? { ci: ciPolicy(scope) } : {}),
        ...(environment.regions.replicas.length > 0 ? { failover: failoverPolicy(scope) } : {}),
        ...(environment.principals.breakGlass.length > 0 ? { whose: whosePolicy(scope) } : {}),
      },
      trusts: {
        operator: peopleTrust(environment),
        approver: peopleTrust(environment),
        ...(environment.changes ? { ci: ciTrust(environment, environment.changes) } : {}),
      },
      preventDestroy: environment.preventDestroy,
      tags: commonTags(registry, environment),
    },
  };
}

function namesOf(
  { id }: Registry,
  { name, account, regions }: Environment,
  assignments: readonly FunctionAssignment[],
): ProcedureNames {
  const rotators = assignments.map((assignment) => assignment.name);
  const own = (["approval-gate", "checker", "dispatcher", "recorder", "restarter"] as const).map((what) =>
    procedureFunctionName(id, name, what),
  );
  return {
    publicationsTable: publicationsTable(id, name),
    runsTable: runsTable(id, name),
    changesTable: changesTable(id, name),
    recordsBucket: recordsBucket(id, name, account, regions.primary),
    stateMachine: stateMachineName(id, name),
    alarmTopic: alarmTopic(id, name),
    approvalTopic: approvalTopic(id, name),
    reminderTopic: reminderTopic(id, name),
    approvalGate: procedureFunctionName(id, name, "approval-gate"),
    changeGate: procedureFunctionName(id, name, "change-gate"),
    dispatcher: procedureFunctionName(id, name, "dispatcher"),
    recorder: procedureFunctionName(id, name, "recorder"),
    called: [...own, ...rotators],
    rotators,
  };
}

function machineRole(scope: ProcedureScope, machineArn: string): RolePlan {
  const { registry, environment } = scope;
  const name = stateMachineRoleName(registry.id, environment.name);
  return {
    name,
    path: environment.rolePath,
    arn: roleArn(environment, environment.rolePath, name),
    trust: {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "StateMachine",
          Effect: "Allow",
          Principal: { Service: "states.amazonaws.com" },
          Action: ["sts:AssumeRole"],
          // https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
          Condition: {
            ArnLike: { "aws:SourceArn": [machineArn] },
            StringEquals: { "aws:SourceAccount": [environment.account] },
          },
        },
      ],
    },
    policies: rolePolicies({
      roleName: name,
      inlineName: "procedure",
      managedWord: "part",
      statements: stateMachineRights(scope),
      overflow: (policies) =>
        fault(
          ["environments", environment.name],
          `${scope.names.called.length} functions of the procedure, whose rights need ${policies} managed policies`,
          `${MANAGED_PER_ROLE} managed policies of ${MANAGED_LIMIT} characters on one role (IAM quota)`,
          "spread the secrets over several registries",
        ),
    }),
    ...(environment.permissionsBoundary ? { permissionsBoundary: environment.permissionsBoundary } : {}),
    tags: commonTags(registry, environment),
  };
}

/** The functions, sorted by name. */
function functionsOf(
  scope: ProcedureScope,
  machineArn: string,
  { bySecret, workloads }: ProcedureParts,
): readonly FunctionPlan[] {
  const { registry, environment, names, secrets } = scope;
  const { primary } = environment.regions;
  const common = { registry: registry.id, environment: environment.name, region: primary };
  // Where workloads and clusters are reached, as the mirror reaches Vaults.
  const inside = environment.networks[0]?.name;
  const bySecretName = <T>(value: (secret: EnvironmentSecret) => T): Record<string, T> =>
    Object.fromEntries(
      secrets.map((secret) => [secretName(environment.name, secret.physicalKey), value(secret)]),
    );
  const plan = (bundle: ProcedureFunction, rest: Omit<FunctionParts, "name" | "bundle">): FunctionPlan =>
    functionPlan(registry, environment, {
      name: procedureFunctionName(registry.id, environment.name, bundle),
      bundle,
      ...rest,
    });
  const restarted = workloads.flatMap((workload) =>
    workload.reload.how === "redeploy"
      ? [
          [
            workload.name,
            {
              ...(workload.pods.length < environment.clusters.length
                ? { clusters: workload.pods.map(({ cluster }) => cluster) }
                : {}),
              namespace: workload.namespace,
              kind: workload.reload.controller,
              name: workload.reload.deployment,
              ...(workload.reload.further ? { further: workload.reload.further } : {}),
            },
          ] as const,
        ]
      : [],
  );
  const { changes } = environment;
  return [
    ...(changes
      ? [
          plan("change-gate", {
            description: `Takes the word of CI for change requests of ${environment.name}`,
            network: undefined,
            secrets,
            timeoutSeconds: BRISK_SECONDS,
            settings: {
              ...common,
              changesTable: names.changesTable,
              ...believedJobs(changes),
              keys: secrets.map(({ key }) => key),
            } satisfies ChangeGateSettings,
            rights: changeGateRights(scope),
          }),
        ]
      : []),
    plan("approval-gate", {
      description: `Takes approvers' decisions about rotations of ${environment.name}`,
      network: undefined,
      secrets,
      timeoutSeconds: BRISK_SECONDS,
      settings: {
        ...common,
        runsTable: names.runsTable,
        approvers: environment.principals.approvers,
      } satisfies ApprovalGateSettings,
      rights: approvalGateRights(scope),
    }),
    plan("checker", {
      description: `Runs health checks of ${environment.name}`,
      network: inside,
      secrets: [],
      timeoutSeconds: PATIENT_SECONDS,
      settings: {
        ...common,
        checks: Object.fromEntries(
          workloads.flatMap(({ name: workload, checks }) =>
            checks.map((check) => [checkName(workload, check.name), { workload, ...check }]),
          ),
        ),
      } satisfies CheckerSettings,
      rights: [],
    }),
    plan("dispatcher", {
      description: `Starts rotations of ${environment.name}`,
      network: undefined,
      secrets,
      timeoutSeconds: PATIENT_SECONDS,
      settings: {
        ...common,
        runsTable: names.runsTable,
        changesTable: names.changesTable,
        publicationsTable: names.publicationsTable,
        ...(scope.confirms ? { confirms: true } : {}),
        auditKeyAlias: auditKeyAlias(registry.id, environment.name),
        stateMachineArn: machineArn,
        changeRequest: environment.changeRequest,
        callerProof:
          environment.changeRequest === "required" || environment.approval === "required"
            ? "required"
            : "none",
        starters: [...environment.principals.operators, ...environment.principals.breakGlass],
        secrets: bySecretName((secret) => dispatched(environment, secret, bySecret, workloads)),
      } satisfies DispatcherSettings,
      rights: dispatcherRights(scope),
    }),
    plan("recorder", {
      description: `Writes the records of rotations of ${environment.name}`,
      network: undefined,
      secrets,
      timeoutSeconds: BRISK_SECONDS,
      settings: {
        ...common,
        runsTable: names.runsTable,
        changesTable: names.changesTable,
        recordsBucket: names.recordsBucket,
        ...(environment.audit ? { announces: true } : {}),
        secrets: bySecretName(({ key, kind }) => ({ key, kind })),
      } satisfies RecorderSettings,
      rights: recorderRights(scope),
    }),
    plan("restarter", {
      description: `Restarts workloads of ${environment.name} that read secrets at their start only`,
      network: inside,
      secrets: [],
      timeoutSeconds: PATIENT_SECONDS,
      settings: {
        ...common,
        clusters: clustersOf(environment).map(({ name, region, apiServer, caPem }) => ({
          name,
          region,
          apiServer,
          ...(caPem ? { caPem } : {}),
        })),
        workloads: Object.fromEntries(restarted),
      } satisfies RestarterSettings,
      rights: [],
    }),
    plan("watcher", {
      description: `Looks for rotations of ${environment.name} that are due, overdue or stuck`,
      network: undefined,
      secrets,
      timeoutSeconds: PATIENT_SECONDS,
      settings: {
        ...common,
        publicationsTable: names.publicationsTable,
        auditKeyAlias: auditKeyAlias(registry.id, environment.name),
        remindersTopicArn: topicArn(environment, primary, names.reminderTopic),
        dueAheadSeconds: DUE_AHEAD_SECONDS,
        stuckAfterSeconds: STUCK_AFTER_SECONDS,
        secrets: bySecretName(({ key, owner, rotation, rotateEvery }) => ({
          key,
          owner,
          rotation,
          rotateEverySeconds: rotateEvery.seconds,
        })),
      } satisfies WatcherSettings,
      rights: watcherRights(scope),
    }),
  ];
}

const checkName = (workload: string, check: string): string => `${workload}/${check}`;

function dispatched(
  environment: Environment,
  secret: EnvironmentSecret,
  bySecret: FunctionsBySecret,
  workloads: readonly WorkloadPlan[],
): DispatchedSecret {
  const consumers = workloads.filter(({ secrets }) => secrets.includes(secret.key));
  const schedule = scheduleOf(environment, secret);
  return {
    key: secret.key,
    ...(schedule?.how === "cadence"
      ? {
          schedule: {
            everyDays: schedule.everyDays,
            phaseDay: schedule.phaseDay,
            hour: schedule.hour,
            windowHours: schedule.windowHours,
          },
        }
      : {}),
    kind: secret.kind,
    rotation: secret.rotation,
    supplied: isSupplied(secret),
    publishes: secret.publishLead.seconds > 0,
    function: bySecret.rotatorOf(secret.key)?.name ?? "",
    overlapSeconds: secret.overlap.seconds,
    ...(publishesBeside(secret) ? { handOverSeconds: secret.publishLead.seconds } : {}),
    publishLeadSeconds: secret.publishLead.seconds,
    restart: consumers.filter(({ reload }) => reload.how === "redeploy").map(({ name }) => name),
    checks: consumers.flatMap(({ name, checks }) => checks.map((check) => checkName(name, check.name))),
    approval: needsDecommissionApproval(environment, secret),
  };
}

/** `true` when a rotation replaces the credential alone, and a promotion the keys that were published beside it. */
const publishesBeside = ({ acceptedBy, rotation, publishLead }: EnvironmentSecret): boolean =>
  acceptedBy === "target" && rotation === "operator-assisted" && publishLead.seconds > 0;

const STATE_TEXTS = {
  due: "Secrets that people have to rotate soon",
  overdue: "Secrets that were not rotated on their cadence",
  stuck: "Rotations, replicas or Vaults that stand still",
  unproven: "Current values that have passed no test: somebody has put them past the procedure",
} as const;

function alarmsOf(registry: Registry, environment: Environment, machineArn: string): readonly AlarmPlan[] {
  const executions = (word: string, metric: string, description: string): AlarmPlan => ({
    word,
    description,
    namespace: "AWS/States",
    metric,
    dimensions: { StateMachineArn: machineArn },
    statistic: "Sum",
    periodSeconds: MINUTES_5,
    whenMissing: "notBreaching",
    topic: "alarms",
  });
  return [
    executions(
      "runs-aborted",
      "ExecutionsAborted",
      "A run was stopped by hand: its secret stays locked until it is called back",
    ),
    executions("runs-failed", "ExecutionsFailed", "A run came to no good end: a person has to look"),
    ...CADENCE_STATES.map(
      (state): AlarmPlan => ({
        word: state,
        description: STATE_TEXTS[state],
        namespace: METRIC_NAMESPACE,
        metric: CADENCE_METRIC,
        dimensions: { registry: registry.id, environment: environment.name, state },
        statistic: "Maximum",
        periodSeconds: WATCH_PERIOD_SECONDS,
        // A watcher that no longer comes must not look like peace.
        whenMissing: state === "overdue" ? "breaching" : "notBreaching",
        topic: state === "due" ? "reminders" : "alarms",
      }),
    ),
  ];
}
