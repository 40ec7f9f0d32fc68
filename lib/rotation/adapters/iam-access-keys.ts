import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  type IAMClient,
  ListAccessKeysCommand,
  ListUserTagsCommand,
  TagUserCommand,
  UntagUserCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import { RotationError } from "../protocol/rotation-error";
import type { AccessKeyState, AccessKeys } from "../targets/s3-access-key";
import { awsFailure, awsNameOf } from "./aws-failure";

/** AWS's answers for a key that it does not know (yet) or that is inactive. */
const UNKNOWN_KEY =
  /^(InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|UnrecognizedClientException|AccessDenied|ExpiredToken)/;

/** {@link AccessKeys} on IAM, and on STS for the test of a key. */
export class IamAccessKeys implements AccessKeys {
  readonly #iam: IAMClient;
  readonly #sts: Pick<STSClientConfig, "endpoint" | "region">;

  /** @param sts where STS is, when it is not where the SDK looks */
  constructor(iam: IAMClient, sts: Pick<STSClientConfig, "endpoint" | "region"> = {}) {
    this.#iam = iam;
    this.#sts = sts;
  }

  async list(user: string): Promise<readonly AccessKeyState[]> {
    try {
      const { AccessKeyMetadata: keys = [] } = await this.#iam.send(
        new ListAccessKeysCommand({ UserName: user }),
      );
      return keys.map(({ AccessKeyId, Status, CreateDate }) => ({
        id: AccessKeyId ?? "",
        active: Status === "Active",
        createdAt: CreateDate ?? new Date(0),
      }));
    } catch (failure) {
      throw ofUser(failure, user, "iam:ListAccessKeys");
    }
  }

  async create(user: string): Promise<{ readonly id: string; readonly secret: string }> {
    try {
      const { AccessKey: key } = await this.#iam.send(new CreateAccessKeyCommand({ UserName: user }));
      return { id: key?.AccessKeyId ?? "", secret: key?.SecretAccessKey ?? "" };
    } catch (failure) {
      throw ofUser(failure, user, "iam:CreateAccessKey");
    }
  }

  async remove(user: string, id: string): Promise<void> {
    try {
      await this.#iam.send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id }));
    } catch (failure) {
      if (awsNameOf(failure).startsWith("NoSuchEntity")) return;
      throw ofUser(failure, user, "iam:DeleteAccessKey");
    }
  }

  async lastUsedAt(id: string): Promise<Date | undefined> {
    try {
      const { AccessKeyLastUsed: used } = await this.#iam.send(
        new GetAccessKeyLastUsedCommand({ AccessKeyId: id }),
      );
      return used?.LastUsedDate;
    } catch (failure) {
      // A key that is gone is used by nobody.
      if (awsNameOf(failure).startsWith("NoSuchEntity")) return undefined;
      throw awsFailure(failure, "iam:GetAccessKeyLastUsed");
    }
  }

  async tags(user: string): Promise<ReadonlyMap<string, string>> {
    try {
      // A user has 50 tags at most, and a page 100.
      const { Tags: tags = [] } = await this.#iam.send(new ListUserTagsCommand({ UserName: user }));
      return new Map(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
    } catch (failure) {
      throw ofUser(failure, user, "iam:ListUserTags");
    }
  }

  async putTag(user: string, key: string, value: string): Promise<void> {
    try {
      await this.#iam.send(new TagUserCommand({ UserName: user, Tags: [{ Key: key, Value: value }] }));
    } catch (failure) {
      throw ofUser(failure, user, "iam:TagUser");
    }
  }

  async removeTag(user: string, key: string): Promise<void> {
    try {
      await this.#iam.send(new UntagUserCommand({ UserName: user, TagKeys: [key] }));
    } catch (failure) {
      throw ofUser(failure, user, "iam:UntagUser");
    }
  }

  async callerOf(id: string, secret: string): Promise<string | undefined> {
    const client = new STSClient({
      ...this.#sts,
      credentials: { accessKeyId: id, secretAccessKey: secret },
      maxAttempts: 1,
    });
    try {
      return (await client.send(new GetCallerIdentityCommand())).Arn;
    } catch (failure) {
      if (UNKNOWN_KEY.test(awsNameOf(failure))) return undefined;
      throw awsFailure(failure, "sts:GetCallerIdentity");
    } finally {
      client.destroy();
    }
  }
}

function ofUser(failure: unknown, user: string, call: string): RotationError {
  const name = awsNameOf(failure);
  if (name.startsWith("NoSuchEntity"))
    return new RotationError("target-misconfigured", `there is no IAM user ${user}`, name);
  if (name.startsWith("LimitExceeded")) {
    return new RotationError("target-busy", `IAM user ${user} has got another key in between`, name);
  }
  return awsFailure(failure, `${call} of ${user}`);
}
