import { controllersOf } from "../controllers";
import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault, type PathStep } from "../faults";
import {
  authMount,
  databaseMount,
  deployerPolicyName,
  ENVIRONMENT_PREFIX_LIMIT,
  kvMount,
  mirrorAuthMount,
  mirrorName,
  roleName,
  secretsKeyAlias,
  vaultRoleName,
} from "../names";
import { serviceAccountOf } from "../service-account";
import { forEnvironments, type RuleContext } from "./context";

/** A name that the registry makes, in the space in which it must be the only one. */
interface DerivedName {
  readonly space: string;
  readonly name: string;
  /** The author's name for it. */
  readonly source: string;
  readonly path: readonly PathStep[];
  readonly change: string;
}

const RENAME = "rename one of the two, so that the derived names differ";

function awsNames(
  context: RuleContext,
  environmentName: string,
  environment: ParsedEnvironment,
): readonly DerivedName[] {
  const { id, workloads } = context.parsed;
  return [
    {
      space: `KMS aliases of account ${environment.account}`,
      name: secretsKeyAlias(id, environmentName),
      source: `environment ${environmentName}`,
      path: ["environments", environmentName],
      change: RENAME,
    },
    ...[...workloads.keys()].map((workload) => ({
      space: `IAM roles of account ${environment.account}`,
      name: roleName(id, environmentName, workload),
      source: `workload ${workload} in ${environmentName}`,
      path: ["workloads", workload],
      change: RENAME,
    })),
    ...environment.clusters.flatMap((cluster, index) =>
      cluster.oidcProvider === "create"
        ? [
            {
              space: `IAM OIDC providers of account ${environment.account}`,
              name: cluster.issuer,
              source: `cluster ${cluster.name} in ${environmentName}`,
              path: ["environments", environmentName, "clusters", index, "oidcProvider"],
              change:
                'let one of them create the provider, and the other refer to it (oidcProvider: "reference")',
            },
          ]
        : [],
    ),
  ];
}

function vaultNames(
  context: RuleContext,
  environmentName: string,
  environment: ParsedEnvironment,
): readonly DerivedName[] {
  const { id, workloads } = context.parsed;
  return environment.vaults.flatMap((vault, index) => {
    const server = `${vault.address}${vault.namespace ? `/${vault.namespace}` : ""}`;
    const path = ["environments", environmentName, "vaults", index];
    const roles = [...workloads.keys()].map((workload) => ({
      space: `policies of Vault ${server}`,
      name: vaultRoleName(id, environmentName, workload),
      source: `workload ${workload} in ${environmentName}`,
      path: ["workloads", workload],
      change: RENAME,
    }));
    const mine = {
      space: `policies of Vault ${server}`,
      name: deployerPolicyName(id, environmentName),
      source: `the deployer of ${environmentName}`,
      path,
      change: RENAME,
    };
    const mirror = {
      space: `policies of Vault ${server}`,
      name: mirrorName(id, environmentName),
      source: `the mirror of ${environmentName}`,
      path,
      change: RENAME,
    };
    const mount = (name: string, at: readonly PathStep[], change: string): DerivedName => ({
      space: `mounts of Vault ${server}`,
      name,
      source: `Vault ${vault.name} in ${environmentName}`,
      path: at,
      change,
    });
    const mounts = [
      kvMount(environmentName),
      databaseMount(environmentName),
      `auth/${mirrorAuthMount(environmentName)}`,
    ];
    const logins = environment.clusters.flatMap((cluster, place) =>
      cluster.vault === vault.name
        ? [
            mount(
              `auth/${authMount(environment.vaultAuth, cluster)}`,
              ["environments", environmentName, "clusters", place],
              "name another `authMount` for one of them: each environment has its own login of its pods",
            ),
          ]
        : [],
    );
    return [...roles, mine, mirror, ...mounts.map((name) => mount(name, path, RENAME)), ...logins];
  });
}

