import type { KindSettings } from "../../model/kinds";
import type { PolicyStatement } from "../../model/policy-document";
import type { Environment } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";
import { elastiCacheUserArn, iamUserArn, memoryDbUserArn, replicationGroupArn } from "../platform/aws-arns";

/** A statement that allows actions without a condition. */
export const statement = (Sid: string, Action: readonly string[], Resource: readonly string[]) =>
  ({ Sid, Effect: "Allow", Action, Resource }) as const;

/** The AWS calls of a kind's target. Targets outside of AWS need a network, and no right. */
export function targetRights(
  environment: Environment,
  secrets: readonly EnvironmentSecret[],
): readonly PolicyStatement[] {
  const unique = (resources: readonly string[]): string[] => [...new Set(resources)].sort();
  const users = unique(
    secrets.flatMap((secret) =>
      secret.kind === "s3-access-key"
        ? [secret.settings.user, ...secret.settings.formerUsers].map((user) => iamUserArn(environment, user))
        : [],
    ),
  );
  const ofRedis = (
    arnOf: typeof replicationGroupArn,
    namesOf: (settings: KindSettings<"redis-auth-token">) => readonly (string | undefined)[],
  ): string[] =>
    unique(
      secrets
        .flatMap((secret) => (secret.kind === "redis-auth-token" ? namesOf(secret.settings) : []))
        .filter((name) => name !== undefined)
        .map((name) => arnOf(environment, environment.regions.primary, name)),
    );
  return [
    statement(
      "RotateAccessKeys",
      [
        "iam:CreateAccessKey",
        "iam:DeleteAccessKey",
        "iam:GetAccessKeyLastUsed",
        "iam:ListAccessKeys",
        "iam:ListUserTags",
        "iam:TagUser",
        "iam:UntagUser",
      ],
      users,
    ),
    statement(
      "RotateAuthTokens",
      [
        "elasticache:AddTagsToResource",
        "elasticache:DescribeReplicationGroups",
        "elasticache:ListTagsForResource",
        "elasticache:ModifyReplicationGroup",
      ],
      ofRedis(replicationGroupArn, ({ replicationGroup, formerReplicationGroups }) => [
        replicationGroup,
        ...formerReplicationGroups,
      ]),
    ),
    statement(
      "RotateElastiCacheUsers",
      [
        "elasticache:AddTagsToResource",
        "elasticache:DescribeUsers",
        "elasticache:ListTagsForResource",
        "elasticache:ModifyUser",
      ],
      ofRedis(elastiCacheUserArn, ({ userId, formerElastiCacheUsers }) => [
        userId,
        ...formerElastiCacheUsers,
      ]),
    ),
    statement(
      "RotateMemoryDbUsers",
      ["memorydb:DescribeUsers", "memorydb:ListTags", "memorydb:TagResource", "memorydb:UpdateUser"],
      ofRedis(memoryDbUserArn, ({ engine, user, formerMemoryDbUsers }) => [
        engine === "memorydb-user" ? user : undefined,
        ...formerMemoryDbUsers,
      ]),
    ),
  ].filter(({ Resource }) => Resource.length > 0);
}
