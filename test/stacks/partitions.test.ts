import { partition } from "@aws-sdk/core/client";
import { PARTITIONS, type Partition } from "../../lib/model/partitions";
import { REGIONS, registryIn } from "../model/registry-in-partition";
import { synthesize } from "./synthesized";

/** Terraform of each partition, read as it is written. */
describe.each(Object.keys(PARTITIONS) as Partition[])("a stack in %s", (name) => {
  const [primary, other] = REGIONS[name];
  const { dnsSuffix } = partition(primary);
  const { terraform, text } = synthesize(
    { registry: registryIn(name), environment: "prod" },
    (json, _, whole) => ({ terraform: json, text: whole }),
  );
  const texts = (pattern: RegExp): readonly string[] => [
    ...new Set([...text.matchAll(pattern)].map(([, found = ""]) => found)),
  ];

  test("has ARNs of that partition alone, and regions of no other", () => {
    expect(texts(/arn:(aws[a-z-]*):/g)).toEqual([name]);
    const regions = texts(/\b((?:af|ap|ca|cn|eu|eusc|il|me|mx|sa|us)(?:-[a-z]+)+-\d)\b/g);
    const global = PARTITIONS[name].global;
    expect([...regions].sort()).toEqual(
      [...new Set([primary, other, global])].filter((it) => regions.includes(it)).sort(),
    );
    expect(regions).toContain(primary);
    expect(terraform.provider.aws[0].region).toBe(primary);
  });

  test("takes pods' tokens by the audience that EKS gives them everywhere", () => {
    const providers = Object.values<{ client_id_list: unknown }>(
      terraform.resource.aws_iam_openid_connect_provider,
    );
    expect(providers.map(({ client_id_list }) => client_id_list)).toEqual([["sts.amazonaws.com"]]);
    expect(texts(/:aud\\?"\s*:\s*\[?\s*\\?"(sts\.[a-z.]+)/g)).toEqual(["sts.amazonaws.com"]);
  });

  test("names regional services by the suffix that AWS's SDK says, in conditions and in key policies", () => {
    const hosts = texts(/\b([a-z0-9-]+\.[a-z]+(?:-[a-z]+)+-\d\.[a-z]+(?:\.[a-z]+)+)\b/g).filter((host) =>
      /amazonaws/.test(host),
    );
    expect(hosts).toContain(`secretsmanager.${primary}.${dnsSuffix}`);
    expect(hosts).toContain(`logs.${primary}.${dnsSuffix}`);
    for (const host of hosts) {
      const [, suffix] = /^[a-z0-9-]+\.[a-z0-9-]+\.(.+)$/.exec(host) ?? [];
      expect({ host, suffix }).toEqual({ host, suffix: dnsSuffix });
    }
  });

  test("names services that a role trusts as IAM does in all partitions", () => {
    const policies = texts(/\\"Service\\":\[?\\"([a-z0-9.-]+)\\"/g);
    expect(policies.length).toBeGreaterThan(1);
    for (const service of policies) {
      expect(service).toMatch(
        service.startsWith("logs.")
          ? new RegExp(`^logs\\.[a-z0-9-]+\\.${dnsSuffix.replaceAll(".", "\\.")}$`)
          : /^[a-z0-9-]+(\.eks)?\.amazonaws\.com$/,
      );
    }
  });
});
