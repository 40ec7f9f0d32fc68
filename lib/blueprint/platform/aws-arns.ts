import { serviceIn } from "../../model/partitions";

export { serviceIn };

/** ARNs that follow from names alone: known before any cloud is asked, so no policy needs a token. */

/** Partition and account of an ARN. */
export interface AccountScope {
  readonly partition: string;
  readonly account: string;
}

/**
 * Pattern of a secret's ARN. Secrets Manager adds a hyphen and six characters of its own, the same in every replica;
 * six `?` match just those, where `*` would also match names that go on.
 */
export const secretArnPattern = (scope: AccountScope, region: string, name: string): string =>
  `arn:${scope.partition}:secretsmanager:${region}:${scope.account}:secret:${name}-??????`;

/**
 * Prefix under which all secrets of an environment lie, in any region: what an encryption context is held against.
 */
export const secretArnPrefix = (scope: AccountScope, environment: string): string =>
  `${secretArnPrefixIn(scope, "*", environment)}*`;

/** Prefix of the ARNs of all secrets of an environment, in one region. */
export const secretArnPrefixIn = (scope: AccountScope, region: string, environment: string): string =>
  `arn:${scope.partition}:secretsmanager:${region}:${scope.account}:secret:${environment}/`;

/** Every key of the account in a region; always narrowed by `kms:ViaService` and the encryption context. */
export const anyKeyArn = (scope: AccountScope, region: string): string =>
  `arn:${scope.partition}:kms:${region}:${scope.account}:key/*`;

/** ARN of an IAM role. */
export const roleArn = (scope: AccountScope, path: string, name: string): string =>
  `arn:${scope.partition}:iam::${scope.account}:role${path}${name}`;

/** The account's root as a principal: in a key policy it hands the decision to IAM. */
export const rootArn = (scope: AccountScope): string => `arn:${scope.partition}:iam::${scope.account}:root`;

/** ARN of the IAM OIDC provider of an issuer. */
export const oidcProviderArn = (scope: AccountScope, issuer: string): string =>
  `arn:${scope.partition}:iam::${scope.account}:oidc-provider/${issuer.replace(/^https:\/\//, "")}`;

/** Secrets Manager's service name in a region, as `kms:ViaService` has it. */
export const secretsManagerService = (region: string): string => serviceIn("secretsmanager", region);

const arnIn =
  (service: string, resource: (name: string) => string) =>
  (scope: AccountScope, region: string, name: string): string =>
    `arn:${scope.partition}:${service}:${region}:${scope.account}:${resource(name)}`;

/** ARN of a Lambda function. */
export const functionArn = arnIn("lambda", (name) => `function:${name}`);
/** ARN of an EKS cluster. */
export const eksClusterArn = arnIn("eks", (name) => `cluster/${name}`);
/** ARN of a DynamoDB table. */
export const tableArn = arnIn("dynamodb", (name) => `table/${name}`);
/** ARN of an SQS queue. */
export const queueArn = arnIn("sqs", (name) => name);
/** ARN of an SNS topic. */
export const topicArn = arnIn("sns", (name) => name);
/** ARN of an EventBridge rule of the default bus. */
export const ruleArn = arnIn("events", (name) => `rule/${name}`);
/** ARN of the default event bus. */
export const eventBusArn = (scope: AccountScope, region: string): string =>
  `arn:${scope.partition}:events:${region}:${scope.account}:event-bus/default`;
/** ARNs of the streams of a log group. */
export const logStreamArns = arnIn("logs", (group) => `log-group:${group}:log-stream:*`);
/** ARN of a Step Functions state machine. */
export const stateMachineArn = arnIn("states", (name) => `stateMachine:${name}`);
/** ARNs of the executions of a state machine. */
export const executionArns = arnIn("states", (name) => `execution:${name}:*`);
/** ARN of an S3 bucket. */
export const bucketArn = (scope: AccountScope, name: string): string => `arn:${scope.partition}:s3:::${name}`;
/** ARN of an ElastiCache replication group. */
export const replicationGroupArn = arnIn("elasticache", (id) => `replicationgroup:${id}`);
/** ARN of an ElastiCache user, by its id. */
export const elastiCacheUserArn = arnIn("elasticache", (id) => `user:${id}`);
/** ARN of a MemoryDB user. */
export const memoryDbUserArn = arnIn("memorydb", (name) => `user/${name}`);
/** ARN of an IAM user without a path. */
export const iamUserArn = (scope: AccountScope, name: string): string =>
  `arn:${scope.partition}:iam::${scope.account}:user/${name}`;
