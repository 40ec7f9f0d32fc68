import { type Exchange, type Handler, refuse } from "./exchange";
import { errorCodeOf, jsonAnswer, jsonOf, type WireAnswer } from "./wire";

/** Makes the replicas that a call of CreateSecret asks for, once the secret is there. */
export async function replicateAtCreation(exchange: Exchange, created: WireAnswer): Promise<WireAnswer> {
  const { AddReplicaRegions, ForceOverwriteReplicaSecret } = exchange.call.parameters;
  if (created.status !== 200 || !Array.isArray(AddReplicaRegions) || AddReplicaRegions.length === 0) {
    return created;
  }
  const { ARN, ...rest } = jsonOf(created.body);
  const { body } = await asRoot(exchange, exchange.call.region, "ReplicateSecretToRegions", {
    SecretId: ARN,
    AddReplicaRegions,
    ForceOverwriteReplicaSecret,
  });
  return jsonAnswer({ ARN, ...rest, ReplicationStatus: body.ReplicationStatus }, exchange.requestId);
}

/** A region without secrets, in which nothing is replicated to. */
const ELSEWHERE = "us-iso-east-1";

/**
 * RemoveRegionsFromReplication, which the embedded AWS does not have. A replica goes there when another secret's replica
 * takes its place, and that one goes with its primary.
 */
export const removeReplicas: Handler = async (exchange) => {
  // The answer says whether the caller may; the operation it does not know.
  const refusal = await exchange.forward();
  if (errorCodeOf(refusal) !== "InvalidRequestException") return refusal;
  const { SecretId, RemoveReplicaRegions } = exchange.call.parameters;
  const described = await asRoot(exchange, exchange.call.region, "DescribeSecret", { SecretId });
  const { ARN, Name } = described.body;
  if (described.status !== 200) {
    return refuse(exchange, {
      code: "ResourceNotFoundException",
      message: "Secrets Manager can't find the specified secret.",
    });
  }
  await asRoot(exchange, ELSEWHERE, "CreateSecret", { Name });
  await asRoot(exchange, ELSEWHERE, "ReplicateSecretToRegions", {
    SecretId: Name,
    AddReplicaRegions: (RemoveReplicaRegions as readonly string[]).map((Region) => ({ Region })),
    ForceOverwriteReplicaSecret: true,
  });
  await asRoot(exchange, ELSEWHERE, "DeleteSecret", { SecretId: Name, ForceDeleteWithoutRecovery: true });
  const { body } = await asRoot(exchange, exchange.call.region, "DescribeSecret", { SecretId });
  return jsonAnswer({ ARN, ReplicationStatus: body.ReplicationStatus ?? [] }, exchange.requestId);
};

const asRoot = ({ upstream, account }: Exchange, region: string, operation: string, parameters: object) =>
  upstream.asRoot({ account, region, service: "secretsmanager", operation }, parameters);
