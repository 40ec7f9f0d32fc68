import { RotationError } from "../protocol/rotation-error";

/** One node of a Redis installation. */
export interface RedisNode {
  /** Address to connect to. */
  readonly address: string;
  readonly port: number;
  /** Name that its certificate must carry. */
  readonly host: string;
}

/** Login at a Redis; without a user name the default user, without a password nobody. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
}

/** A session of a Redis node. */
export interface RedisSession {
  /** @throws RotationError `right-missing` where the user may not run the command */
  command(name: string, ...args: readonly string[]): Promise<unknown>;
  close(): Promise<void>;
}

/** A Redis installation: one node, or several behind one name. TLS with a verified host name always. */
export interface RedisServer {
  /** The nodes that a name stands for. Users and passwords are per node. */
  nodes(host: string, port: number): Promise<readonly RedisNode[]>;
  /** @throws RotationError `target-refused`, `target-unreachable`, `target-not-trusted`, `target-without-tls` */
  open(node: RedisNode, login: RedisLogin, caPem: string | undefined): Promise<RedisSession>;
}

/** Address of a Redis, and the CA by which to know it. */
export interface RedisPlace {
  readonly server: RedisServer;
  readonly host: string;
  readonly port: number;
  readonly caPem: string | undefined;
}

/** `true` when every node lets a login in and do a piece of work; anything but a clear yes or no is thrown. */
export async function isLetIn(
  place: RedisPlace,
  login: RedisLogin,
  work: (session: RedisSession) => Promise<void> = async () => undefined,
): Promise<boolean> {
  try {
    await onEveryNode(place, login, work);
    return true;
  } catch (failure) {
    if (failure instanceof RotationError && failure.code === "target-refused") return false;
    throw failure;
  }
}

/** Does a piece of work on every node, one after the other. */
export async function onEveryNode(
  { server, host, port, caPem }: RedisPlace,
  login: RedisLogin,
  work: (session: RedisSession, node: RedisNode) => Promise<void>,
): Promise<void> {
  for (const node of await server.nodes(host, port)) {
    const session = await server.open(node, login, caPem);
    try {
      await work(session, node);
    } finally {
      await session.close();
    }
  }
}
