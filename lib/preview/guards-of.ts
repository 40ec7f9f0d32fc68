import type { Blueprint } from "../blueprint";
import { type Environment, formatDuration, type Registry } from "../model";
import { believedJobs } from "../model/changes";
import type { GuardState } from "./registry-state";

const held = (holds: boolean, text = holds ? "yes" : "no"): GuardState => ({ strength: holds ? 1 : 0, text });

/** Less is safer, such as the life of a token. */
const atMost = (seconds: number): GuardState => ({ strength: -seconds, text: formatDuration({ seconds }) });

/** Claims that know a repository by its number, or one job by its whole subject. */
const NUMBERED = ["repository_id", "project_id", "sub"];

/** The one workflow, pipeline or job that may vouch. */
const workflowOf = (changes: Environment["changes"]): string | undefined =>
  changes?.provider === "github"
    ? changes.workflow
    : changes?.provider === "gitlab"
      ? changes.config
      : changes?.subject;

/**
 * Protections of an environment by name. One that is weaker in the head than in the base has lapsed; a new place, such as a Vault or
 * an access rule that the base has not, has nothing to lose.
 */
export function guardsOf(
  registry: Registry,
  environment: Environment,
  plan: Blueprint,
): Readonly<Record<string, GuardState>> {
  const { changes } = environment;
  return {
    "approved change requests": held(environment.changeRequest === "required", environment.changeRequest),
    "approval before an old credential goes": held(environment.approval === "required", environment.approval),
    "destruction refused": held(environment.preventDestroy),
    "recovery window": {
      strength: environment.recoveryWindow.seconds,
      text: environment.recoveryWindow.seconds === 0 ? "none" : formatDuration(environment.recoveryWindow),
    },
    "deployer moves no values": held(!environment.deployerMovesValues),
    "permissions boundary of roles": held(
      environment.permissionsBoundary !== undefined,
      environment.permissionsBoundary ?? "none",
    ),
    "signed code of functions": {
      ...held(environment.codeSigning !== undefined),
      ...(environment.codeSigning ? { lets: environment.codeSigning.profiles } : {}),
    },
    "life of a pod's Vault token": atMost(environment.podTokenMaxTtl.seconds),
    "refresh interval": atMost(environment.refreshEvery.seconds),
    "change requests of one workflow": held(workflowOf(changes) !== undefined, workflowOf(changes) ?? "none"),
    "change requests of a repository by number": held(
      changes !== undefined && NUMBERED.some((claim) => claim in believedJobs(changes).claims),
    ),
    ...Object.fromEntries(
      environment.vaults.map((vault) => [
        `contents fixed for the deployer of Vault ${vault.name}`,
        held(vault.deployer === "contents", vault.deployer),
      ]),
    ),
    ...Object.fromEntries(
      environment.clusters.map((cluster) => [
        `networks of the pods of ${cluster.name}`,
        {
          ...held(cluster.podCidrs !== undefined, cluster.podCidrs?.join(", ") ?? "any"),
          ...(cluster.podCidrs ? { lets: cluster.podCidrs } : {}),
        },
      ]),
    ),
    ...Object.fromEntries(
      plan.workloads.map((workload) => [
        `checks of ${workload.name}`,
        {
          strength: workload.checks.length,
          text: workload.checks.map(({ name }) => name).join(", ") || "none",
        },
      ]),
    ),
    ...rulesOf(registry),
  };
}

/** Access rules of the registry's workloads. */
function rulesOf(registry: Registry): Readonly<Record<string, GuardState>> {
  return Object.fromEntries(
    registry.workloadNames.flatMap((workload): [string, GuardState][] => {
      const rule = registry.accessRule(workload);
      if (rule === undefined) return [];
      const denied = rule.deny.map((pattern): [string, GuardState] => [
        `access rule: ${workload} never reads ${pattern}`,
        { ...held(true), limits: workload },
      ]);
      if (rule.allow === undefined) return denied;
      const lets = [...rule.allow].sort();
      return [
        ...denied,
        [
          `access rule: ${workload} reads nothing but a list`,
          { ...held(true, lets.join(", ") || "nothing"), lets, limits: workload },
        ],
      ];
    }),
  );
}
