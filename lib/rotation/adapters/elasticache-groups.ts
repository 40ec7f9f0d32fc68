import {
  DescribeReplicationGroupsCommand,
  type ElastiCacheClient,
  ModifyReplicationGroupCommand,
} from "@aws-sdk/client-elasticache";
import { RotationError } from "../rotation-error";
import type { ReplicationGroup, ReplicationGroups } from "../targets/elasticache-auth";
import { awsFailure, awsNameOf } from "./aws-failure";

/** {@link ReplicationGroups} on AWS ElastiCache. */
export class ElastiCacheGroups implements ReplicationGroups {
  readonly #client: ElastiCacheClient;

  constructor(client: ElastiCacheClient) {
    this.#client = client;
  }

  async describe(id: string): Promise<ReplicationGroup> {
    try {
      const { ReplicationGroups: found } = await this.#client.send(
        new DescribeReplicationGroupsCommand({ ReplicationGroupId: id }),
      );
      const group = found?.[0];
      if (group === undefined) throw missing(id);
      return {
        status: group.Status ?? "unknown",
        tokenChanging: group.PendingModifiedValues?.AuthTokenStatus !== undefined,
        encryptedInTransit: group.TransitEncryptionEnabled ?? false,
      };
    } catch (failure) {
      throw awsNameOf(failure).startsWith("ReplicationGroupNotFound")
        ? missing(id)
        : awsFailure(failure, `elasticache:DescribeReplicationGroups of ${id}`);
    }
  }

  async changeToken(id: string, strategy: "ROTATE" | "SET", token: string): Promise<void> {
    try {
      await this.#client.send(
        new ModifyReplicationGroupCommand({
          ReplicationGroupId: id,
          AuthToken: token,
          AuthTokenUpdateStrategy: strategy,
          // Otherwise the change waits for the maintenance window.
          ApplyImmediately: true,
        }),
      );
    } catch (failure) {
      throw awsNameOf(failure).startsWith("InvalidReplicationGroupState")
        ? new RotationError("target-busy", `replication group ${id} is being changed`, awsNameOf(failure))
        : awsFailure(failure, `elasticache:ModifyReplicationGroup of ${id}`);
    }
  }
}

const missing = (id: string): RotationError =>
  new RotationError("target-misconfigured", `there is no replication group ${id}`);
