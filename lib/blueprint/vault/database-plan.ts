import type { Duration } from "../../model/duration";
import { connectionLogin, databaseMount, keyAsWord, passwordVariable } from "../../model/names";
import { grantStatement, sqlText } from "../../model/postgresql-grants";
import type { Environment, VaultServer } from "../../model/registry";
import type { EnvironmentSecret } from "../../model/resolve";

/** The database engine of an environment in one Vault. */
export interface DatabasePlan {
  readonly mount: string;
  /** Terraform refuses to destroy the engine and its connections, whose passwords nobody but Vault knows. */
  readonly preventDestroy: boolean;
  /** One per secret, sorted by name. */
  readonly connections: readonly DatabaseConnectionPlan[];
  /** One per secret, sorted by name. */
  readonly roles: readonly DatabaseRolePlan[];
}

/** A login with which the engine makes users, or changes the password of the static login. */
export interface DatabaseConnectionPlan {
  readonly name: string;
  /** Key of its secret. */
  readonly secret: string;
  readonly plugin: "postgresql-database-plugin";
  /** Connection URL with `{{username}}` and `{{password}}`, which Vault fills in: no value in it. */
  readonly url: string;
  /**
   * CA of the server's certificate in PEM, where the Vault has no `databaseCaFile`. Vault takes it from 1.18; OpenBao
   * does not look at it and refuses the connection, unless the trust store of its host has the CA.
   */
  readonly caPem?: string;
  /** The engine's own login; each Vault has another. */
  readonly username: string;
  /** Ephemeral Terraform variable with the first password of {@link username}; needed when the connection is made. */
  readonly passwordVariable: string;
  /** Go template of dynamic users' names: made of nothing that a caller chooses. */
  readonly usernameTemplate: string;
  /** Passwords go to PostgreSQL as verifiers. */
  readonly passwordAuthentication: "scram-sha-256";
  /** Exactly its own roles. */
  readonly allowedRoles: readonly string[];
  /** Cadence on which the mirror's function has Vault change the password of {@link username}. */
  readonly rotateEvery: Duration;
  /** Path of that call: `database-prod/rotate-root/db--reporting-ro`. */
  readonly rotateRootPath: string;
}

/** A role of the database engine: what a secret's consumers read. */
export type DatabaseRolePlan = DynamicRolePlan | StaticRolePlan;

/** Fields of every role of the database engine. */
export interface RolePlanCommon {
  readonly name: string;
  /** Key of its secret. */
  readonly secret: string;
  /** Name of its connection. */
  readonly connection: string;
}

/** A new user for each lease. */
export interface DynamicRolePlan extends RolePlanCommon {
  readonly login: "dynamic";
  readonly creationStatements: readonly string[];
  readonly renewStatements: readonly string[];
  readonly revocationStatements: readonly string[];
  readonly ttl: Duration;
  readonly maxTtl: Duration;
}

/** One login whose password Vault changes. */
export interface StaticRolePlan extends RolePlanCommon {
  readonly login: "static";
  readonly username: string;
  /** Vault changes the password once when the role is made, then each time this has passed. */
  readonly rotateEvery: Duration;
}

type PostgresqlSecret = Extract<EnvironmentSecret, { kind: "postgresql-user" }>;

const isVaultOwned = (secret: EnvironmentSecret): secret is PostgresqlSecret =>
  secret.store === "vault" && secret.kind === "postgresql-user";

/** The database engine of an environment in one Vault; none where no secret is Vault's. */
export function databasePlans(
  environment: Environment,
  vault: VaultServer,
  secrets: readonly EnvironmentSecret[],
): readonly DatabasePlan[] {
  const owned = secrets.filter(isVaultOwned);
  if (owned.length === 0) return [];
  const mount = databaseMount(environment.name);
  return [
    {
      mount,
      preventDestroy: environment.preventDestroy,
      connections: owned.map((secret) => connectionPlan(mount, vault, secret)),
      roles: owned.map(rolePlan),
    },
  ];
}

