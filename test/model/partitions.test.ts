import { partition } from "@aws-sdk/core/client";
import { blueprint } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import { PARTITIONS, type Partition, partitionOf, serviceIn } from "../../lib/model/partitions";
import { draft } from "./sample";

const REGIONS: Readonly<Record<Partition, readonly [string, string]>> = {
  aws: ["eu-central-1", "eu-west-1"],
  "aws-cn": ["cn-north-1", "cn-northwest-1"],
  "aws-us-gov": ["us-gov-west-1", "us-gov-east-1"],
  "aws-eusc": ["eusc-de-east-1", "eusc-de-east-1"],
};

test.each([
  ...Object.values(REGIONS).flat(),
  "us-east-1",
  "us-west-2",
  "ap-southeast-5",
  "il-central-1",
  "mx-central-1",
])("%s is of the partition, with the endpoints, that AWS's SDK says", (region) => {
  const { name, dnsSuffix } = partition(region);
  expect(partitionOf(region)).toBe(name);
  expect(serviceIn("sts", region)).toBe(`sts.${region}.${dnsSuffix}`);
});

describe.each(Object.keys(PARTITIONS) as Partition[])("a registry in %s", (name) => {
  const [primary, other] = REGIONS[name];
  const definition = draft();
  delete definition.environments.dev;
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
  const plan = blueprint(defineRegistry(moved) as Registry, "prod");
  const whole = JSON.stringify(plan);

  test("has ARNs of that partition alone", () => {
    const partitions = new Set([...whole.matchAll(/arn:(aws[a-z-]*):/g)].map(([, found]) => found));
    expect([...partitions]).toEqual([name]);
  });

  test("lets pods' tokens in by the audience that EKS gives them everywhere", () => {
    expect(plan.oidcProviders.map(({ audience }) => audience)).toEqual(["sts.amazonaws.com"]);
    expect(JSON.stringify(plan.workloads[0]?.role.trust)).toContain('"sts.amazonaws.com"');
  });

  test("names services by the endpoints that the SDK has there", () => {
    const { dnsSuffix } = partition(primary);
    const services = [...whole.matchAll(/"((?:secretsmanager|sqs|sns|logs)\.[a-z]+-[a-z0-9-]+\.[a-z.]+)"/g)];
    expect(services.length).toBeGreaterThan(3);
    for (const [, service = ""] of services) expect(service.endsWith(`-1.${dnsSuffix}`)).toBe(true);
    expect(whole).toContain(`"logs.${primary}.${dnsSuffix}"`);
  });
});
