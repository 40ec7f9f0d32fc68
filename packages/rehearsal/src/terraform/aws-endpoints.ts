/**
 * The keys in the AWS provider's `endpoints` for each beginning of a resource type.
 *
 * https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/custom-service-endpoints
 */
const ENDPOINTS_OF: Readonly<Record<string, string | readonly string[]>> = {
  aws_cloudtrail: "cloudtrail",
  aws_cloudwatch_event_: "events",
  aws_cloudwatch_log_: "logs",
  aws_cloudwatch_metric_: "cloudwatch",
  aws_dynamodb_: "dynamodb",
  aws_elasticache_: "elasticache",
  aws_iam_: "iam",
  aws_kms_: "kms",
  aws_lambda_: "lambda",
  // Tags of buckets are S3 Control's.
  aws_s3_: ["s3", "s3control"],
  aws_scheduler_: "scheduler",
  aws_secretsmanager_: "secretsmanager",
  aws_security_group: "ec2",
  aws_sfn_: "sfn",
  aws_sns_: "sns",
  aws_sqs_: "sqs",
  aws_vpc_security_group_: "ec2",
};

/** Services that the provider itself asks: who it is. */
const ALWAYS = ["iam", "sts"];

/**
 * The provider's `endpoints` for a stack's resource types, all at one address.
 *
 * @throws Error for a type whose service is not known: it would be asked for in the cloud
 */
export function awsEndpoints(types: readonly string[], endpoint: string): Readonly<Record<string, string>> {
  const services = types.flatMap((type) => {
    const beginning = Object.keys(ENDPOINTS_OF).find((candidate) => type.startsWith(candidate));
    const service = beginning && ENDPOINTS_OF[beginning];
    if (!service) throw new Error(`no endpoint is known for ${type}; add its service to ENDPOINTS_OF`);
    return service;
  });
  return Object.fromEntries([...new Set([...ALWAYS, ...services])].sort().map((name) => [name, endpoint]));
}
