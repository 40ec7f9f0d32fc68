import type { PolicyStatement } from "../../model/policy-document";
import type { Cluster, Environment, Registry } from "../../model/registry";
import type { AuditPlan } from "../audit/audit-plan";
import type { FunctionPlan } from "../functions/function-plan";
import type { WorkloadPlan } from "../identity/workload-plan";
import type { OperationsPlan } from "../operations/operations-plan";
import { anyKeyArn, secretArnPrefix } from "../platform/aws-arns";
import type { ProcedurePlan } from "../procedure/procedure-plan";

/** Parts of an environment from which the rights of its deployer follow. */
export interface DeployerScope {
  readonly functions: readonly Pick<FunctionPlan, "role">[];
  readonly operations?: Pick<OperationsPlan, "codeSigning" | "forwarder">;
  readonly procedure?: Pick<ProcedurePlan, "records" | "stateMachine">;
  readonly audit?: Pick<AuditPlan, "normaliser" | "sinks" | "forwarder" | "archive" | "trail">;
  readonly workloads: readonly Pick<WorkloadPlan, "role">[];
  readonly oidcProviders: readonly { readonly arn: string }[];
  readonly clusters: readonly Pick<
    Cluster & { readonly identity: Environment["identity"] },
    "name" | "region" | "account" | "identity"
  >[];
  /** Account of the environment. */
  readonly account: string;
  readonly principals: Pick<Environment["principals"], "deployer">;
}

/** A statement that allows. */
export const allow = (
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  Condition?: PolicyStatement["Condition"],
): PolicyStatement => ({ Sid, Effect: "Allow", Action, Resource, ...(Condition ? { Condition } : {}) });

/** Actions of one service. */
export const of = (service: string, ...operations: readonly string[]): string[] =>
  operations.map((operation) => `${service}:${operation}`);

/** ARN patterns of the environment's resources, by the prefix that all their names have. */
export function placesOf(registry: Registry, environment: Environment) {
  const { partition, account, rolePath } = environment;
  const arn = (service: string, resource: string, region = "*"): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`;
  const name = `${registry.id}-${environment.name}`;
  return {
    secrets: secretArnPrefix(environment, environment.name),
    roles: arn("iam", `role${rolePath}${name}*`, ""),
    policies: arn("iam", `policy${rolePath}${name}*`, ""),
    functions: arn("lambda", `function:${name}--*`),
    logGroups: arn("logs", `log-group:/aws/lambda/${name}--*`),
    rules: arn("events", `rule/${name}-*`),
    alarms: arn("cloudwatch", `alarm:${name}-*`),
    queues: arn("sqs", `${name}-*`),
    topics: arn("sns", `${name}-*`),
    tables: arn("dynamodb", `table/${name}-*`),
    machines: arn("states", `stateMachine:${name}-*`),
    aliases: arn("kms", `alias/${name}-*`),
    keys: environment.allRegions.map((region) => anyKeyArn(environment, region)),
    // Their ids are AWS's.
    eventSourceMappings: arn("lambda", "event-source-mapping:*"),
    codeSigningConfigs: arn("lambda", "code-signing-config:*"),
  };
}

/** ARNs of what a deployer makes. */
export type DeployerPlaces = ReturnType<typeof placesOf>;

/** Roles that are passed, each to the service that takes it and to no other. */
export function passedRoles({
  functions,
  operations,
  procedure,
  audit,
  workloads,
  clusters,
  account,
}: DeployerScope): readonly (readonly [string, string[]])[] {
  return [
    // CreatePodIdentityAssociation asks for it: https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
    ...(clusters.some((cluster) => cluster.identity === "pod-identity" && cluster.account === account)
      ? ([["pods.eks.amazonaws.com", workloads.map(({ role }) => role.arn)]] as const)
      : []),
    [
      "lambda.amazonaws.com",
      [...functions, ...(audit ? [audit.normaliser, ...audit.sinks.map((sink) => sink.function)] : [])].map(
        ({ role }) => role.arn,
      ),
    ],
    ["states.amazonaws.com", procedure ? [procedure.stateMachine.role.arn] : []],
    [
      "events.amazonaws.com",
      [operations?.forwarder, audit?.forwarder].flatMap((forwarder) =>
        forwarder ? [forwarder.role.arn] : [],
      ),
    ],
  ];
}

/** `rotate-stripe`'s role to `states` helps nobody, but no service needs another's role. */
export const passing = (places: DeployerPlaces, plan: DeployerScope): PolicyStatement[] => {
  // A change brings workloads, and functions of new kinds.
  const patterns: Readonly<Record<string, string>> = {
    "lambda.amazonaws.com": places.roles.replace(/\*$/, "--*"),
    "pods.eks.amazonaws.com": places.roles,
  };
  return passedRoles(plan)
    .filter(([, roles]) => roles.length > 0)
    .map(([service, roles]) => {
      const pattern = patterns[service];
      return allow(
        `PassTo${service.slice(0, 1).toUpperCase()}${service.slice(1).split(".")[0]}`,
        ["iam:PassRole"],
        pattern ? [pattern] : roles,
        { StringEquals: { "iam:PassedToService": [service] } },
      );
    });
};