function connectionPlan(
  mount: string,
  vault: VaultServer,
  { key, physicalKey, settings, rotateEvery, environment }: PostgresqlSecret,
): DatabaseConnectionPlan {
  const { host, writerHost, database, role, connectionUser } = settings;
  const server = settings.server ?? { host: writerHost ?? host, port: settings.port };
  const name = keyAsWord(physicalKey);
  const query = [
    "sslmode=verify-full",
    ...(vault.databaseCaFile ? [`sslrootcert=${vault.databaseCaFile}`] : []),
  ];
  return {
    name,
    secret: key,
    plugin: "postgresql-database-plugin",
    url: `postgresql://{{username}}:{{password}}@${server.host}:${server.port}/${encodeURIComponent(database)}?${query.join("&")}`,
    ...(settings.caPem && !vault.databaseCaFile ? { caPem: settings.caPem } : {}),
    username: connectionLogin(connectionUser ?? `${role}_vault`, vault.name),
    passwordVariable: passwordVariable(environment, vault.name, physicalKey),
    // Vault's own template begins with the token's display name. 58 characters at most, of PostgreSQL's 63.
    usernameTemplate: `{{ printf "v-%s-%s-%s" (.RoleName | truncate 24) (random 20) (unix_time) }}`,
    passwordAuthentication: "scram-sha-256",
    allowedRoles: [name],
    rotateEvery,
    rotateRootPath: `${mount}/rotate-root/${name}`,
  };
}

function rolePlan({ key, physicalKey, settings, rotateEvery }: PostgresqlSecret): DatabaseRolePlan {
  const name = keyAsWord(physicalKey);
  const common = { name, secret: key, connection: name };
  if (settings.login === "static") {
    return { ...common, login: "static", username: settings.role, rotateEvery };
  }
  return {
    ...common,
    login: "dynamic",
    creationStatements: creationStatements(settings),
    renewStatements: [`ALTER ROLE "{{name}}" VALID UNTIL '{{expiration}}'`],
    revocationStatements: [revocationStatement(settings.role)],
    ttl: settings.ttl,
    maxTtl: settings.maxTtl,
  };
}

/**
 * A short-lived login that turns into the NOLOGIN role of the registry, as the alternating logins of store `aws` do, and
 * has its rights without that too: a pool's `DISCARD ALL` takes the role away on old servers. The user's name is plain by
 * its template. The engine splits a text at semicolons unless `END` is in it, and runs all of them in one transaction.
 */
const creationStatements = (settings: PostgresqlSecret["settings"]): readonly string[] => [
  `DO $role$ DECLARE
  the_role CONSTANT text := ${sqlText(settings.role)};
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('secrets-registry ' || the_role, 0));
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = the_role) THEN
    EXECUTE format('CREATE ROLE %I NOLOGIN', the_role);
  ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = the_role AND (rolcanlogin OR rolsuper OR rolcreaterole
      OR rolcreatedb OR rolreplication OR rolbypassrls)) THEN
    RAISE EXCEPTION 'role % must be NOLOGIN and without administrative powers', the_role;
  END IF;
END $role$`,
  grantStatement(settings),
  `CREATE ROLE "{{name}}" INHERIT LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'`,
  `DO $membership$ DECLARE
  the_role CONSTANT text := ${sqlText(settings.role)};
BEGIN
  EXECUTE format('GRANT %I TO "{{name}}"', the_role);
  EXECUTE format('ALTER ROLE "{{name}}" SET role TO %I', the_role);
END $membership$`,
];

/**
 * Revocation statement of a dynamic user. Objects that the user owns go to the role: there can only be some that
 * somebody made after `SET ROLE NONE`, or after `DISCARD ALL` on an old server. Who owns something in another database
 * of the server cannot be dropped from here, and stays as a name that cannot log in. Running sessions end by themselves,
 * as everywhere in a rotation; those on a replica could not be reached from the writer anyhow.
 */
const revocationStatement = (role: string): string => `DO $revoke$ DECLARE
  the_role CONSTANT text := ${sqlText(role)};
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN
    ALTER ROLE "{{name}}" NOLOGIN PASSWORD NULL;
    IF EXISTS (SELECT FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
        WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = '{{name}}') THEN
      EXECUTE format('GRANT "{{name}}", %I TO CURRENT_USER', the_role);
      EXECUTE format('REASSIGN OWNED BY "{{name}}" TO %I', the_role);
      DROP OWNED BY "{{name}}";
    END IF;
    BEGIN
      DROP ROLE "{{name}}";
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE WARNING 'it owns objects of another database';
    END;
  END IF;
END $revoke$`;
