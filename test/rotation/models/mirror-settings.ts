import type { MirrorSettings } from "../../../lib/contracts/function-settings";

/**
 * Settings of a mirror of two Vaults or more, in the environment `test`.
 *
 * @param vaults their names
 * @param secrets paths by the secrets' names
 */
export const mirrorSettings = (
  vaults: readonly string[],
  secrets: Readonly<Record<string, string>>,
): MirrorSettings => ({
  environment: "test",
  region: "eu-central-1",
  publicationsTable: "table",
  auditKeyAlias: "alias/audit",
  vaults: vaults.map((name) => ({
    name,
    address: `https://${name}`,
    audience: "audience",
    authMount: "aws-test",
    role: "mirror",
    kvMount: "kv-test",
    connections: [],
  })),
  secrets: Object.fromEntries(Object.entries(secrets).map(([name, path]) => [name, { path }])),
});
