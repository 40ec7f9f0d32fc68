import {
  type AwsSecretPlan,
  type Blueprint,
  blueprint,
  principalAccess,
  publicSettings,
  type SecretPlan,
  type WorkloadPlan,
} from "../blueprint";
import { type Environment, formatDuration, type Registry } from "../model";
import { changesSource } from "../model/changes";
import { endingTexts } from "../model/ending-grants";
import { nextRotations } from "../model/next-rotations";
import { hasInbox } from "../model/supplied-values";
import { policiesOf } from "../proof";
import { costDriversOf } from "./cost";
import { guardsOf } from "./guards-of";
import type { AccessCell, EnvironmentState, PeopleCell, RegistryState, SecretState } from "./registry-state";
import { takersOf } from "./takers-of";

/**
 * State of a registry, for comparison.
 *
 * @param now from which the next rotations are counted
 */
export function stateOfRegistry(registry: Registry, now: Date): RegistryState {
  return {
    source: "registry",
    environments: registry.environmentNames.map((name) => environmentState(registry, name, now)),
  };
}

function environmentState(registry: Registry, name: string, now: Date): EnvironmentState {
  const environment = registry.environment(name);
  const plan = blueprint(registry, name);
  const resolved = new Map(registry.secretsIn(name).map((secret) => [secret.key, secret]));
  const endings = registry.endingGrants(name);
  return {
    name,
    account: plan.account,
    regions: plan.regions.all,
    secrets: plan.secrets.map((secret) => {
      const source = resolved.get(secret.key);
      return {
        ...secretState(plan, secret, now),
        lastDays: Object.fromEntries(
          endings
            .filter((grant) => grant.secret === secret.key)
            .map(({ workload, until }) => [workload, until]),
        ),
        ...(source ? { target: asTexts(publicSettings(source)), supplied: hasInbox(source) } : {}),
      };
    }),
    access: principalAccess(registry, name).flatMap(({ can, kind, name: principal, arn, secret, store }) =>
      can.map((verb): AccessCell => ({ kind, name: principal, arn, secret, store, can: verb })),
    ),
    endings: endingTexts(endings, dayOf(now)),
    takers: plan.workloads.flatMap((workload) => [
      ...takersOf(workload.role.trust).map((taker) => ({ name: workload.name, at: "aws", taker })),
      ...vaultTakers(plan, workload),
    ]),
    people: peopleOf(environment),
    workloads: plan.workloads.map((workload) => ({
      name: workload.name,
      secrets: workload.secrets,
      pods: workload.pods,
      delivery: workload.delivery.how,
      reload: workload.reload.how,
      checks: workload.checks.map((check) => check.name),
    })),
    workloadNames: registry.workloadNames,
    functions: plan.functions.map(({ name: fn, settings }) => ({ name: fn, code: settings })),
    facts: { "registry id": registry.id, ...factsOf(environment), ...waysOf(plan) },
    guards: guardsOf(registry, environment, plan),
    handedOut: handedOutOf(plan),
    vaults: Object.fromEntries(
      plan.vaults.map(({ name: vault, address, namespace }) => [
        vault,
        `${address}${namespace === undefined ? "" : ` namespace ${namespace}`}`,
      ]),
    ),
    cost: costDriversOf(plan),
    policies: policiesOf(plan),
  };
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

const asTexts = (settings: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));

function secretState(plan: Blueprint, secret: SecretPlan, now: Date): SecretState {
  return {
    key: secret.key,
    store: secret.store,
    place:
      secret.store === "aws"
        ? `aws ${plan.account} ${plan.regions.primary} ${secret.name}`
        : `vault ${secret.vaultPath}`,
    kind: secret.kind,
    regions: secret.regions,
    consumers: secret.consumers,
    cadenceSeconds: secret.rotateEvery.seconds,
    overlapSeconds: secret.overlap.seconds,
    ...(secret.store === "aws"
      ? { recoveryDays: secret.recoveryWindowDays, preventDestroy: secret.preventDestroy }
      : {}),
    facts: {
      kind: secret.kind,
      cadence: formatDuration(secret.rotateEvery),
      overlap: secret.overlap.seconds === 0 ? "none" : formatDuration(secret.overlap),
      "publish lead": secret.publishLead.seconds === 0 ? "none" : formatDuration(secret.publishLead),
      mode: secret.rotation,
      "accepted by": secret.acceptedBy,
      classification: secret.classification,
      owner: secret.owner,
      admin: secret.admin ?? "none",
      retired: secret.retired ?? "no",
      store: secret.store,
      schedule: (secret.store === "aws" ? secret.schedule?.how : undefined) ?? "none",
    },
    hidden: {
      description: secret.description,
      settings: secret.settings,
    },
    ...nextOf(secret, now),
  };
}

