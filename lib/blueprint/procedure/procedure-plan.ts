import { fault } from "../../model/faults";
import {
  alarmTopic,
  approvalTopic,
  changesTable,
  type ProcedureFunction,
  procedureFunctionName,
  publicationsTable,
  recordsBucket,
  reminderTopic,
  runsTable,
  stateMachineName,
  stateMachineRoleName,
} from "../../model/names";
import type { PolicyDocument } from "../../model/policy-document";
import type { Environment, Registry } from "../../model/registry";
import type { FunctionPlan } from "../functions/function-plan";
import { type AuditKeyPlan, auditKeyPlan } from "../keys/audit-key-plan";
import { bucketArn, roleArn, stateMachineArn, topicArn } from "../platform/aws-arns";
import { MANAGED_LIMIT, MANAGED_PER_ROLE, type RolePlan, rolePolicies } from "../platform/role-plan";
import { commonTags, type Tags } from "../platform/tags";
import { type FunctionAssignment, functionRoleArn } from "../store/function-assignment";
import { ciTrust } from "./ci-trust";
import { approverPolicy, ciPolicy, failoverPolicy, operatorPolicy, preflightPolicy } from "./people-policies";
import { peopleTrust } from "./people-trust";
import { type AlarmPlan, alarmsOf } from "./procedure-alarms";
import { functionsOf, type ProcedureParts } from "./procedure-functions";
import { alarmsPublish, publisherPolicy, recordsPolicy } from "./procedure-resources";
import { type ProcedureNames, type ProcedureScope, stateMachineRights } from "./procedure-rights";
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

/** The plan and the functions that belong to it. */
export interface Procedure {
  readonly plan: ProcedurePlan;
  readonly functions: readonly FunctionPlan[];
}

/** Longer than a year, so that a yearly audit finds all of it. */
const RETENTION_DAYS = 400;

/** Over a weekend and a holiday. */
const APPROVAL_SECONDS = 4 * 86_400;

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
