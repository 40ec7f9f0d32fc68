import type { KnownPrincipal } from "../../contracts/audit-settings";
import { databaseMount, keyAsWord, kvMount, runsTable, secretName } from "../../model/names";
import { PARTITIONS } from "../../model/partitions";
import type { Environment, Registry } from "../../model/registry";
import type { FunctionPlan } from "../functions/function-plan";
import type { WorkloadPlan } from "../identity/workload-plan";
import { commonTags } from "../platform/tags";
import type { VaultPlan } from "../vault/vault-server-plan";
import type { AuditPlan } from "./audit-plan";
import { auditTrailPlan } from "./audit-trail-plan";

/** Parts of an environment from which its audit trail is planned. */
export interface AuditParts {
  readonly workloads: readonly WorkloadPlan[];
  readonly functions: readonly FunctionPlan[];
  readonly vaults: readonly VaultPlan[];
  readonly hasProcedure: boolean;
}

/** The audit trail of an environment; `undefined` where its settings name none, or where nothing is rotated or copied at all. */
export function auditOf(
  registry: Registry,
  environment: Environment,
  parts: AuditParts,
): AuditPlan | undefined {
  const { audit, name, account, partition, regions, allRegions } = environment;
  if (audit === undefined || parts.functions.length === 0) return undefined;
  const secrets = registry.secretsIn(name);
  const isProduction = environment.tier === "production";
  return auditTrailPlan({
    registry: registry.id,
    environment: name,
    account,
    partition,
    regions: { primary: regions.primary, all: allRegions },
    globalRegion: PARTITIONS[partition].global,
    rolePath: environment.rolePath,
    ...(environment.permissionsBoundary ? { permissionsBoundary: environment.permissionsBoundary } : {}),
    trail: audit.trail,
    sinks: audit.sinks.map(({ network: place, ...sink }) => {
      const network = environment.networks.find((candidate) => candidate.name === place);
      return {
        sink,
        ...(network ? { network: { subnets: network.subnets, securityGroups: network.securityGroups } } : {}),
      };
    }),
    retentionDays: audit.retainFor.seconds / 86_400,
    lockMode: isProduction ? "COMPLIANCE" : "GOVERNANCE",
    forceDestroy: environment.tier === "development",
    preventDestroy: environment.preventDestroy,
    readBurst: audit.readBurst,
    operators: [...environment.principals.operators, ...environment.principals.breakGlass],
    scope: {
      secretPrefix: secretName(name, ""),
      secrets: Object.fromEntries(
        secrets.map(({ key, physicalKey, owner }) => [secretName(name, physicalKey), { key, owner }]),
      ),
      rolePrefix: `${registry.id}-${name}-`,
      principals: principalsOf(environment, parts),
      vault: {
        kvMount: kvMount(name),
        databaseMount: databaseMount(name),
        authMounts: [
          ...new Set(
            parts.vaults.flatMap(({ auths, mirror }) => [
              ...auths.map(({ mount }) => mount),
              ...(mirror ? [mirror.authMount] : []),
            ]),
          ),
        ].sort(),
        policyPrefix: `${registry.id}-${name}-`,
        databaseRoles: Object.fromEntries(
          secrets
            .filter(({ store }) => store === "vault")
            .map(({ key, physicalKey }) => [keyAsWord(physicalKey), key]),
        ),
      },
    },
    ...(parts.hasProcedure ? { runsTable: runsTable(registry.id, name) } : {}),
    tags: commonTags(registry, environment),
  });
}

function principalsOf(
  { principals }: Environment,
  { workloads, functions }: AuditParts,
): Readonly<Record<string, KnownPrincipal>> {
  const { deployer, operators, approvers, breakGlass, ci } = principals;
  const nameOf = (arn: string): string => arn.split("/").at(-1) ?? arn;
  const people = (is: KnownPrincipal["is"], arns: readonly string[]) =>
    arns.map((arn) => [arn, { is, name: nameOf(arn) }] as const);
  return Object.fromEntries<KnownPrincipal>([
    ...people("deployer", [deployer]),
    ...people("ci", ci === undefined ? [] : [ci]),
    ...people("approver", approvers),
    ...people("operator", operators),
    // Last: whoever is break-glass as well counts as such.
    ...people("break-glass", breakGlass),
    ...functions.map(({ role, name }) => [role.arn, { is: "function", name }] as const),
    ...workloads.map(
      ({ role, name, namespace, serviceAccount }) =>
        [role.arn, { is: "workload", name, serviceAccount: `${namespace}:${serviceAccount}` }] as const,
    ),
  ]);
}
