import * as z from "zod/mini";
import { days, hours } from "../duration";
import { duration, oneLine } from "../grammar";
import { certificatePem, hostName, portNumber, postgresqlName } from "../server-grammar";
import { type KindTraits, textField } from "./traits";

/** Every privilege on tables that a registry can name. */
export const POSTGRESQL_PRIVILEGES = [
  "SELECT",
  "INSERT",
  "UPDATE",
  "DELETE",
  "TRUNCATE",
  "REFERENCES",
  "TRIGGER",
] as const;

/** PostgreSQL user: its row in the table of kinds. */
export const POSTGRESQL_USER_TRAITS = {
  title: "PostgreSQL user",
  stores: ["aws", "vault"],
  acceptedBy: ["target", "single-slot"],
  rotation: ["automatic"],
  fields: [textField("username"), textField("password")],
  publicSettings: ["host", "port", "database"],
} as const satisfies KindTraits;

/** Schema of the settings of a PostgreSQL user. */
export const postgresqlUserSettings = () =>
  z.strictObject({
    host: hostName,
    /** Server on which users are created when `host` is a read replica. Default: `host`. */
    writerHost: z.optional(hostName),
    port: z._default(portNumber, 5432),
    /**
     * The PostgreSQL server itself, where `host` and `port` are a pooler's (PgBouncer, RDS Proxy): logins are made and
     * ended there, and tried there as well as at the pooler. A pooler must know both logins of a pair. Default: none,
     * `host` is the server, or a pooler that knows the admin's login too.
     */
    server: z.optional(z.strictObject({ host: hostName, port: z._default(portNumber, 5432) })),
    /** CA of the server's certificate in PEM, when it is not a public one (Amazon RDS's is not). */
    caPem: z.optional(certificatePem),
    database: postgresqlName,
    /**
     * The NOLOGIN role whose rights the logins have; for an alternating pair the logins are `<role>_a` and
     * `<role>_b`; for `login: "static"` the login itself.
     */
    role: postgresqlName.check(
      z.refine((name) => new TextEncoder().encode(name).length <= 61, {
        params: {
          allowed: "at most 61 bytes, so that <role>_a fits PostgreSQL's 63",
          change: "shorten the role's name",
        },
        message: "too long",
      }),
    ),
    /** The role is an existing login that owns objects, and may log in until people end that: see `docs/guides`. */
    adopt: z.optional(z.literal(true)),
    /** Schemas whose tables, views and sequences the role uses. */
    schemas: z._default(z.array(postgresqlName).check(z.minLength(1)), ["public"]),
    /**
     * Tables, views and sequences of these schemas that the role has nothing to do with, as `name` or `schema.name`:
     * their rights are neither given nor checked. Members of extensions never are. Default: none.
     */
    exceptObjects: z._default(z.array(oneLine), []),
    /**
     * Privileges of the role on them; INSERT and UPDATE bring USAGE of sequences, which `serial` columns need.
     */
    privileges: z._default(z.array(z.enum(POSTGRESQL_PRIVILEGES)).check(z.minLength(1)), [
      "SELECT",
      "INSERT",
      "UPDATE",
      "DELETE",
    ]),
    /**
     * Time for which a login that is to be retired is locked, with its password kept, before that is taken away: whoever still
     * needs it shows by failing, and `ALTER ROLE … LOGIN` or a rollback opens it again. 0: it ends at once. In an
     * emergency it always does. Default: 1 hour.
     */
    lockGrace: z._default(z.strictObject({ seconds: z.int().check(z.gte(0)) }), hours(1)),
    /** Data that the database holds: dev works on samples. */
    data: z._default(z.enum(["sample", "copy", "live"]), "live"),
    /**
     * `alternating`: two logins take turns (store `aws`). `dynamic`: a Vault database engine makes a
     * short-lived user per lease. `static`: the engine changes the password of one existing login; the old one
     * is dead at that moment, so whoever holds it fails until its agent has rendered the new one.
     * Default: `alternating` for store `aws`, `dynamic` for store `vault`.
     */
    login: z.optional(z.enum(["alternating", "dynamic", "static"])),
    /**
     * Login of the database engine's connection, with store `vault`: `<connectionUser>_<Vault>` (hyphens of the
     * Vault's name become `_`), because each Vault rotates its own. People make it, Vault alone knows its
     * password after the first rotation. Default: `<role>_vault`.
     */
    connectionUser: z.optional(postgresqlName),
    /** Life of a dynamic user before renewal. Default: 12 hours. */
    ttl: z._default(duration, hours(12)),
    /** Life of a dynamic user at most. Default: 7 days. */
    maxTtl: z._default(duration, days(7)),
  });
