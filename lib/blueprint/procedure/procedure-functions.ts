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
import { groupBy } from "../../model/group-by";
import { auditKeyAlias, type ProcedureFunction, procedureFunctionName, secretName } from "../../model/names";
import type { Environment } from "../../model/registry";
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
import { topicArn } from "../platform/aws-arns";
import type { FunctionAssignment, FunctionsBySecret } from "../store/function-assignment";
import { scheduleOf } from "../store/schedule-of";
import {
  approvalGateRights,
  changeGateRights,
  dispatcherRights,
  type ProcedureScope,
  recorderRights,
  watcherRights,
} from "./procedure-rights";

/** Functions of the procedure, with their settings. */

/** People need time to ask for a change, and to have it approved. */
const DUE_AHEAD_SECONDS = 14 * 86_400;

/** A rotation ends in minutes; AWSPENDING that is an hour old stands still. */
const STUCK_AFTER_SECONDS = 3_600;

/** Parts from which the procedure is planned. */
export interface ProcedureParts {
  readonly assignments: readonly FunctionAssignment[];
  readonly bySecret: FunctionsBySecret;
  readonly workloads: readonly WorkloadPlan[];
  readonly mirror: FunctionPlan | undefined;
}

/** The functions, sorted by name. */
export function functionsOf(
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
  const consumers = groupBy(workloads, ({ secrets }) => secrets);
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
        secrets: bySecretName((secret) =>
          dispatched(environment, secret, bySecret, consumers.get(secret.key) ?? []),
        ),
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
  consumers: readonly WorkloadPlan[],
): DispatchedSecret {
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
