/**
 * The partitions of AWS that a registry may be in, as AWS's SDK has them (`partition()` of `@aws-sdk/core/client`; a test compares
 * the two). `dnsSuffix`: what its endpoints end in. `global`: the region whose event bus gets the events of global
 * services such as IAM.
 * https://repost.aws/knowledge-center/eventbridge-rule-triggers-iam-single-region
 */
export const PARTITIONS = {
  aws: { prefix: "", dnsSuffix: "amazonaws.com", global: "us-east-1" },
  "aws-cn": { prefix: "cn-", dnsSuffix: "amazonaws.com.cn", global: "cn-north-1" },
  "aws-us-gov": { prefix: "us-gov-", dnsSuffix: "amazonaws.com", global: "us-gov-west-1" },
  "aws-eusc": { prefix: "eusc-", dnsSuffix: "amazonaws.eu", global: "eusc-de-east-1" },
} as const satisfies Record<Partition, { prefix: string; dnsSuffix: string; global: string }>;

/** Name of a partition of AWS. */
export type Partition = "aws" | "aws-cn" | "aws-us-gov" | "aws-eusc";

/** The AWS partition that a region belongs to. */
export function partitionOf(region: string): Partition {
  const others = Object.entries(PARTITIONS).filter(([, { prefix }]) => prefix !== "");
  return (others.find(([, { prefix }]) => region.startsWith(prefix))?.[0] as Partition | undefined) ?? "aws";
}

/** A service's name in a region, as its endpoint and `kms:ViaService` have it: `sqs.eu-central-1.amazonaws.com`. */
export const serviceIn = (service: string, region: string): string =>
  `${service}.${region}.${PARTITIONS[partitionOf(region)].dnsSuffix}`;
