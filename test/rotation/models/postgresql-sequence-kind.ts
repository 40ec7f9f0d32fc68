import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { Client } from "pg";
import { pgServer } from "../../../lib/rotation/adapters/pg-server";
import { type PostgresqlValue, postgresqlUserTarget } from "../../../lib/rotation/targets/postgresql-user";
import { reachable } from "./gated-ports";
import type { PostgresqlWorld } from "./postgresql-world";
import type { SequenceKind } from "./sequence-kind";

const HOUR = 3_600;

/** A login as the server has it: https://www.postgresql.org/docs/current/catalog-pg-authid.html */
interface Login {
  readonly rolname: string;
  readonly rolcanlogin: boolean;
  readonly rolpassword: string | null;
}

/**
 * Two logins of a real PostgreSQL, each sequence with a role of its own. A consumer logs in for real whenever the server has anything
 * new about its login; what the server has is read from its catalog at each look.
 */
export function postgresqlSequences(
  world: PostgresqlWorld,
): SequenceKind<PostgresqlValue> & { readonly realLogIns: () => number } {
  let sequences = 0;
  let realLogIns = 0;
  return {
    name: "postgresql-user, a real server",
    kind: "postgresql-user",
    mode: "automatic",
    publishes: false,
    acceptedBy: "target",
    overlapSeconds: 7 * HOUR,
    publishLeadSeconds: 0,
    realLogIns: () => realLogIns,
    begin: async () => {
      sequences += 1;
      const role = `sequence_${sequences}`;
      const props = world.props(role);
      const catalog = new Client({ ...world.postgres.superuser, database: "postgres" });
      await catalog.connect();
      let logins: readonly Login[] = [];
      const look = async (): Promise<void> => {
        const { rows } = await catalog.query(
          "SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE starts_with(rolname, $1) ORDER BY 1",
          [`${role}_`],
        );
        logins = rows;
      };
      /** Passwords by login, as values had them. */
      const known = new Map<string, Set<string>>();
      const nameOf = ({ username, password }: PostgresqlValue): string => {
        known.set(username, (known.get(username) ?? new Set()).add(password));
        return `${username} ${password}`;
      };
      const outcomes = new Map<string, boolean>();
      return {
        settings: () => props.settings,
        targetOf: (settings, plan, away) =>
          postgresqlUserTarget({ ...props, settings, server: plan.wrap(reachable(pgServer, away)) }),
        presents: async (value) => {
          await look();
          const login = logins.find(({ rolname }) => rolname === value.username);
          const asked = `${nameOf(value)} ${login?.rolcanlogin} ${login?.rolpassword}`;
          const before = outcomes.get(asked);
          if (before !== undefined) return before;
          realLogIns += 1;
          const works = await world.works(value, "SELECT 1");
          outcomes.set(asked, works);
          return works;
        },
        live: () =>
          logins
            .filter(({ rolcanlogin, rolpassword }) => rolcanlogin && rolpassword !== null)
            .map(({ rolname, rolpassword }) => {
              const password = [...(known.get(rolname) ?? [])].find((text) => isOf(text, rolpassword ?? ""));
              return `${rolname} ${password ?? "of nobody's value"}`;
            }),
        opens: (value) => [nameOf(value)],
        close: () => catalog.end(),
      };
    },
  };
}

const matches = new Map<string, boolean>();

/** `true` when a verifier is of a password: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (RFC 5802, section 3). */
function isOf(password: string, verifier: string): boolean {
  const asked = `${password} ${verifier}`;
  const before = matches.get(asked);
  if (before !== undefined) return before;
  const [, iterations = "", salt = "", storedKey = ""] =
    /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(verifier) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const is = createHash("sha256").update(clientKey).digest("base64") === storedKey;
  matches.set(asked, is);
  return is;
}
