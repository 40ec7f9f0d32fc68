import * as z from "zod/mini";
import type { Blueprint } from "../../blueprint";
import type { PlaceAnswer, Places } from "../cloud/places";
import type { RotationCloud } from "../cloud/rotation-cloud";
import type { RotatedPlan } from "../driver/driven-rotation";
import { type VersionLabels, versionLabels } from "../driver/version-labels";
import { isRotated } from "./find-secret";

/** State of an environment before its first rotations. */
export interface BootstrapChecks {
  /** Faults that keep bootstrap from beginning, sorted. */
  readonly faults: readonly string[];
  /** Things that could not be seen from here, sorted. */
  readonly warnings: readonly string[];
  /** Labels of each secret, by key. */
  readonly labels: ReadonlyMap<string, VersionLabels>;
}

type Finding = { readonly fault: string } | { readonly warning: string };

/** Looks at everything that first rotations need. Nothing is changed. */
export async function checkEnvironment(
  plan: Blueprint,
  cloud: RotationCloud,
  places: Places,
): Promise<BootstrapChecks> {
  const labels = new Map<string, VersionLabels>();
  const findings = (
    await Promise.all([
      ...plan.secrets.filter(isRotated).map((secret) => checkSecret(secret, cloud, labels)),
      ...plan.functions.map(async ({ name }) =>
        (await cloud.hasFunction(name)) ? [] : [notDeployed(`function ${name}`)],
      ),
      checkTable(plan, cloud),
      ...plan.clusters.map((cluster) => checkIssuer(cluster, places)),
      ...plan.vaults.map((vault) => checkVault(vault, places)),
    ])
  ).flat();
  return {
    faults: findings.flatMap((finding) => ("fault" in finding ? [finding.fault] : [])).sort(),
    warnings: findings.flatMap((finding) => ("warning" in finding ? [finding.warning] : [])).sort(),
    labels,
  };
}

const notDeployed = (what: string): Finding => ({
  fault: `${what} is not there, or not ready. Deploy the environment first (terraform apply).`,
});

async function checkSecret(
  secret: RotatedPlan,
  cloud: RotationCloud,
  labels: Map<string, VersionLabels>,
): Promise<readonly Finding[]> {
  const found = await cloud.describe(secret.name);
  if (found === undefined) return [notDeployed(`secret ${secret.name}`)];
  labels.set(secret.key, versionLabels(found));
  if (found.deleted) {
    return [
      { fault: `secret ${secret.name} is scheduled for deletion. Restore it, or retire it in the registry.` },
    ];
  }
  if (secret.rotation === "automatic" && !found.rotationEnabled) {
    return [{ fault: `rotation of ${secret.name} is switched off. Switch it on (terraform apply).` }];
  }
  return [];
}

async function checkTable({ operations }: Blueprint, cloud: RotationCloud): Promise<readonly Finding[]> {
  const table = operations?.publicationsTable;
  return table === undefined || (await cloud.hasTable(table)) ? [] : [notDeployed(`table ${table}`)];
}

const Discovery = z.object({ issuer: z.string() });

/** Pods log in by tokens of this issuer: AWS reads its discovery document from the internet, Vault from where it is. */
async function checkIssuer(
  { name, issuer, issuerCaPem, issuerKeys }: Blueprint["clusters"][number],
  places: Places,
): Promise<readonly Finding[]> {
  if (issuerKeys !== undefined) return [];
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await places.get(url, issuerCaPem);
  if (!answer.reached) return unreached(answer, `issuer of cluster ${name} (${issuer})`);
  const found = answer.status === 200 ? Discovery.safeParse(parsed(answer.body)).data?.issuer : undefined;
  if (found === issuer) return [];
  return [
    {
      fault:
        found === undefined
          ? `issuer of cluster ${name}: ${url} answered ${answer.status} without an issuer. Correct clusters[].issuer in the registry.`
          : `issuer of cluster ${name}: ${url} names ${JSON.stringify(found)}, and the registry ${JSON.stringify(issuer)}. They must be equal to the letter.`,
    },
  ];
}

/**
 * Statuses by which `sys/health` reports a healthy Vault: 200 active, 429 standby, 472 and 473 a replica.
 * https://developer.hashicorp.com/vault/api-docs/system/health
 */
const HEALTHY: readonly number[] = [200, 429, 472, 473];
const UNHEALTHY: Readonly<Record<number, string>> = {
  501: "is not initialised. Initialise and unseal it",
  503: "is sealed. Unseal it",
};

async function checkVault(
  { name, address, caPem }: Blueprint["vaults"][number],
  places: Places,
): Promise<readonly Finding[]> {
  const answer = await places.get(`${address.replace(/\/$/, "")}/v1/sys/health`, caPem);
  if (!answer.reached) return unreached(answer, `Vault ${name} (${address})`);
  if (HEALTHY.includes(answer.status)) return [];
  const what =
    UNHEALTHY[answer.status] ?? `answered ${answer.status} where a Vault says how it is. Correct its address`;
  return [{ fault: `Vault ${name} (${address}) ${what}.` }];
}

/**
 * A private address cannot be distinguished from a dead one from here: the functions reach it or do not, and the mirror's
 * confirmations show it. A certificate of somebody else's is wrong from everywhere.
 */
function unreached(
  { trusted, reason }: Extract<PlaceAnswer, { reached: false }>,
  what: string,
): readonly Finding[] {
  return trusted
    ? [{ warning: `${what} cannot be reached from here (${reason}): not checked.` }]
    : [
        {
          fault: `${what} shows a certificate that its CA did not make (${reason}). Correct caPem or the address.`,
        },
      ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
