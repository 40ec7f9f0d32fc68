import { randomBytes } from "node:crypto";
import { type AddressInfo, connect, createServer as createPlainServer } from "node:net";
import { createServer, type Server } from "node:tls";
import { type KindSettings, settingsSchema } from "../../../lib/model/kinds";
import { redisServer } from "../../../lib/rotation/adapters/redis-server";
import type { RedisLogin, RedisNode, RedisServer } from "../../../lib/rotation/targets/redis";
import {
  type RedisAclTargetProps,
  type RedisValue,
  redisAclUserTarget,
} from "../../../lib/rotation/targets/redis-acl-user";
import { ServerGroup, startRedis } from "../../../packages/rehearsal/src/servers";
import { loopbackCertificate } from "../../../packages/rehearsal/src/servers/loopback-certificate";
import { crashEverywhere } from "../models/crash-everywhere";
import { ATTEMPT, RehearsedSecret, testRandom, versionId } from "../models/rehearsed-secret";

jest.setTimeout(60_000);

const HOUR = 3_600;
const v = (n: number): string => versionId(`rotation ${n}`);
const parsed = (settings: object) =>
  settingsSchema("redis-auth-token").parse({
    host: "localhost",
    ...settings,
  }) as KindSettings<"redis-auth-token">;

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

async function arrived(secret: RehearsedSecret<RedisValue>): Promise<void> {
  secret.confirm();
  secret.clock.advance(2 * HOUR);
}

