import { randomBytes } from "node:crypto";
import { PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { type Blueprint, blueprint, publicSettings, type SecretPlan, valueFields } from "../../lib/blueprint";
import type { PolicyDocument, Registry } from "../../lib/model";
import {
  type AwsAccess,
  type Credentials,
  loadAwsAccount,
  loadDatabaseServer,
  loadVaultServer,
  type RehearsedCluster,
  secretsManager,
  takeHumanRole,
  type VaultCall,
} from "../../packages/rehearsal/src/load";
import {
  type ClusterIssuer,
  type EmbeddedAws,
  type OpenBao,
  OpenBaoRefusal,
  type Postgres,
  type ServerGroup,
  startClusterIssuer,
  startOpenBao,
} from "../../packages/rehearsal/src/servers";

/** Everything, so that what a role may not do is the resource policies' doing. */
export const ALL_RIGHTS: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [{ Sid: "Everything", Effect: "Allow", Action: ["*"], Resource: ["*"] }],
};

/** A blueprint that stands in embedded servers, with a value in every secret. */
export interface RehearsedEnvironment {
  readonly plan: Blueprint;
  readonly aws: EmbeddedAws;
  readonly deployer: Credentials;
  readonly operator: Credentials;
  /** By cluster. */
  readonly issuers: ReadonlyMap<string, ClusterIssuer>;
  /** By Vault. */
  readonly vaults: ReadonlyMap<string, OpenBao>;
  /** Values, by key; the older one is the previous version. */
  readonly values: ReadonlyMap<string, { readonly previous: object; readonly current: object }>;
}

/** Calls a Vault with a token. */
export const callWith =
  (vault: OpenBao, token: string | null): VaultCall =>
  async (method, path, body) =>
    (await vault.call(method, path, { token, ...(body ? { body } : {}) })).data;

/** Tells a refusal from an error that proves nothing. */
export const isRefusal = (error: unknown): boolean => error instanceof OpenBaoRefusal && error.status === 403;

/** A generated value with the fields of a secret's kind. */
export function generatedValue(plan: SecretPlan): object {
  const text = (): string => randomBytes(24).toString("base64url");
  const secret = plan as unknown as Parameters<typeof valueFields>[0];
  return Object.fromEntries(
    valueFields(secret).map(({ name, shape }) => [
      name,
      shape === "string" ? text() : { kid: text(), secret: text() },
    ]),
  );
}

/** Public settings that a rendered file shows beside the value. */
export const shownSettings = (plan: SecretPlan): object =>
  publicSettings(plan as unknown as Parameters<typeof publicSettings>[0]);

/** Stands a blueprint up in embedded servers: AWS as its deployer, values as root, because no person may write one. */
export async function rehearse(
  registry: Registry,
  environment: string,
  group: ServerGroup,
  aws: EmbeddedAws,
  postgres?: Postgres,
): Promise<RehearsedEnvironment> {
  const plan = blueprint(registry, environment);
  const root: AwsAccess = { endpoint: aws.endpoint, credentials: aws.rootCredentials(plan.account) };
  const deployer = await takeHumanRole(root, plan, { arn: plan.principals.deployer, policy: ALL_RIGHTS });
  await loadAwsAccount({ endpoint: aws.endpoint, credentials: deployer }, plan);
  const [operatorArn] = plan.principals.operators;
  if (operatorArn === undefined) throw new Error(`${environment} has no operator`);
  const operator = await takeHumanRole(root, plan, { arn: operatorArn, policy: ALL_RIGHTS });

  const values = new Map(
    plan.secrets.map((secret) => [
      secret.key,
      { previous: generatedValue(secret), current: generatedValue(secret) },
    ]),
  );
  const client = secretsManager(root, plan.regions.primary);
  for (const secret of plan.secrets) {
    if (secret.store !== "aws") continue;
    for (const value of Object.values(values.get(secret.key) ?? {})) {
      await client.send(
        new PutSecretValueCommand({ SecretId: secret.name, SecretString: JSON.stringify(value) }),
      );
    }
  }

  const issuers = new Map<string, ClusterIssuer>();
  const clusters: Record<string, RehearsedCluster> = {};
  for (const cluster of plan.clusters) {
    const issuer = await startClusterIssuer({ group, issuer: cluster.issuer });
    issuers.set(cluster.name, issuer);
    clusters[cluster.name] = {
      apiServer: issuer.url,
      jwksUrl: issuer.jwksUrl,
      reviewerToken: issuer.reviewerToken,
      ...(issuer.caPem ? { caPem: issuer.caPem } : {}),
    };
  }
  const vaults = new Map<string, OpenBao>();
  for (const vault of plan.vaults) {
    const server = await startOpenBao({ group });
    vaults.set(vault.name, server);
    const call = callWith(server, server.rootToken);
    await loadVaultServer(
      call,
      vault,
      clusters,
      postgres ? { databases: await loadDatabaseServer(postgres, plan, vault) } : {},
    );
    // An administrator's work: it is no part of what is deployed.
    await call("PUT", `sys/policies/acl/${vault.deployer.name}`, { policy: vault.deployer.text });
    for (const secret of plan.secrets) {
      if (secret.store === "vault") continue;
      // What the mirror does: check-and-set, one version after the other.
      const versions = Object.values(values.get(secret.key) ?? {});
      for (const [cas, data] of versions.entries())
        await call("POST", secret.vaultPath, { options: { cas }, data });
    }
  }
  return { plan, aws, deployer, operator, issuers, vaults, values };
}
