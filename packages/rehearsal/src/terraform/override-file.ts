import { functionEndpoints, type RehearsedDatabase, rehearsedUrl } from "../load";
import { awsEndpoints } from "./aws-endpoints";
import { type ResourceJson, resourcesOf, type StackJson } from "./stack-json";

/** Address at which a Vault of the stack is rehearsed. */
export interface RehearsedVaultServer {
  readonly address: string;
  readonly caFile: string;
  /** By the connection's name. */
  readonly databases: Readonly<Record<string, RehearsedDatabase>>;
}

/** Servers that stand for the systems that a stack names. */
export interface RehearsedServers {
  /** Endpoint of the AWS APIs. @default the stack has nothing of AWS */
  readonly awsEndpoint?: string;
  /** By the Vault's name, which is its provider's alias. */
  readonly vaults: Readonly<Record<string, RehearsedVaultServer>>;
  /** Address at which Vaults find the keys of issuers. */
  readonly issuer: { readonly url: string; readonly caPem: string };
}

/** Terraform's JSON of an override file. */
export type OverrideJson = Readonly<Record<string, unknown>>;

type ResourceOverrides = Record<string, Record<string, Record<string, unknown>>>;

/** State beside the stack, in place of its real backend. */
export const backendOverride = (): OverrideJson => ({
  terraform: { backend: { local: { path: "terraform.tfstate" } } },
});

/**
 * Override that Terraform merges over a stack so that it deploys to the rehearsal's servers: addresses, and nothing else but what
 * keeps a stack from being destroyed. A block in an override file replaces all blocks of its name, so they are whole.
 *
 * https://developer.hashicorp.com/terraform/language/files/override
 */
export function serversOverride(stack: StackJson, servers: RehearsedServers): OverrideJson {
  const resource: ResourceOverrides = {};
  const override = (type: string, name: string, values: Record<string, unknown>): void => {
    resource[type] ??= {};
    resource[type][name] = { ...resource[type][name], ...values };
  };
  for (const [type, name] of protectedResources(stack)) {
    override(type, name, { lifecycle: { prevent_destroy: false } });
  }
  for (const [name, { deletion_protection_enabled: isProtected }] of resourcesOf(
    stack,
    "aws_dynamodb_table",
  )) {
    if (isProtected) override("aws_dynamodb_table", name, { deletion_protection_enabled: false });
  }
  for (const [name] of resourcesOf(stack, "aws_s3_bucket")) {
    override("aws_s3_bucket", name, { force_destroy: true });
  }
  for (const [name, { rule }] of resourcesOf(stack, "aws_s3_bucket_object_lock_configuration")) {
    override("aws_s3_bucket_object_lock_configuration", name, { rule: [destroyableRetention(rule)] });
  }
  for (const [name, auth] of resourcesOf(stack, "vault_jwt_auth_backend")) {
    const { url, caPem } = servers.issuer;
    if (auth.oidc_discovery_url) {
      override("vault_jwt_auth_backend", name, { oidc_discovery_url: url, oidc_discovery_ca_pem: caPem });
    }
  }
  for (const [name, connection] of resourcesOf(stack, "vault_database_secret_backend_connection")) {
    override(
      "vault_database_secret_backend_connection",
      name,
      connectionOverride(connection, servers.vaults),
    );
  }
  if (servers.awsEndpoint !== undefined) {
    for (const [name, lambda] of resourcesOf(stack, "aws_lambda_function")) {
      override("aws_lambda_function", name, functionOverride(lambda, servers.awsEndpoint));
    }
  }
  return {
    provider: providersOverride(stack, servers),
    // Terraform takes an empty one for a block without a label.
    ...(Object.keys(resource).length > 0 ? { resource } : {}),
  };
}

/** Rules that {@link serversOverride} loosens so that a stack can be destroyed, in one line each. */
export function loosened(stack: StackJson): readonly string[] {
  const held = protectedResources(stack).length;
  const locked = resourcesOf(stack, "aws_s3_bucket_object_lock_configuration").length;
  return [
    ...(held > 0 ? [`prevent_destroy lifted from ${held} resources, for the rehearsal only`] : []),
    ...(locked > 0 ? ["object lock in mode GOVERNANCE, for the rehearsal only"] : []),
  ];
}

/** Types and names of the resources that Terraform would refuse to destroy. */
function protectedResources(stack: StackJson): readonly (readonly [type: string, name: string])[] {
  return Object.entries(stack.resource).flatMap(([type, resources]) =>
    Object.entries(resources).flatMap(([name, { lifecycle }]) =>
      lifecycle?.prevent_destroy === true ? [[type, name] as const] : [],
    ),
  );
}

function providersOverride(stack: StackJson, { awsEndpoint, vaults }: RehearsedServers): OverrideJson {
  const vault = (stack.provider.vault ?? []).map(({ alias = "" }) => {
    const server = vaults[alias];
    if (!server) throw new Error(`no server stands for the Vault ${alias}`);
    return { alias, address: server.address, ca_cert_file: server.caFile };
  });
  return {
    ...(vault.length > 0 ? { vault } : {}),
    ...(awsEndpoint === undefined ? {} : { aws: [awsOverride(stack, awsEndpoint)] }),
  };
}

function awsOverride(stack: StackJson, endpoint: string): OverrideJson {
  const types = Object.keys(stack.resource).filter((type) => type.startsWith("aws_"));
  return {
    endpoints: [awsEndpoints(types, endpoint)],
    // S3 Control's host is the account's, in front of the endpoint's: no name server knows it, so it is reached by a proxy.
    // Loopback addresses are reached without. All three are said, because the caller's environment has its own.
    http_proxy: endpoint,
    https_proxy: endpoint,
    no_proxy: "localhost",
    // What is refused is to be seen, not tried 25 times.
    max_retries: 2,
    s3_use_path_style: true,
    skip_region_validation: true,
  };
}

/** The same retention, which Terraform may end: what is under COMPLIANCE nobody deletes before its time. */
function destroyableRetention(rule: unknown): object {
  const [block] = [rule].flat() as { readonly default_retention?: object }[];
  const [retention] = [block?.default_retention ?? []].flat();
  return { ...block, default_retention: [{ ...retention, mode: "GOVERNANCE" }] };
}

/** A function calls AWS where Terraform does. */
function functionOverride({ environment }: ResourceJson, endpoint: string): Record<string, unknown> {
  const [own] = [environment ?? []].flat() as { readonly variables?: object }[];
  return { environment: [{ variables: { ...own?.variables, ...functionEndpoints(endpoint) } }] };
}

function connectionOverride(
  { name, provider = "", postgresql }: ResourceJson,
  vaults: RehearsedServers["vaults"],
): Record<string, unknown> {
  const database = vaults[provider.replace(/^vault\./, "")]?.databases[String(name)];
  if (!database) throw new Error(`no database stands for the connection ${name}`);
  const [block] = [postgresql].flat() as { readonly connection_url: string; readonly tls_ca?: string }[];
  if (!block) throw new Error(`the connection ${name} is not PostgreSQL's`);
  const { tls_ca: _, ...kept } = block;
  return { postgresql: [{ ...kept, connection_url: rehearsedUrl(block.connection_url, database) }] };
}
