import { randomBytes } from "node:crypto";
import {
  type AwsCall,
  answeredHere,
  type Exchange,
  type Handler,
  type Handlers,
  jsonAnswer,
  NamedMembers,
  onItsResource,
  parameterText,
  queryAnswer,
  refuse,
  type WireError,
} from "../shim";
import { type AuthenticationRequest, AwsUser, type UserService } from "./aws-user-passwords";
import type { RehearsedRedis } from "./redis";
import type { RehearsedTarget, SecretOf } from "./target-servers";

const NAMESPACE = "http://elasticache.amazonaws.com/doc/2015-02-02/";

/** A user of ElastiCache or MemoryDB: a user of a real Redis, which gets what the API got. */
export class RehearsedAwsUser {
  readonly user: AwsUser;
  readonly #redis: RehearsedRedis;

  private constructor(user: AwsUser, redis: RehearsedRedis) {
    this.user = user;
    this.#redis = redis;
  }

  /** The user as its owner makes it: with a password that nobody knows, and the mark of the secret that is to rotate it. */
  static async on(redis: RehearsedRedis, secret: SecretOf<"redis-auth-token">): Promise<RehearsedAwsUser> {
    const { engine, user: name = "", userId } = secret.settings;
    const service = engine === "memorydb-user" ? "memorydb" : "elasticache";
    const passwords = [randomBytes(32).toString("hex")];
    const user = new AwsUser({ service, id: userId ?? name, name, passwords });
    user.tags.set("secrets-registry:secret", secret.name);
    const made = new RehearsedAwsUser(user, redis);
    await made.#apply();
    return made;
  }

  /**
   * Changes the user as ModifyUser and UpdateUser do: at once, where AWS takes minutes.
   *
   * @returns why AWS refuses it
   */
  async change(request: AuthenticationRequest): Promise<WireError | undefined> {
    const outcome = this.user.change(request);
    if (typeof outcome !== "function") return outcome;
    outcome();
    await this.#apply();
    return undefined;
  }

  /** The target of the secret that holds its password. */
  target(secret: SecretOf<"redis-auth-token">): RehearsedTarget {
    return {
      settings: { ...secret.settings, ...this.#redis.place },
      attempt: (value) =>
        this.#redis.attempt({
          username: this.user.name,
          password: (value as { readonly password: string }).password,
        }),
      credentials: async () => this.user.passwords.length,
    };
  }

  async #apply(): Promise<void> {
    await this.#redis.administer([
      ...["ACL", "SETUSER", this.user.name, "on", "resetpass", "~*", "+@all", "-@admin"],
      ...this.user.passwords.map((password) => `>${password}`),
    ]);
  }
}

/** Finds a user by what an ARN or a request calls it. */
export type FindAwsUser = (service: UserService, id: string) => RehearsedAwsUser | undefined;

/**
 * ElastiCache's and MemoryDB's operations on users. The embedded AWS counts no passwords, judges by no user's ARN, and has
 * no MemoryDB, so that all of them are answered here.
 */
