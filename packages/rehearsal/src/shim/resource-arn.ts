import { type AwsCall, parameterText } from "./aws-call";
import type { Upstream } from "./upstream";
import { xmlText } from "./wire";

type Resolve = (call: AwsCall, account: string, upstream: Upstream) => Promise<string> | string;

const named = (call: AwsCall, parameter: string, arn: (name: string) => string): string => {
  const name = parameterText(call, parameter);
  if (name === undefined) return "*";
  return name.startsWith("arn:") ? name : arn(name);
};

const regional = (call: AwsCall, account: string, rest: string): string =>
  `arn:aws:${call.service}:${call.region}:${account}:${rest}`;

/** The resource by which IAM judges a call, by service. Source: Service Authorization Reference. */
const RESOLVERS: Readonly<Record<string, Resolve>> = {
  async secretsmanager(call, account, upstream) {
    const id = parameterText(call, "SecretId") ?? parameterText(call, "Name");
    if (id === undefined) return "*";
    if (id.startsWith("arn:")) return id;
    const { body } = await upstream.asRoot(
      { account, region: call.region, service: "secretsmanager", operation: "DescribeSecret" },
      { SecretId: id },
    );
    return typeof body.ARN === "string" ? body.ARN : id;
  },
  dynamodb: (call, account) => named(call, "TableName", (name) => regional(call, account, `table/${name}`)),
  async kms(call, account, upstream) {
    const id = parameterText(call, "KeyId");
    return id === undefined ? "*" : keyArn(id, account, call.region, upstream);
  },
  lambda: (call, account) =>
    named(call, "FunctionName", (name) => regional(call, account, `function:${name}`)),
  elasticache: (call, account) =>
    parameterText(call, "ResourceName") ??
    (parameterText(call, "UserId") === undefined
      ? named(call, "ReplicationGroupId", (id) => regional(call, account, `replicationgroup:${id}`))
      : named(call, "UserId", (id) => regional(call, account, `user:${id}`))),
  memorydb: (call, account) =>
    parameterText(call, "ResourceArn") ??
    named(call, "UserName", (name) => regional(call, account, `user/${name}`)),
  sqs: (call, account) =>
    named(call, "QueueUrl", (url) => regional(call, account, url.slice(url.lastIndexOf("/") + 1))),
  sns: (call) => parameterText(call, "TopicArn") ?? parameterText(call, "TargetArn") ?? "*",
  async states(call, account, upstream) {
    const named =
      parameterText(call, "executionArn") ??
      parameterText(call, "stateMachineArn") ??
      parameterText(call, "activityArn");
    if (named !== undefined || parameterText(call, "taskToken") === undefined) return named ?? "*";
    // AWS knows whose task a token is of; here a token says nothing, and an account has one state machine, or it is not known.
    const { body } = await upstream.asRoot(
      { account, region: call.region, service: "states", operation: "ListStateMachines" },
      {},
    );
    const machines = (body.stateMachines ?? []) as readonly { readonly stateMachineArn: string }[];
    return machines.length === 1 ? (machines[0]?.stateMachineArn ?? "*") : "*";
  },
  events: (call, account) =>
    call.operation === "PutEvents" ? regional(call, account, "event-bus/default") : "*",
  scheduler: (call, account) =>
    named(call, "Name", (name) =>
      regional(call, account, `schedule/${parameterText(call, "GroupName") ?? "default"}/${name}`),
    ),
  s3(call) {
    const [bucket, key] = [parameterText(call, "Bucket"), parameterText(call, "Key")];
    if (!bucket) return "*";
    return `arn:aws:s3:::${key === undefined ? bucket : `${bucket}/${key}`}`;
  },
  sts: (call) => parameterText(call, "RoleArn") ?? "*",
  async iam(call, account, upstream) {
    const role = parameterText(call, "RoleName");
    const user = parameterText(call, "UserName") ?? (await ownerOfKey(call, account, upstream));
    const [operation, parameters] =
      role === undefined
        ? (["GetUser", { UserName: user ?? "" }] as const)
        : (["GetRole", { RoleName: role }] as const);
    if (role === undefined && user === undefined) return "*";
    const { region } = call;
    const asked = { account, region, service: "iam", operation };
    const answer = await upstream.queryAsRoot(asked, parameters);
    return xmlText(answer.body, "Arn") ?? role ?? user ?? "*";
  },
};

/** ARN of a key by its id, its alias or itself; what was given where there is no such key. */
export async function keyArn(
  keyId: string,
  account: string,
  region: string,
  upstream: Upstream,
): Promise<string> {
  if (/^arn:[^:]+:kms:.*:key\//.test(keyId)) return keyId;
  const { body } = await upstream.asRoot(
    { account, region, service: "kms", operation: "DescribeKey" },
    { KeyId: keyId },
  );
  const metadata = body.KeyMetadata as { readonly Arn?: string } | undefined;
  return metadata?.Arn ?? keyId;
}

/** GetAccessKeyLastUsed names a key, and is judged by the user whose key it is. */
async function ownerOfKey(call: AwsCall, account: string, upstream: Upstream): Promise<string | undefined> {
  const AccessKeyId = parameterText(call, "AccessKeyId");
  if (AccessKeyId === undefined) return undefined;
  const asked = { account, region: call.region, service: "iam", operation: "GetAccessKeyLastUsed" };
  return xmlText((await upstream.queryAsRoot(asked, { AccessKeyId })).body, "UserName");
}

/** ARN of what a call is about; a name where there is no such thing, `*` where the action has no resource. */
export async function resourceArn(
  call: AwsCall,
  account: string | undefined,
  upstream: Upstream,
): Promise<string> {
  if (account === undefined) return parameterText(call, "RoleArn") ?? "*";
  return (await RESOLVERS[call.service]?.(call, account, upstream)) ?? "*";
}
