import {
  AddTagsToResourceCommand,
  DescribeUsersCommand,
  type ElastiCacheClient,
  ListTagsForResourceCommand,
  ModifyUserCommand,
} from "@aws-sdk/client-elasticache";
import { RotationError } from "../protocol/rotation-error";
import type { AwsRedisUser, AwsRedisUsers } from "../targets/aws-redis-user";
import { awsFailure, awsNameOf } from "./aws-failure";

/**
 * {@link AwsRedisUsers} of ElastiCache.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
 */
export class ElastiCacheUsers implements AwsRedisUsers {
  readonly #client: ElastiCacheClient;

  constructor(client: ElastiCacheClient) {
    this.#client = client;
  }

  async describe(id: string): Promise<AwsRedisUser | undefined> {
    try {
      const { Users: found } = await this.#client.send(new DescribeUsersCommand({ UserId: id }));
      const user = found?.[0];
      return user && userAsShown({ ...user, Name: user.UserName });
    } catch (failure) {
      if (isUserMissing(awsNameOf(failure))) return undefined;
      throw awsFailure(failure, `elasticache:DescribeUsers of ${id}`);
    }
  }

  async setPasswords(id: string, passwords: readonly string[]): Promise<void> {
    try {
      await this.#client.send(
        new ModifyUserCommand({
          UserId: id,
          AuthenticationMode: { Type: "password", Passwords: [...passwords] },
        }),
      );
    } catch (failure) {
      throw refusedChange(awsNameOf(failure), id) ?? awsFailure(failure, `elasticache:ModifyUser of ${id}`);
    }
  }

  async tags(arn: string): Promise<ReadonlyMap<string, string>> {
    try {
      const { TagList: tags = [] } = await this.#client.send(
        new ListTagsForResourceCommand({ ResourceName: arn }),
      );
      return new Map(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
    } catch (failure) {
      throw awsFailure(failure, `elasticache:ListTagsForResource of ${arn}`);
    }
  }

  async putTag(arn: string, key: string, value: string): Promise<void> {
    try {
      await this.#client.send(
        new AddTagsToResourceCommand({ ResourceName: arn, Tags: [{ Key: key, Value: value }] }),
      );
    } catch (failure) {
      throw awsFailure(failure, `elasticache:AddTagsToResource of ${arn}`);
    }
  }
}

/** A user as both services show it. */
export interface ShownUser {
  readonly Name?: string | undefined;
  readonly ARN?: string | undefined;
  readonly Status?: string | undefined;
  readonly Authentication?:
    | { readonly Type?: string | undefined; readonly PasswordCount?: number | undefined }
    | undefined;
}

/** A user of either service. */
export const userAsShown = ({ Name, ARN, Status, Authentication }: ShownUser): AwsRedisUser => ({
  arn: ARN ?? "",
  name: Name ?? "",
  status: Status ?? "unknown",
  authentication: Authentication?.Type ?? "unknown",
  passwords: Authentication?.PasswordCount ?? 0,
});

/** `true` where a failure says that there is no such user. */
export const isUserMissing = (name: string): boolean => name.startsWith("UserNotFound");

/** Fault for a refused change, in either service; `undefined`: the refusal is not about the user. */
export function refusedChange(name: string, id: string): RotationError | undefined {
  if (isUserMissing(name)) return new RotationError("target-misconfigured", `there is no user ${id}`, name);
  if (name.startsWith("InvalidUserState")) {
    return new RotationError("target-busy", `user ${id} is being changed`, name);
  }
  if (name.startsWith("InvalidParameter")) {
    return new RotationError(
      "target-misconfigured",
      `AWS refuses the passwords for user ${id}: it lets nobody change a service's own user default, and takes 16 to 128 characters`,
      name,
    );
  }
  return undefined;
}
