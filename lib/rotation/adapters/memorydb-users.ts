import type { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { SignatureV4 } from "@smithy/signature-v4";
import * as z from "zod/mini";
import { originOf } from "../../lambda/failure-origin";
import { serviceIn } from "../../model/partitions";
import { RotationError } from "../protocol/rotation-error";
import type { AwsRedisUser, AwsRedisUsers } from "../targets/aws-redis-user";
import { awsFailure } from "./aws-failure";
import { isUserMissing, refusedChange, userAsShown } from "./elasticache-users";

/** Longest time from sending to the last byte of the answer. */
const TIMEOUT_MS = 10_000;

const described = z.object({
  Users: z.array(
    z.object({
      Name: z.optional(z.string()),
      ARN: z.optional(z.string()),
      Status: z.optional(z.string()),
      Authentication: z.optional(
        z.object({ Type: z.optional(z.string()), PasswordCount: z.optional(z.number()) }),
      ),
    }),
  ),
});
const listed = z.object({
  TagList: z.optional(z.array(z.object({ Key: z.string(), Value: z.optional(z.string()) }))),
});
const fault = z.object({ __type: z.string() });

/**
 * {@link AwsRedisUsers} of MemoryDB: four calls of its JSON protocol, signed as ElastiCache's are. Its SDK client would add
 * 33 KB of code to the function of every Redis secret.
 * https://docs.aws.amazon.com/memorydb/latest/APIReference/API_UpdateUser.html
 */
export class MemoryDbUsers implements AwsRedisUsers {
  readonly #signing: ElastiCacheClient;
  readonly #endpoint: string | undefined;

  /**
   * @param signing whose region and credentials sign
   * @param endpoint in the place of AWS's. @default the region's
   */
  constructor(signing: ElastiCacheClient, endpoint?: string) {
    this.#signing = signing;
    this.#endpoint = endpoint;
  }

  async describe(id: string): Promise<AwsRedisUser | undefined> {
    const { name, body } = await this.#call("DescribeUsers", { UserName: id });
    if (isUserMissing(name)) return undefined;
    const [user] = this.#read("DescribeUsers", id, name, body, described).Users;
    return user && userAsShown(user);
  }

  async setPasswords(id: string, passwords: readonly string[]): Promise<void> {
    const { name } = await this.#call("UpdateUser", {
      UserName: id,
      AuthenticationMode: { Type: "password", Passwords: passwords },
    });
    if (name !== "") throw refusedChange(name, id) ?? failureOf(name, "UpdateUser", id);
  }

  async tags(arn: string): Promise<ReadonlyMap<string, string>> {
    const { name, body } = await this.#call("ListTags", { ResourceArn: arn });
    const { TagList: tags = [] } = this.#read("ListTags", arn, name, body, listed);
    return new Map(tags.map(({ Key, Value = "" }) => [Key, Value]));
  }

  async putTag(arn: string, key: string, value: string): Promise<void> {
    const { name } = await this.#call("TagResource", {
      ResourceArn: arn,
      Tags: [{ Key: key, Value: value }],
    });
    if (name !== "") throw failureOf(name, "TagResource", arn);
  }

  #read<T>(operation: string, id: string, name: string, body: unknown, schema: z.ZodMiniType<T>): T {
    if (name !== "") throw failureOf(name, operation, id);
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    throw new RotationError("unexpected", `memorydb:${operation} of ${id} answers in another form`);
  }

  /** @returns `name` of the fault, empty for a success */
  async #call(operation: string, input: object): Promise<{ readonly name: string; readonly body: unknown }> {
    const { credentials, sha256 } = this.#signing.config;
    const region = await this.#signing.config.region();
    const url = new URL(this.#endpoint ?? `https://${serviceIn("memory-db", region)}`);
    const body = JSON.stringify(input);
    const signer = new SignatureV4({ service: "memorydb", region, credentials, sha256 });
    try {
      const { headers } = await signer.sign({
        method: "POST",
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port === "" ? {} : { port: Number(url.port) }),
        path: "/",
        headers: {
          host: url.host,
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `AmazonMemoryDB.${operation}`,
        },
        body,
      });
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, connection: "close" },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer: unknown = await response.json().catch(() => undefined);
      if (response.ok) return { name: "", body: answer };
      // `com.amazonaws.memorydb#UserNotFoundFault` or the name alone.
      const type = fault.safeParse(answer).data?.__type ?? `HTTP-${response.status}`;
      return { name: type.slice(type.indexOf("#") + 1), body: undefined };
    } catch (failure) {
      throw new RotationError("target-unreachable", `memorydb:${operation}`, originOf(failure));
    }
  }
}

const failureOf = (name: string, operation: string, id: string): RotationError =>
  awsFailure(Object.assign(new Error(name), { name }), `memorydb:${operation} of ${id}`);
