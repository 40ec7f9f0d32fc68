import { parameterText } from "./aws-call";
import { type Exchange, refuse } from "./exchange";
import { holderOf, placeOf, type StoredSecret, type StoredSecrets } from "./secrets";
import { jsonAnswer, type WireAnswer, type WireError } from "./wire";

/** A region in which no rehearsal has anything. */
const ELSEWHERE = "mx-central-1";

/**
 * StopReplicationToReplica. The embedded AWS has no such operation and refuses every change of a replica, so the secret is made
 * anew where the replica was: name, description, tags, key, policy, versions and labels are the same. What is not as AWS does it: its
 * ARN ends in six other characters, and its versions are as old as the promotion.
 */
export async function promoteReplica(exchange: Exchange, stored: StoredSecrets): Promise<WireAnswer> {
  const { call, account, requestId } = exchange;
  // The server does not know the operation, and says so once it has judged the caller's rights.
  const answer = await exchange.forward();
  if (!/Unknown action/.test(answer.body.toString("utf8"))) return answer;
  const replica = await stored.find(account, call.region, parameterText(call, "SecretId") ?? "");
  const fault = faultOf(replica);
  if (fault || replica === undefined) return refuse(exchange, fault ?? MISSING);
  const copy = await copyOf(exchange, replica, stored);
  await clear(exchange, replica);
  await copy();
  return jsonAnswer({ ARN: (await stored.find(account, call.region, replica.name))?.arn }, requestId);
}

const MISSING: WireError = {
  code: "ResourceNotFoundException",
  message: "Secrets Manager can't find the specified secret.",
};

function faultOf(replica: StoredSecret | undefined): WireError | undefined {
  if (replica === undefined) return MISSING;
  if (replica.deleted) {
    return {
      code: "InvalidRequestException",
      message: "You can't perform this operation on the secret because it was marked for deletion.",
    };
  }
  if (!replica.isReplica) {
    return { code: "InvalidRequestException", message: "Operation is only permitted on a replica secret." };
  }
  return undefined;
}

type Ask = (
  region: string,
  operation: string,
  parameters: object,
) => Promise<Readonly<Record<string, unknown>>>;

/** @throws Error for what the embedded AWS does not do: a secret half made is no rehearsal */
const asker =
  ({ upstream, account }: Exchange): Ask =>
  async (region, operation, parameters) => {
    const { status, body } = await upstream.asRoot(
      { account, region, service: "secretsmanager", operation },
      parameters,
    );
    if (status !== 200) throw new Error(`the embedded AWS did not do ${operation} in ${region}: ${status}`);
    return body;
  };

/** Reads all of a secret; the result makes it anew where there is none. */
async function copyOf(
  exchange: Exchange,
  secret: StoredSecret,
  stored: StoredSecrets,
): Promise<() => Promise<void>> {
  const ask = asker(exchange);
  const [account, region] = placeOf(secret);
  const { name } = secret;
  const { Description, Tags, KmsKeyId } = await ask(region, "DescribeSecret", { SecretId: name });
  const { ResourcePolicy } = await ask(region, "GetResourcePolicy", { SecretId: name });
  const versions = await Promise.all(
    [...secret.labels].map(async ([id, labels]) => ({ id, labels, value: await stored.version(secret, id) })),
  );
  return async () => {
    await ask(region, "CreateSecret", { Name: name, Description, Tags, KmsKeyId });
    const made = await stored.find(account, region, name);
    if (made === undefined) throw new Error(`the embedded AWS has no ${name} in ${region}`);
    if (ResourcePolicy !== undefined) {
      await ask(region, "PutResourcePolicy", { SecretId: name, ResourcePolicy });
    }
    for (const { id, labels, value } of versions) {
      await ask(region, "PutSecretValue", {
        SecretId: name,
        ClientRequestToken: id,
        ...value,
        VersionStages: labels.filter((label) => label !== "AWSCURRENT" && label !== "AWSPREVIOUS"),
      });
    }
    const current = holderOf(secret, "AWSCURRENT");
    if (current !== undefined) await stored.label(made, "AWSCURRENT", current);
    await stored.label(made, "AWSPREVIOUS", holderOf(secret, "AWSPREVIOUS"));
  };
}

/** Takes a replica away: a secret of its name, replicated over it from elsewhere, goes and takes it along. */
async function clear(exchange: Exchange, replica: StoredSecret): Promise<void> {
  const ask = asker(exchange);
  const [, region] = placeOf(replica);
  const { name: Name } = replica;
  await ask(ELSEWHERE, "CreateSecret", { Name });
  await ask(ELSEWHERE, "ReplicateSecretToRegions", {
    SecretId: Name,
    AddReplicaRegions: [{ Region: region }],
    ForceOverwriteReplicaSecret: true,
  });
  await ask(ELSEWHERE, "DeleteSecret", { SecretId: Name, ForceDeleteWithoutRecovery: true });
}
