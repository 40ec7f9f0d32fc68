import { createHash } from "node:crypto";
import type { KindSettings } from "../../model/kinds";
import type { Random } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { AcceptingTarget } from "../protocol/target";
import { randomText } from "../values/random-text";
import { type AdminValue, type KindValue, VALUE_SCHEMAS } from "../values/value-schemas";
import { onEveryNode, type RedisNode, type RedisServer, type RedisSession } from "./redis";

/** The value of `redis-auth-token`. */
export type RedisValue = KindValue<"redis-auth-token">;

/** Ports and settings of the target for ACL users of own servers. */
export interface RedisAclTargetProps {
  readonly settings: KindSettings<"redis-auth-token">;
  /** Reads the admin secret. */
  readonly admin: () => Promise<AdminValue>;
  readonly server: RedisServer;
  readonly random: Random;
}

const PASSWORD_LENGTH = 64;

/**
 * One ACL user with two passwords at a time, on every node. Passwords travel as SHA-256 only (`#`, `!`), and what was
 * changed is saved as the server saves it, or a restart would bring the old state back.
 * https://redis.io/docs/latest/commands/acl-setuser/
 */
export function redisAclUserTarget(props: RedisAclTargetProps): AcceptingTarget<RedisValue> {
  const { settings, random } = props;
  const user = settings.user;
  if (user === undefined) throw new RotationError("settings-malformed", "engine acl needs a user");
  const place = { server: props.server, host: settings.host, port: settings.port, caPem: settings.caPem };

  const asAdmin = async (work: (session: RedisSession, node: RedisNode) => Promise<void>): Promise<void> => {
    const { username, password, host } = await props.admin();
    if (host !== undefined && host !== settings.host) {
      throw new RotationError(
        "host-mismatch",
        `the admin secret is for ${host}, the target is ${settings.host}`,
      );
    }
    if (username === user) {
      throw new RotationError("user-mismatch", `the admin ${username} is the user that rotates`);
    }
    try {
      await onEveryNode(place, { username, password }, work);
    } catch (failure) {
      if (failure instanceof RotationError && failure.code === "target-refused") {
        throw new RotationError("admin-refused", "a node does not accept the admin's login", failure.origin);
      }
      throw failure;
    }
  };

  /** Makes a node keep what was changed, or a restart would bring the old state back. */
  const keepChange = async (session: RedisSession, node: RedisNode): Promise<void> => {
    if (settings.persist !== "none") await persist(session, node);
  };

  return {
    acceptedBy: "target",
    schema: VALUE_SCHEMAS["redis-auth-token"],

    generate: async () => ({ password: randomText(random, PASSWORD_LENGTH) }),

    checkSuccession(pending, predecessor) {
      if (pending.password === predecessor?.password) {
        throw new RotationError("stale-version", "the version repeats the current password");
      }
    },

    async install(pending) {
      await asAdmin(async (session, node) => {
        const accepted = await passwordHashes(session, user, node);
        const hash = hashOf(pending.password);
        if (!accepted.includes(hash)) await session.command("ACL", "SETUSER", user, `#${hash}`);
        // Also after a crash between the two commands, hence not only when the password is new.
        await keepChange(session, node);
      });
    },

    async test(value) {
      await onEveryNode(place, { username: user, password: value.password }, ping);
    },

    async retire({ kept, elsewhere = [], emergency }) {
      const keptHashes = kept.map(({ password }) => hashOf(password));
      const livingHashes = [...keptHashes, ...elsewhere.map(({ password }) => hashOf(password))];
      await asAdmin(async (session, node) => {
        const accepted = await passwordHashes(session, user, node);
        // A former user, or one of a former server, has nothing to keep.
        if (kept.length > 0 && !accepted.some((hash) => keptHashes.includes(hash))) {
          throw new RotationError(
            "target-misconfigured",
            `node ${node.address} does not hold the current password of ${user}, so none is removed`,
          );
        }
        // Everything but what is kept: rotations that were given up have left passwords behind, too.
        for (const hash of accepted.filter((candidate) => !livingHashes.includes(candidate))) {
          await session.command("ACL", "SETUSER", user, `!${hash}`);
        }
        await keepChange(session, node);
        if (emergency) await session.command("CLIENT", "KILL", "USER", user);
      });
    },
  };
}

/** A command after the login. A user whose rights leave out PING has logged in all the same. */
async function ping(session: RedisSession): Promise<void> {
  try {
    await session.command("PING");
  } catch (failure) {
    if (!(failure instanceof RotationError && failure.code === "right-missing")) throw failure;
  }
}

/** SHA-256 as `ACL GETUSER` shows it. The passwords have 380 random bits, so that the hash reveals nothing. */
const hashOf = (password: string): string => createHash("sha256").update(password).digest("hex");

/** The passwords that a node accepts for a user, as hashes. */
async function passwordHashes(
  session: RedisSession,
  user: string,
  node: RedisNode,
): Promise<readonly string[]> {
  const reply = await there(
    session.command("ACL", "GETUSER", user),
    `node ${node.address} has no command ACL: Redis has it from version 6 on, and providers take it away. Let people change ` +
      "the password (kind generic, rotation operator-assisted), or use engine elasticache where AWS manages it",
  );
  if (!Array.isArray(reply)) {
    throw new RotationError("target-misconfigured", `node ${node.address} has no ACL user ${user}`);
  }
  const flags = fieldOf(reply, "flags");
  if (flags.includes("nopass")) {
    throw new RotationError("target-open", `${user} on node ${node.address} is let in with any password`);
  }
  if (!flags.includes("on")) {
    throw new RotationError("target-misconfigured", `ACL user ${user} on node ${node.address} is off`);
  }
  return fieldOf(reply, "passwords");
}

/** RESP2 gives a map as a list of names and values in turn. */
function fieldOf(reply: readonly unknown[], name: string): readonly string[] {
  const value = reply[reply.indexOf(name) + 1];
  return Array.isArray(value) ? value.map(String) : [];
}

/** Saves users the way the server keeps them: in an ACL file, or in its configuration. */
async function persist(session: RedisSession, node: RedisNode): Promise<void> {
  const settings = await there(
    session.command("CONFIG", "GET", "aclfile"),
    `node ${node.address} has no command CONFIG, so nobody can tell how it keeps users: if its provider keeps them, say so ` +
      'with persist: "none"',
  );
  const aclFile = fieldsOf(settings).get("aclfile");
  await there(
    aclFile ? session.command("ACL", "SAVE") : session.command("CONFIG", "REWRITE"),
    `node ${node.address} can save users neither to an ACL file nor to its configuration file: give it one of them, or say ` +
      'persist: "none" where somebody else keeps them',
  );
}

/** An answer, or what is missing: a command that a node does not know, or cannot carry out as it is set up. */
async function there(answer: Promise<unknown>, missing: string): Promise<unknown> {
  try {
    return await answer;
  } catch (failure) {
    if (!(failure instanceof RotationError && failure.code === "unexpected")) throw failure;
    throw new RotationError("target-misconfigured", missing, failure.origin);
  }
}

function fieldsOf(reply: unknown): ReadonlyMap<string, string> {
  const entries = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(
    entries.flatMap((name, index) => (index % 2 === 0 ? [[name, entries[index + 1] ?? ""]] : [])),
  );
}