describe("an ACL user on two real nodes", () => {
  const ADMIN = { username: "rotator", password: "rotator-password-0001" };
  const certificate = loopbackCertificate("Redis");
  const proxies: Server[] = [];
  let group: ServerGroup | undefined;
  let nodes: readonly RedisNode[] = [];

  /** The embedded Redis is built without TLS, so a proxy speaks it. */
  async function withTls(port: number): Promise<RedisNode> {
    const proxy = createServer(
      { cert: certificate.certificatePem, key: certificate.privateKeyPem },
      (socket) => {
        const inner = connect(port, "127.0.0.1");
        for (const side of [socket, inner]) side.setNoDelay(true);
        socket.pipe(inner).pipe(socket);
        for (const side of [socket, inner])
          side.on("error", () => [socket, inner].map((each) => each.destroy()));
        for (const side of [socket, inner])
          side.on("close", () => [socket, inner].map((each) => each.destroy()));
      },
    );
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    return { address: "127.0.0.1", port: portOf(proxy), host: "localhost" };
  }

  beforeAll(async () => {
    group = ServerGroup.open();
    const servers = await Promise.all([startRedis({ group }), startRedis({ group })]);
    nodes = await Promise.all(servers.map(({ port }) => withTls(port)));
    for (const [index, node] of nodes.entries()) {
      const { user, password } = servers[index] ?? {};
      const session = await redisServer.open(
        node,
        { ...(user && { username: user }), ...(password && { password }) },
        certificate.caPem,
      );
      await session.command("ACL", "SETUSER", ADMIN.username, "on", `>${ADMIN.password}`, "+@all", "~*");
      await session.command("ACL", "SETUSER", "app", "on", "~app:*", "+@read", "+@write");
      await session.command("ACL", "SETUSER", "open", "on", "nopass", "+ping");
      await session.command("ACL", "SETUSER", "off", "off");
      await session.command("ACL", "SETUSER", "weak", "on", ">weak-password-000001", "+ping");
      await session.close();
    }
  });

  afterAll(async () => {
    for (const proxy of proxies) proxy.close();
    await group?.stop();
  });

  const twoNodes: RedisServer = { nodes: async () => nodes, open: redisServer.open };

  const propsOf = ({
    settings = parsed({ engine: "acl", user: "app" }),
    ...more
  }: Partial<RedisAclTargetProps> = {}): RedisAclTargetProps => ({
    settings: { caPem: certificate.caPem, ...settings },
    admin: async () => ADMIN,
    server: twoNodes,
    random: testRandom,
    ...more,
  });

  const secretOf = () =>
    new RehearsedSecret<RedisValue>({
      target: (plan) => redisAclUserTarget(propsOf({ server: plan.wrap(twoNodes) })),
      overlap: HOUR,
    });

  async function everyNode(
    login: RedisLogin,
    ...command: readonly [string, ...string[]]
  ): Promise<unknown[]> {
    const [name, ...args] = command;
    return Promise.all(
      nodes.map(async (node) => {
        const session = await redisServer.open(node, login, certificate.caPem);
        const reply = await session.command(name, ...args);
        await session.close();
        return reply;
      }),
    );
  }

  const works = (value: RedisValue | undefined): Promise<boolean> =>
    everyNode({ username: "app", password: value?.password ?? "" }, "SET", "app:key", "1").then(
      () => true,
      () => false,
    );

  const passwords = async (): Promise<readonly number[]> =>
    (await everyNode(ADMIN, "ACL", "GETUSER", "app")).map((reply) =>
      Array.isArray(reply) ? reply[reply.indexOf("passwords") + 1].length : 0,
    );

  test("ten rotations and decommissions: consumers with old and new values never fail", async () => {
    const secret = secretOf();
    await secret.rotate(v(1));
    let held = [secret.current];
    let attempts = 0;
    let failed = 0;
    let running = true;
    const prober = (async () => {
      while (running) {
        for (const value of held) {
          attempts += 1;
          if (!(await works(value)) && held.includes(value)) failed += 1;
        }
      }
    })();
    for (let n = 2; n <= 11; n += 1) {
      await arrived(secret);
      const before = secret.current;
      await secret.rotate(v(n));
      held = [before, secret.current];
      await arrived(secret);
      held = [secret.current];
      await secret.phase("decommission", v(n - 1));
      expect(await works(before)).toBe(false);
      expect(await passwords()).toEqual([1, 1]);
    }
    running = false;
    await prober;
    process.stdout.write(
      `Redis ACL: ${attempts} logins by consumers during 10 rotations, ${failed} failed\n`,
    );
    expect(failed).toBe(0);
    expect(attempts).toBeGreaterThan(20);
  });

  test("what was changed is saved: it is there after ACL LOAD", async () => {
    const secret = secretOf();
    await secret.rotate(v(1));
    await everyNode(ADMIN, "ACL", "LOAD");
    expect(await works(secret.current)).toBe(true);
  });

  test("a password that a given-up rotation left behind goes with the next decommission", async () => {
    const secret = secretOf();
    await secret.rotate(v(1));
    await arrived(secret);
    secret.secrets.stage(secret.name, v(2));
    await secret.step("createSecret", v(2));
    await secret.step("setSecret", v(2));
    await secret.rotate(v(3));
    await arrived(secret);
    await secret.phase("decommission", v(1));
    expect(await passwords()).toEqual([1, 1]);
    expect(await works(secret.current)).toBe(true);
  });

  test("a decommission during the next rotation spares its password", async () => {
    const secret = secretOf();
    await secret.rotate(v(1));
    await arrived(secret);
    await secret.rotate(v(2));
    await arrived(secret);
    secret.secrets.stage(secret.name, v(3));
    await secret.step("createSecret", v(3));
    await secret.step("setSecret", v(3));
    await secret.phase("decommission", v(1));
    expect(await passwords()).toEqual([2, 2]);
    await secret.rotate(v(3));
    expect(await works(secret.current)).toBe(true);
  });

  test("a crash at every call to the outside converges, and AWSCURRENT always logs in", async () => {
    const secret = secretOf();
    let n = 1;
    await secret.rotate(v(1));
    const stillWorks = async () => expect(await works(secret.current)).toBe(true);
    const rotations = await crashEverywhere(async () => {
      await arrived(secret);
      n += 1;
      return { work: (plan) => secret.rotate(v(n), plan), afterCrash: stillWorks, afterAll: stillWorks };
    });
    const decommissions = await crashEverywhere(async () => {
      await arrived(secret);
      n += 1;
      await secret.rotate(v(n));
      await arrived(secret);
      return {
        work: (plan) => secret.phase("decommission", v(n - 1), plan === undefined ? {} : { plan }),
        afterCrash: stillWorks,
        afterAll: async () => {
          await stillWorks();
          expect(await passwords()).toEqual([1, 1]);
        },
      };
    });
    process.stdout.write(
      `Redis ACL: ${rotations} crash points in a rotation, ${decommissions} in a decommission\n`,
    );
    expect(rotations).toBeGreaterThan(50);
  });

  const value: RedisValue = { password: randomBytes(24).toString("hex") };
  const admin = (login: { username: string; password: string; host?: string }) => ({
    admin: async () => login,
  });

  test.each<[string, string, Partial<RedisAclTargetProps>]>([
    [
      "a user that does not exist",
      "target-misconfigured",
      { settings: parsed({ engine: "acl", user: "nobody" }) },
    ],
    ["a user that needs no password", "target-open", { settings: parsed({ engine: "acl", user: "open" }) }],
    ["a user that is off", "target-misconfigured", { settings: parsed({ engine: "acl", user: "off" }) }],
    ["an admin whose password is wrong", "admin-refused", admin({ ...ADMIN, password: "wrong" })],
    [
      "an admin without rights",
      "right-missing",
      admin({ username: "weak", password: "weak-password-000001" }),
    ],
    [
      "an admin secret of another host",
      "host-mismatch",
      admin({ ...ADMIN, host: "redis.other.example.com" }),
    ],
    ["an admin that is the user itself", "user-mismatch", admin({ ...ADMIN, username: "app" })],
    [
      "a certificate of an unknown CA",
      "target-not-trusted",
      { settings: { ...parsed({ engine: "acl", user: "app" }), caPem: undefined } },
    ],
  ])("%s: %s", async (_what, code, more) => {
    await expect(redisAclUserTarget(propsOf(more)).install(value, undefined, ATTEMPT)).rejects.toMatchObject({
      code,
    });
  });

  /** A node whose provider has taken commands away: Redis answers `ERR unknown command`. */
  const without = (...missing: readonly string[]): RedisServer => ({
    nodes: async () => nodes,
    open: async (...login) => {
      const session = await redisServer.open(...login);
      return {
        command: (name, ...args) =>
          session.command(missing.includes(name) ? `${name}-renamed` : name, ...args),
        close: () => session.close(),
      };
    },
  });

  test.each<[string, readonly string[], Partial<KindSettings<"redis-auth-token">>, RegExp]>([
    [
      "without ACL",
      ["ACL"],
      {},
      /^target-misconfigured: node 127.0.0.1 has no command ACL: .*operator-assisted/,
    ],
    ["without CONFIG", ["CONFIG"], {}, /^target-misconfigured: .*has no command CONFIG.*persist: "none"/],
  ])("%s: says what is missing and what to do instead", async (_what, missing, more, message) => {
    const settings = { ...parsed({ engine: "acl", user: "app" }), caPem: certificate.caPem, ...more };
    const target = redisAclUserTarget(propsOf({ server: without(...missing), settings }));
    await expect(target.install(value, undefined, ATTEMPT)).rejects.toThrow(message);
  });

  test("without CONFIG, kept by somebody else: the password comes in and goes out", async () => {
    const settings = { ...parsed({ engine: "acl", user: "app", persist: "none" }), caPem: certificate.caPem };
    const target = redisAclUserTarget(propsOf({ server: without("CONFIG"), settings }));
    const [old, fresh] = [1, 2].map((): RedisValue => ({ password: randomBytes(24).toString("hex") })) as [
      RedisValue,
      RedisValue,
    ];
    for (const each of [old, fresh]) await target.install(each, undefined, ATTEMPT);
    expect([await works(old), await works(fresh)]).toEqual([true, true]);
    const retirement = { secret: ATTEMPT, retired: old, refreshedBy: undefined, emergency: false };
    await target.retire({ ...retirement, kept: [fresh] });
    expect([await works(old), await works(fresh)]).toEqual([false, true]);
  });

  test("an admin without the right to CONFIG is told the command", async () => {
    await everyNode(ADMIN, "ACL", "SETUSER", "half", "on", ">half-password-000001", "+acl", "~*");
    const half = { username: "half", password: "half-password-000001" };
    await expect(redisAclUserTarget(propsOf(admin(half))).install(value, undefined, ATTEMPT)).rejects.toThrow(
      /^right-missing: CONFIG GET as half at/,
    );
  });

  test("a host that the certificate does not name, a port without TLS, nobody listening", async () => {
    const [node] = nodes;
    if (node === undefined) throw new Error("no node");
    const attempt = (change: Partial<RedisNode>) =>
      redisServer.open({ ...node, ...change }, ADMIN, certificate.caPem);
    await expect(attempt({ host: "redis.example.com" })).rejects.toMatchObject({
      code: "target-not-trusted",
    });
    await expect(attempt({ port: 1 })).rejects.toMatchObject({ code: "target-unreachable" });
    const plain = createPlainServer((socket) =>
      socket.on("error", () => undefined).end("-ERR Protocol error\r\n"),
    );
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    await expect(attempt({ port: portOf(plain) })).rejects.toMatchObject({ code: "target-without-tls" });
    plain.close();
  });

  test("decommission removes nothing where the current password is not known", async () => {
    const target = redisAclUserTarget(propsOf());
    const before = await passwords();
    await expect(
      target.retire({
        secret: ATTEMPT,
        retired: value,
        kept: [{ password: "x".repeat(20) }],
        refreshedBy: undefined,
        emergency: false,
      }),
    ).rejects.toMatchObject({ code: "target-misconfigured" });
    expect(await passwords()).toEqual(before);
  });
});