function nextOf(secret: SecretPlan, now: Date): { nextRotation?: string } {
  const schedule = (secret as Partial<AwsSecretPlan>).schedule;
  const [next] = schedule ? nextRotations(schedule, now, 1) : [];
  return next ? { nextRotation: next.toISOString().slice(0, 10) } : {};
}

function vaultTakers(plan: Blueprint, workload: WorkloadPlan) {
  return plan.vaults.flatMap((vault) =>
    vault.roles
      .filter((role) => role.workload === workload.name)
      .map((role) => ({
        name: workload.name,
        at: `Vault ${vault.name}`,
        taker:
          `system:serviceaccount:${role.namespace}:${role.serviceAccount} by ${role.mount} for ${role.audience}` +
          (role.boundCidrs ? ` from ${role.boundCidrs.join("|")}` : ""),
      })),
  );
}

function peopleOf({ principals }: Environment): readonly PeopleCell[] {
  return [
    { may: "deployer", arn: principals.deployer } as const,
    ...principals.operators.map((arn) => ({ may: "operator", arn }) as const),
    ...principals.approvers.map((arn) => ({ may: "approver", arn }) as const),
    ...principals.breakGlass.map((arn) => ({ may: "break-glass", arn }) as const),
    ...(principals.ci ? [{ may: "ci", arn: principals.ci } as const] : []),
  ];
}

function factsOf(environment: Environment): Record<string, string> {
  const { changes } = environment;
  return {
    account: environment.account,
    tier: environment.tier,
    "primary region": environment.regions.primary,
    "replica regions": environment.regions.replicas.join(", ") || "none",
    "refresh interval": formatDuration(environment.refreshEvery),
    "reload margin": formatDuration(environment.reloadMargin),
    identity: environment.identity,
    "Vault login": environment.vaultAuth,
    "rotation hours": `${environment.rotationHours.from}-${environment.rotationHours.until} UTC`,
    clusters: environment.clusters
      .map(({ name }) => name)
      .sort()
      .join(", "),
    networks:
      environment.networks
        .map(({ name }) => name)
        .sort()
        .join(", ") || "none",
    "change requests from": changes ? changesSource(changes) : "nowhere",
    "role path": environment.rolePath,
  };
}

/** Ways in which workloads take up values, and the Vault that serves each region. */
const waysOf = ({ workloads, vaults }: Blueprint): Record<string, string> => ({
  ...Object.fromEntries(workloads.map(({ name, reload }) => [`reload of ${name}`, reload.how])),
  ...Object.fromEntries(workloads.map(({ name, delivery }) => [`delivery to ${name}`, delivery.how])),
  Vaults: vaults.map(({ name, regions }) => `${name} (${regions.join(", ")})`).join(", "),
});

/** Digests of the files that an administrator or a chart has to take over by hand. */
function handedOutOf(plan: Blueprint): Record<string, unknown> {
  const people = plan.procedure?.people;
  return {
    "AWS policies of the deployer": plan.deployer,
    ...(people ? { "AWS policy of operators": people.operator } : {}),
    ...(people ? { "AWS policy of approvers": people.approver } : {}),
    ...(people?.ci ? { "AWS policy of CI": people.ci } : {}),
    ...Object.fromEntries(
      plan.vaults.map((vault) => [`policy of the deployer in Vault ${vault.name}`, vault.deployer.text]),
    ),
  };
}
