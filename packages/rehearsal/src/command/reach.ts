import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { shellQuoted } from "../../../../lib/model/shell-quoted";
import type { RehearsedWorld } from "../world";

/** A way into a rehearsed world, as lines for a POSIX shell. */
export interface Way {
  readonly title: string;
  readonly lines: readonly string[];
}

/**
 * Ways in which a person reaches the servers of a rehearsal. Passwords and tokens are in files that only this user reads; the
 * credentials of the account's root are those of the embedded AWS, which nobody else takes. (Operators read no value.)
 *
 * @param folder where those files go
 */
export function waysInto(
  { plan, shim, as, vaults, targets }: RehearsedWorld,
  folder: string,
): readonly Way[] {
  const { accessKeyId, secretAccessKey, sessionToken } = as.root.credentials;
  const aws: Way = {
    title: `AWS, as the root of ${plan.environment}'s account. Throw-away credentials: only this embedded server takes them`,
    lines: exported({
      AWS_ENDPOINT_URL: shim.endpoint,
      AWS_REGION: plan.regions.primary,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    }),
  };
  const openBaos = [...vaults].map(
    ([name, server]): Way => ({
      title: `Vault ${name}, with its root token (client: ${server.binary})`,
      lines: [
        ...exported({ VAULT_ADDR: server.address, VAULT_CACERT: server.caFile }),
        `export VAULT_TOKEN="$(cat ${shellQuoted(privateFile(join(folder, `token-${name}`), server.rootToken))})"`,
      ],
    }),
  );
  const databases = targets.postgresql.byHost.map(([host, { superuser, caFile }]): Way => {
    const { port, user, password, database } = superuser;
    const file = privateFile(join(folder, `pgpass-${port}`), `*:*:*:${user}:${password}\n`);
    return {
      title: `PostgreSQL that stands for ${host}, as its superuser`,
      lines: [
        `PGPASSFILE=${shellQuoted(file)} PGSSLMODE=verify-full PGSSLROOTCERT=${shellQuoted(caFile)} psql -h localhost -p ${port} -U ${user} ${database}`,
      ],
    };
  });
  return [aws, ...openBaos, ...databases];
}

/** Text of the ways, for the person. */
export const renderWays = (ways: readonly Way[]): string =>
  [
    ...ways.map(({ title, lines }) => [`# ${title}`, ...lines, ""].join("\n")),
    "The servers stay up until you press Ctrl-C.",
  ].join("\n");

const exported = (variables: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuoted(value)}`);

function privateFile(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
