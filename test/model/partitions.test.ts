import { partition } from "@aws-sdk/core/client";
import { blueprint } from "../../lib/blueprint";
import { PARTITIONS, type Partition, partitionOf, serviceIn } from "../../lib/model/partitions";
import { REGIONS, registryIn } from "./registry-in-partition";

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
  const [primary] = REGIONS[name];
  const plan = blueprint(registryIn(name), "prod");
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