/** The part of a name that a Terraform identifier keeps, without regard to case. */
const kept = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, "").toLowerCase();

/**
 * Names that would become one Terraform address: cdktf drops odd characters, and keeps the last resource in silence.
 */
function addresses(
  context: RuleContext,
  environmentName: string,
  environment: ParsedEnvironment,
): readonly DerivedName[] {
  const { declared } = context.parsed;
  const words = (
    space: string,
    names: readonly string[],
    at: (name: string, index: number) => readonly PathStep[],
  ): DerivedName[] =>
    names.map((name, index) => ({
      space: `Terraform addresses of ${space}`,
      name: kept(name.replaceAll("/", "--")),
      source: name,
      path: at(name, index),
      change: RENAME,
    }));
  const unique = <T extends { name: string }>(entries: readonly T[]): string[] => [
    ...new Set(entries.map(({ name }) => name)),
  ];
  const patched = [...context.parsed.workloads].flatMap(([workload, settings]) => {
    if (settings.delivery.how !== "patch") return [];
    const { namespace } = serviceAccountOf(environmentName, environment, workload, settings);
    return controllersOf(workload, settings).map(({ kind, name }, index) => ({
      space: `Terraform addresses of patched Deployments in ${environmentName}`,
      name: kept(index === 0 ? name : `${namespace}--${kind}-${name}`),
      source: `${kind} ${name} of workload ${workload}`,
      path: ["workloads", workload, "delivery"],
      change: "rename one of the two, or let one of the workloads have files (delivery)",
    }));
  });
  return [
    ...patched,
    ...words(`secrets in ${environmentName}`, declared.secrets, (key) => ["secrets", key]),
    ...words(`workloads in ${environmentName}`, declared.workloads, (name) => ["workloads", name]),
    ...words(`clusters in ${environmentName}`, unique(environment.clusters), (_, index) => [
      "environments",
      environmentName,
      "clusters",
      index,
      "name",
    ]),
    ...words(`Vaults in ${environmentName}`, unique(environment.vaults), (_, index) => [
      "environments",
      environmentName,
      "vaults",
      index,
      "name",
    ]),
  ];
}

/** Faults of environments whose resources would lose the beginning by which policies and watches know them. */
export const environmentPrefixFaults = (context: RuleContext): readonly Fault[] =>
  forEnvironments(context, (name) => {
    const prefix = `${context.parsed.id}-${name}`;
    if (prefix.length <= ENVIRONMENT_PREFIX_LIMIT) return [];
    return [
      fault(
        ["environments", name],
        `${prefix}, ${prefix.length} characters`,
        `registry and environment of ${ENVIRONMENT_PREFIX_LIMIT} characters together: names of functions, roles and rules begin with both, and end at 64`,
        "shorten the environment's name, or the registry's id",
      ),
    ];
  });

/**
 * Names that follow from the registry must differ wherever they live together: two environments may share an
 * account or a Vault.
 */
export function derivedNameFaults(context: RuleContext): readonly Fault[] {
  const names = forEnvironments(context, (name, environment) => [
    ...awsNames(context, name, environment),
    ...vaultNames(context, name, environment),
    ...addresses(context, name, environment),
  ]);
  const holders = new Map<string, DerivedName>();
  const reported = new Set<string>();
  return names.flatMap((entry) => {
    const id = JSON.stringify([entry.space, entry.name]);
    const holder = holders.get(id);
    if (!holder) {
      holders.set(id, entry);
      return [];
    }
    const pair = JSON.stringify([entry.name, entry.source, holder.source]);
    if (holder.source === entry.source || reported.has(pair)) return [];
    reported.add(pair);
    return [
      fault(
        entry.path,
        `${entry.name} from ${entry.source}, the same as from ${holder.source}`,
        `names that differ among the ${entry.space}`,
        entry.change,
      ),
    ];
  });
}