export function userCalls(find: FindAwsUser): Handlers {
  const withUser = (
    service: UserService,
    answer: (exchange: Exchange, found: RehearsedAwsUser) => Promise<WireError | object>,
  ): Handler =>
    answeredHere(async (exchange) => {
      const found = find(service, idIn(exchange.call));
      const fault = { code: "UserNotFound", message: "The user does not exist", status: 404 };
      const answered = found === undefined ? fault : await answer(exchange, found);
      if (isRefusal(answered)) return refuse(exchange, named(service, answered));
      const { call, requestId } = exchange;
      return service === "memorydb"
        ? jsonAnswer(answered, requestId)
        : queryAnswer(NAMESPACE, call.operation, answered, requestId);
    });
  const describe = async ({ call, account }: Exchange, { user }: RehearsedAwsUser) => ({
    Users: [shown(user, call, account)],
  });
  const changed = async ({ call, account }: Exchange, found: RehearsedAwsUser) =>
    (await found.change(authenticationIn(call))) ?? shown(found.user, call, account);
  const tags = ({ user }: RehearsedAwsUser) => [...user.tags].map(([Key, Value]) => ({ Key, Value }));
  const tag = async ({ call }: Exchange, { user }: RehearsedAwsUser) => {
    for (const { Key, Value } of tagsIn(call)) user.tags.set(Key, Value);
    return {};
  };
  const ofUserOrGroup =
    (handler: Handler): Handler =>
    (exchange) =>
      parameterText(exchange.call, "ResourceName")?.includes(":user:")
        ? handler(exchange)
        : onItsResource(exchange);
  return {
    elasticache: {
      DescribeUsers: withUser("elasticache", describe),
      ModifyUser: withUser("elasticache", changed),
      AddTagsToResource: ofUserOrGroup(withUser("elasticache", tag)),
      ListTagsForResource: ofUserOrGroup(
        withUser("elasticache", async (_, found) => ({ TagList: new NamedMembers("Tag", tags(found)) })),
      ),
    },
    memorydb: {
      DescribeUsers: withUser("memorydb", describe),
      UpdateUser: withUser("memorydb", async (...request) => {
        const answer = await changed(...request);
        return isRefusal(answer) ? answer : { User: answer };
      }),
      TagResource: withUser("memorydb", tag),
      ListTags: withUser("memorydb", async (_, found) => ({ TagList: tags(found) })),
    },
  };
}

const isRefusal = (answer: object): answer is WireError => "code" in answer && "message" in answer;

/** MemoryDB's names of faults end otherwise than ElastiCache's. */
const named = (service: UserService, { code, ...rest }: WireError): WireError => ({
  ...rest,
  code:
    service === "elasticache"
      ? code
      : `${code}${code.startsWith("InvalidParameter") ? "Exception" : "Fault"}`,
});

const idIn = (call: AwsCall): string => {
  const arn = parameterText(call, "ResourceName") ?? parameterText(call, "ResourceArn");
  return arn?.split(/:user[:/]/)[1] ?? parameterText(call, "UserId") ?? parameterText(call, "UserName") ?? "";
};

function shown({ service, id, name, authentication }: AwsUser, { region }: AwsCall, account: string): object {
  const where = `arn:aws:${service}:${region}:${account}`;
  const common = { Status: "active", Authentication: authentication };
  return service === "memorydb"
    ? { ...common, Name: name, ARN: `${where}:user/${id}` }
    : { ...common, UserId: id, UserName: name, ARN: `${where}:user:${id}` };
}

/** Lists are JSON with MemoryDB, and fields `<list>.member.<n>` with ElastiCache. */
function authenticationIn({ parameters }: AwsCall): AuthenticationRequest {
  const mode = parameters.AuthenticationMode;
  if (typeof mode === "object" && mode !== null) {
    const { Type: type, Passwords: passwords } = mode as { Type?: string; Passwords?: readonly string[] };
    return { type, passwords };
  }
  const passwords = Object.entries(parameters)
    .filter(([field]) => /^AuthenticationMode\.Passwords\.member\.\d+$/.test(field))
    .map(([, password]) => String(password));
  const type = parameters["AuthenticationMode.Type"];
  return { type: type === undefined ? undefined : String(type), passwords };
}

function tagsIn({ parameters }: AwsCall): readonly { readonly Key: string; readonly Value: string }[] {
  if (Array.isArray(parameters.Tags)) return parameters.Tags;
  return Object.entries(parameters).flatMap(([field, key]) => {
    const prefix = /^(Tags\.(?:Tag|member)\.\d+)\.Key$/.exec(field)?.[1];
    return prefix === undefined
      ? []
      : [{ Key: String(key), Value: String(parameters[`${prefix}.Value`] ?? "") }];
  });
}
