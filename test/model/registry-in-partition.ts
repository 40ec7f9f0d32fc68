import { defineRegistry, type Registry } from "../../lib/model";
import type { Partition } from "../../lib/model/partitions";
import { draft, s3Key } from "./sample";

/** Two regions of each partition, or the only one. */
export const REGIONS: Readonly<Record<Partition, readonly [string, string]>> = {
  aws: ["eu-central-1", "eu-west-1"],
  "aws-cn": ["cn-north-1", "cn-northwest-1"],
  "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"],
  "aws-eusc": ["eusc-de-east-1", "eusc-de-east-1"],
};

/** The sample's production in a partition, with a cluster's provider, a workload that is restarted and a key of S3. */
export function registryIn(name: Partition): Registry {
  const [primary, other] = REGIONS[name];
  const definition = draft();
  delete definition.environments.dev;
  definition.secrets["storage/s3-app"] = s3Key();
  definition.workloads.payments.reload = { how: "redeploy" };
  for (const secret of Object.values<{ environments?: Record<string, unknown> }>(definition.secrets)) {
    if (secret.environments) delete secret.environments.dev;
  }
  const text = JSON.stringify(definition)
    .replaceAll("eu-central-1", primary)
    .replaceAll("eu-west-1", other)
    .replaceAll("arn:aws:", `arn:${name}:`);
  const moved = JSON.parse(text);
  const { prod } = moved.environments;
  prod.regions.replicas = prod.regions.replicas.filter((region: string) => region !== primary);
  prod.vaults[0].regions = [...new Set(prod.vaults[0].regions)];
  prod.clusters[0].oidcProvider = "create";
  return defineRegistry(moved) as Registry;
}
