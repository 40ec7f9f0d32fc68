import {
  AddTagsToResourceCommand,
  DescribeReplicationGroupsCommand,
  type ElastiCacheClient,
  ListTagsForResourceCommand,
  ModifyReplicationGroupCommand,
  type ReplicationGroup as ShownGroup,
} from "@aws-sdk/client-elasticache";
import { RotationError } from "../protocol/rotation-error";
import type { ReplicationGroup, ReplicationGroups, TokenStrategy } from "../targets/elasticache-auth";
import { awsFailure, awsNameOf } from "./aws-failure";

/** ElastiCache's words for a change of the token that the group is in no state for, or a token of the wrong form. */
const REFUSED = /^InvalidParameter(Value|Combination)/;

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
      return asShown(group);
    } catch (failure) {
      throw failureOf(failure, id, "elasticache:DescribeReplicationGroups");
    }
  }

  async changeToken(
    id: string,
    strategy: TokenStrategy,
    token: string,
  ): Promise<ReplicationGroup | "refused"> {
    try {
      const { ReplicationGroup: group } = await this.#client.send(
        new ModifyReplicationGroupCommand({
          ReplicationGroupId: id,
          AuthToken: token,
          AuthTokenUpdateStrategy: strategy,
          // Otherwise the change waits for the maintenance window.
          ApplyImmediately: true,
        }),
      );
      return asShown(group ?? {});
    } catch (failure) {
      if (REFUSED.test(awsNameOf(failure))) return "refused";
      throw failureOf(failure, id, "elasticache:ModifyReplicationGroup");
    }
  }

  async tags(arn: string): Promise<ReadonlyMap<string, string>> {
    try {
      const { TagList: tags = [] } = await this.#client.send(
        new ListTagsForResourceCommand({ ResourceName: arn }),
      );
      return new Map(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
    } catch (failure) {
      throw failureOf(failure, arn, "elasticache:ListTagsForResource");
    }
  }

  async putTag(arn: string, key: string, value: string): Promise<void> {
    try {
      await this.#client.send(
        new AddTagsToResourceCommand({ ResourceName: arn, Tags: [{ Key: key, Value: value }] }),
      );
    } catch (failure) {
      throw failureOf(failure, arn, "elasticache:AddTagsToResource");
    }
  }
}

const asShown = (group: ShownGroup): ReplicationGroup => ({
  arn: group.ARN ?? "",
  status: group.Status ?? "unknown",
  tokenChanging: group.PendingModifiedValues?.AuthTokenStatus !== undefined,
  tokenChangedAt: group.AuthTokenLastModifiedDate,
  encryptedInTransit: group.TransitEncryptionEnabled ?? false,
});

const missing = (id: string): RotationError =>
  new RotationError("target-misconfigured", `there is no replication group ${id}`);

function failureOf(failure: unknown, id: string, call: string): RotationError {
  const name = awsNameOf(failure);
  if (name.startsWith("ReplicationGroupNotFound")) return missing(id);
  if (name.startsWith("InvalidReplicationGroupState")) {
    return new RotationError("target-busy", `replication group ${id} is being changed`, name);
  }
  return awsFailure(failure, `${call} of ${id}`);
}
