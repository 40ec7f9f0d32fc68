import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ElastiCacheClient } from "@aws-sdk/client-elasticache";
import { ElastiCacheUsers } from "../../../lib/rotation/adapters/elasticache-users";
import { MemoryDbUsers } from "../../../lib/rotation/adapters/memorydb-users";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import type { AwsRedisUsers } from "../../../lib/rotation/targets/aws-redis-user";
import type { RedisLogin, RedisNode, RedisServer, RedisSession } from "../../../lib/rotation/targets/redis";
import { AwsUser, type UserService } from "../../../packages/rehearsal/src/targets/aws-user-passwords";

type Fields = Readonly<Record<string, unknown>>;

/** Behaviour of the model's users in time. */
export interface AwsUsersReadings {
  /** Number of looks at which a change is under way before it is done. @default 2 */
  readonly descriptionsUntilDone?: number;
}

/**
 * One user of a service behind that service's own interface, with caches behind that: {@link AwsUser} in time. A change
 * shows as `modifying`, and no other is taken meanwhile: "InvalidUserState: The user is not in active state"
 * (https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html).
 */
export class AwsUsersModel implements RedisServer {
  readonly arn: string;
  /** The caches have the user in their group, and its access string says `on`. */
  reachable = true;
  /** The access string has `+client|kill`. */
  mayKill = true;
  kills = 0;
  /** Called when a change has taken effect. */
  onChanged: () => void = () => undefined;
  /** Number of passwords that each change has left. */
  readonly changes: number[] = [];
  #pending: (() => void) | undefined;
  #descriptions = 0;
  readonly #untilDone: number;

  constructor(
    readonly user: AwsUser | undefined,
    { descriptionsUntilDone = 2 }: AwsUsersReadings = {},
  ) {
    this.#untilDone = descriptionsUntilDone;
    const id = user?.id ?? "nobody";
    this.arn =
      user?.service === "memorydb"
        ? `arn:aws:memorydb:eu-central-1:111122223333:user/${id}`
        : `arn:aws:elasticache:eu-central-1:111122223333:user:${id}`;
  }

  lets(password: string): boolean {
    return this.reachable && (this.user?.lets(password) ?? false);
  }

  /** An answer of the service's interface, in its own words: both take the same fields under other names. */
  answer(operation: string, input: Fields): Fields {
    switch (operation) {
      case "DescribeUsers":
        this.#known(input);
        return { Users: [this.#shown()] };
      case "ModifyUser":
      case "UpdateUser":
        return this.#change(input);
      case "ListTagsForResource":
      case "ListTags":
        return { TagList: [...(this.user?.tags ?? [])].map(([Key, Value]) => ({ Key, Value })) };
      case "AddTagsToResource":
      case "TagResource":
        for (const { Key, Value } of input.Tags as { Key: string; Value: string }[]) {
          this.user?.tags.set(Key, Value);
        }
        return {};
      default:
        throw awsError("InvalidAction", operation);
    }
  }

  /** ElastiCache's port by the real adapter; the SDK's client is this model. */
  get elastiCache(): AwsRedisUsers {
    const send = async (command: { readonly input: object; readonly constructor: { name: string } }) =>
      this.answer(command.constructor.name.replace(/Command$/, ""), command.input as Fields);
    return new ElastiCacheUsers({ send } as unknown as ElastiCacheClient);
  }

  #change(input: Fields): Fields {
    const user = this.#known(input);
    if (this.#pending !== undefined) throw awsError("InvalidUserState", "The user is not in active state.");
    const { Type, Passwords } = (input.AuthenticationMode ?? {}) as {
      readonly Type?: string;
      readonly Passwords?: readonly string[];
    };
    const outcome = user.change({ type: Type, passwords: Passwords });
    if (typeof outcome !== "function") throw awsError(outcome.code, outcome.message);
    this.changes.push(Passwords?.length ?? 0);
    this.#pending = outcome;
    this.#descriptions = 0;
    return user.service === "memorydb" ? { User: this.#shown() } : this.#shown();
  }

  #known(input: Fields): AwsUser {
    const asked = input.UserId ?? input.UserName;
    if (this.user === undefined || asked !== this.user.id) throw awsError("UserNotFound", String(asked));
    return this.user;
  }

  #shown(): Fields {
    if (this.#pending !== undefined) {
      this.#descriptions += 1;
      if (this.#descriptions > this.#untilDone) {
        this.#pending();
        this.#pending = undefined;
        this.onChanged();
      }
    }
    const { id, name, authentication, service } = this.user as AwsUser;
    return {
      ...(service === "memorydb" ? { Name: name } : { UserId: id, UserName: name }),
      ARN: this.arn,
      Status: this.#pending === undefined ? "active" : "modifying",
      Authentication: authentication,
    };
  }

  async nodes(host: string, port: number): Promise<readonly RedisNode[]> {
    return [{ address: host, host, port }];
  }

  async open(node: RedisNode, { username, password = "" }: RedisLogin): Promise<RedisSession> {
    if (username !== this.user?.name || !this.lets(password)) {
      throw new RotationError("target-refused", node.host, "WRONGPASS");
    }
    return {
      command: async (name, ...args) => {
        if (name !== "CLIENT" || args[0] !== "KILL") return "PONG";
        if (!this.mayKill) throw new RotationError("right-missing", "CLIENT KILL", "NOPERM");
        this.kills += 1;
        return 1;
      },
      close: async () => undefined,
    };
  }
}

function awsError(code: string, message: string): Error {
  return Object.assign(new Error(message), { name: code });
}

/** A model behind MemoryDB's JSON protocol, which the real adapter speaks. */
export async function startMemoryDb(): Promise<{
  model: AwsUsersModel | undefined;
  readonly users: AwsRedisUsers;
  /** Requests by operation; what is not signed for the service is refused. */
  readonly asked: string[];
  stop(): Promise<void>;
}> {
  const served: { model: AwsUsersModel | undefined } = { model: undefined };
  const asked: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [prefix, operation = ""] = String(request.headers["x-amz-target"]).split(".");
    const signed = /Credential=test\/\d{8}\/eu-central-1\/memorydb\/aws4_request/.test(
      request.headers.authorization ?? "",
    );
    asked.push(operation);
    const reply = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
    if (prefix !== "AmazonMemoryDB" || !signed) return reply(403, { __type: "UnrecognizedClientException" });
    try {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      if (served.model === undefined) throw awsError("ServiceUnavailable", "no user");
      return reply(200, served.model.answer(operation, body));
    } catch (failure) {
      const { name, message } = failure as Error;
      // MemoryDB's names end otherwise than ElastiCache's.
      const type = /^Invalid(Parameter)/.test(name)
        ? `${name}Exception`
        : /^User|^InvalidUser/.test(name)
          ? `${name}Fault`
          : name;
      return reply(400, { __type: `com.amazonaws.memorydb#${type}`, message });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new ElastiCacheClient({
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  const { port } = server.address() as AddressInfo;
  return {
    get model() {
      return served.model;
    },
    set model(model) {
      served.model = model;
    },
    users: new MemoryDbUsers(client, `http://127.0.0.1:${port}`),
    asked,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A user as people make it. */
export const madeUser = (service: UserService, passwords: readonly string[], marked?: string): AwsUser => {
  const user = new AwsUser({ service, id: "app", passwords });
  if (marked !== undefined) user.tags.set("secrets-registry:secret", marked);
  return user;
};
