import type { ParsedEnvironment } from "../environment-definition";
import { type Fault, fault } from "../faults";
import { namesInCheck } from "../generic-settings";
import type { KindSettings } from "../kinds";
import { connectionLogin } from "../names";
import type { EnvironmentSecret } from "../resolve";
import { forEnvironments, type RuleContext } from "./context";

/** A credential that something rotates, named so that two secrets for the same one meet. */
interface Credential {
  /** Place and name of it, for comparing and for people. */
  readonly id: string;
  readonly what: string;
}

/** Credentials that a secret's rotation changes at its target. */
function credentialsOf(
  secret: EnvironmentSecret,
  { account, vaults }: ParsedEnvironment,
): readonly Credential[] {
  switch (secret.kind) {
    case "postgresql-user": {
      const { host, writerHost, port, server, role, login, connectionUser } = secret.settings;
      const connections =
        secret.store === "vault" && connectionUser !== undefined
          ? vaults.map((vault) => connectionLogin(connectionUser, vault.name))
          : [];
      const users = [role, ...(login === "alternating" ? [`${role}_a`, `${role}_b`] : []), ...connections];
      // With store aws the writer is `host`; a `writerHost` there is a fault of its own.
      const places = new Set([
        `${host}:${port}`,
        ...(secret.store === "aws" ? [] : [`${writerHost ?? host}:${port}`]),
        ...(server === undefined ? [] : [`${server.host}:${server.port}`]),
      ]);
      return [...places].flatMap((place) =>
        users.map((user) => ({
          id: `postgresql ${place}/${user}`,
          what: `the database user ${user} on ${place}`,
        })),
      );
    }
    case "redis-auth-token":
      return [redisCredential(secret.settings, account)];
    case "s3-access-key":
      return [
        {
          id: `iam ${account}/${secret.settings.user}`,
          what: `the IAM user ${secret.settings.user} of account ${account}`,
        },
      ];
    case "generic":
      return checkedUser(secret.settings);
    default:
      return [];
  }
}

function redisCredential(
  { engine, host, port, replicationGroup, user, userId }: KindSettings<"redis-auth-token">,
  account: string,
): Credential {
  switch (engine) {
    case "elasticache":
      return {
        id: `elasticache ${account}/${replicationGroup}`,
        what: `the auth token of replication group ${replicationGroup}`,
      };
    case "elasticache-user":
      return { id: `elasticache ${account}/user:${userId}`, what: `the ElastiCache user ${userId}` };
    case "memorydb-user":
      return { id: `memorydb ${account}/${user}`, what: `the MemoryDB user ${user}` };
    case "acl":
      return { id: `redis ${host}:${port}/${user}`, what: `the ACL user ${user} on ${host}:${port}` };
  }
}

/** The login that a generic secret's check makes, where the registry knows its name. */
function checkedUser({ check, config }: KindSettings<"generic">): readonly Credential[] {
  const user = check && config[namesInCheck(check).username?.name ?? ""];
  if (check === undefined || typeof user !== "string") return [];
  if (check.how === "sql") {
    const { host, port } = check;
    return [
      { id: `postgresql ${host}:${port}/${user}`, what: `the database user ${user} on ${host}:${port}` },
    ];
  }
  const { origin } = new URL(check.url);
  return [{ id: `http ${origin}/${user}`, what: `the user ${user} of ${origin}` }];
}

/**
 * One rotator per credential (docs/explanation/architecture.md, decision 2): the second would make the first one's value invalid.
 * Environments count together, because they may share a database server or an account.
 */
export function rotatorFaults(context: RuleContext): readonly Fault[] {
  const holders = new Map<string, { readonly key: string; readonly environment: string }>();
  return forEnvironments(context, (environment, parsed, secrets) =>
    secrets.flatMap((secret) => {
      const clash = credentialsOf(secret, parsed).flatMap((credential) => {
        const holder = holders.get(credential.id);
        if (!holder) holders.set(credential.id, { key: secret.key, environment });
        const isSelf = holder?.key === secret.key && holder.environment === environment;
        return holder && !isSelf ? [{ credential, holder }] : [];
      })[0];
      if (!clash) return [];
      return [
        fault(
          ["secrets", secret.key, "environments", environment, "settings"],
          `${clash.credential.what}, which secrets[${JSON.stringify(clash.holder.key)}] rotates in ${clash.holder.environment}`,
          "one rotator for each credential",
          "give one of them a user of its own, or make them one secret with more consumers",
        ),
      ];
    }),
  );
}
