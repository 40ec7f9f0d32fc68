import { type VaultPlan, type VaultPolicy, type VaultRule, vaultPolicy } from "../../../../lib/blueprint";
import { type RehearsedDatabase, rehearsedUrl } from "./database-server";

/** Addresses in a rehearsal of the servers that a deployer's policy names. */
export interface RehearsedAddresses {
  /** By cluster, where the API server is another. @default as the registry says */
  readonly apiServers?: Readonly<Record<string, { readonly apiServer: string; readonly caPem?: string }>>;
  /** Issuer of everybody's tokens, where Vault looks for its keys. @default as the registry says */
  readonly issuer?: { readonly url: string; readonly caPem: string };
  /** Keys of the issuer by which AWS vouches for its roles. @default as published */
  readonly awsTokenKeys?: readonly string[];
  /** By the connection's name. */
  readonly databases?: Readonly<Record<string, RehearsedDatabase>>;
}

/**
 * The deployer's policy of a plan, with the rehearsal's addresses in place of the registry's. It fixes what Terraform may send, and
 * nothing else differs in what a rehearsal's Terraform sends.
 */
export function rehearsedDeployer(plan: VaultPlan, addresses: RehearsedAddresses): VaultPolicy {
  const { name, rules } = plan.deployer;
  const changes = changedRules(plan, addresses);
  return vaultPolicy(
    name,
    rules.map((rule) => (rule.allowed ? { ...rule, ...changes.get(rule.path)?.(rule) } : rule)),
  );
}

type Change = (rule: VaultRule) => Pick<VaultRule, "allowed" | "denied">;

function changedRules(
  { auths, mirror, databases: engines }: VaultPlan,
  { apiServers = {}, issuer, awsTokenKeys, databases = {} }: RehearsedAddresses,
): ReadonlyMap<string, Change> {
  const allow =
    (values: NonNullable<VaultRule["allowed"]>): Change =>
    ({ allowed }) => ({ allowed: { ...allowed, ...values } });
  const published = issuer && {
    oidc_discovery_url: [issuer.url],
    oidc_discovery_ca_pem: [issuer.caPem],
  };
  return new Map<string, Change>([
    ...auths.flatMap(({ mount, cluster, method, issuerKeys }): [string, Change][] => {
      const path = `auth/${mount}/config`;
      const server = apiServers[cluster];
      if (method === "jwt") return published && !issuerKeys ? [[path, allow(published)]] : [];
      if (!server) return [];
      const { apiServer, caPem = "" } = server;
      return [
        [
          path,
          ({ allowed }) => ({
            denied: {},
            allowed: { ...allowed, kubernetes_host: [apiServer], kubernetes_ca_cert: [caPem] },
          }),
        ],
      ];
    }),
    ...(mirror && (published || awsTokenKeys)
      ? [
          [
            `auth/${mirror.authMount}/config`,
            allow(awsTokenKeys ? { jwt_validation_pubkeys: [awsTokenKeys] } : (published ?? {})),
          ] as [string, Change],
        ]
      : []),
    ...engines.flatMap(({ mount, connections }) =>
      connections.flatMap(({ name, url }): [string, Change][] => {
        const database = databases[name];
        return database
          ? [[`${mount}/config/${name}`, allow({ connection_url: [rehearsedUrl(url, database)] })]]
          : [];
      }),
    ),
  ]);
}
