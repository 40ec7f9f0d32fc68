import {
  AttachRolePolicyCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetOpenIDConnectProviderCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, KMSClient, ReplicateKeyCommand } from "@aws-sdk/client-kms";
import {
  CreateSecretCommand,
  PutResourcePolicyCommand,
  ReplicateSecretToRegionsCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { AwsSecretPlan, Blueprint, RolePlan } from "../../../../lib/blueprint";
import type { PolicyDocument } from "../../../../lib/model";

/** Credentials as the SDK takes them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Address of the AWS APIs, and credentials for them. */
export interface AwsAccess {
  /** One endpoint for all services and regions. */
  readonly endpoint: string;
  readonly credentials: Credentials;
}

/** Settings of every SDK client. */
export const clientSettings = ({ endpoint, credentials }: AwsAccess, region: string) => ({
  endpoint,
  region,
  credentials: { ...credentials },
  // What is refused must be seen as refused, not asked again.
  maxAttempts: 1,
});

/** Secrets Manager in a region. */
export const secretsManager = (access: AwsAccess, region: string): SecretsManagerClient =>
  new SecretsManagerClient(clientSettings(access, region));
/** KMS in a region. */
export const kms = (access: AwsAccess, region: string): KMSClient =>
  new KMSClient(clientSettings(access, region));
/** IAM. */
export const iam = (access: AwsAccess, region: string): IAMClient =>
  new IAMClient(clientSettings(access, region));
const sts = (access: AwsAccess, region: string): STSClient => new STSClient(clientSettings(access, region));

const json = (document: PolicyDocument): string => JSON.stringify(document);

/** A role outside of the registry that a person or a pipeline takes: deployer, operator, administrator. */
export interface HumanRole {
  /** ARN as the registry's `principals` have it. */
  readonly arn: string;
  readonly policy: PolicyDocument;
  /** Name of the session. @default "rehearsal" */
  readonly session?: string;
}

/**
 * Makes a role that the account's root may take, with its path, and takes it.
 *
 * @returns credentials of a session of the role
 */
export async function takeHumanRole(
  root: AwsAccess,
  blueprint: Blueprint,
  role: HumanRole,
): Promise<Credentials> {
  const region = blueprint.regions.primary;
  const resource = role.arn.slice(role.arn.indexOf(":role/") + ":role".length);
  const name = resource.slice(resource.lastIndexOf("/") + 1);
  const client = iam(root, region);
  await client.send(
    new CreateRoleCommand({
      RoleName: name,
      Path: resource.slice(0, resource.lastIndexOf("/") + 1),
      AssumeRolePolicyDocument: json({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "Root",
            Effect: "Allow",
            Principal: { AWS: `arn:${blueprint.partition}:iam::${blueprint.account}:root` },
            Action: ["sts:AssumeRole"],
          },
        ],
      }),
    }),
  );
  await client.send(
    new PutRolePolicyCommand({ RoleName: name, PolicyName: "rights", PolicyDocument: json(role.policy) }),
  );
  const { Credentials: taken } = await sts(root, region).send(
    new AssumeRoleCommand({ RoleArn: role.arn, RoleSessionName: role.session ?? "rehearsal" }),
  );
  return toCredentials(taken);
}

function toCredentials(
  taken:
    | {
        AccessKeyId?: string | undefined;
        SecretAccessKey?: string | undefined;
        SessionToken?: string | undefined;
      }
    | undefined,
): Credentials {
  if (!taken?.AccessKeyId || !taken.SecretAccessKey || !taken.SessionToken) {
    throw new Error("STS answered without credentials");
  }
  return {
    accessKeyId: taken.AccessKeyId,
    secretAccessKey: taken.SecretAccessKey,
    sessionToken: taken.SessionToken,
  };
}

/** Takes a workload's role with a ServiceAccount token, as IRSA does in a pod. */
export async function takeWorkloadRole(
  endpoint: string,
  region: string,
  roleArn: string,
  token: string,
): Promise<Credentials> {
  const client = new STSClient({
    endpoint,
    region,
    maxAttempts: 1,
    // The call is not signed; the SDK asks for credentials all the same.
    credentials: { accessKeyId: "anonymous", secretAccessKey: "anonymous" },
  });
  const { Credentials: taken } = await client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn,
      RoleSessionName: "pod",
      WebIdentityToken: token,
    }),
  );
  return toCredentials(taken);
}

/** Loads the AWS part of a blueprint, as the deployer whose credentials `access` holds. */
export async function loadAwsAccount(access: AwsAccess, blueprint: Blueprint): Promise<void> {
  const keyIds = await loadKeys(access, blueprint);
  await Promise.all(
    blueprint.secrets.map(async (secret) => {
      if (secret.store === "aws") await loadSecret(access, blueprint, secret, keyIds);
    }),
  );
  await loadInboxes(access, blueprint);
  for (const cluster of blueprint.clusters) {
    await ensureOidcProvider(access, blueprint, cluster.issuer);
  }
  await Promise.all(blueprint.workloads.map(({ role }) => loadRole(access, blueprint, role)));
}

async function loadKeys(
  access: AwsAccess,
  { key, regions }: Blueprint,
): Promise<ReadonlyMap<string, string>> {
  const policyIn = (region: string): string => {
    const policy = key.policies[region];
    if (!policy) throw new Error(`the blueprint has no key policy for ${region}`);
    return json(policy);
  };
  const tags = Object.entries(key.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  const { KeyMetadata: primary } = await kms(access, regions.primary).send(
    new CreateKeyCommand({
      MultiRegion: true,
      Description: key.description,
      Policy: policyIn(regions.primary),
      Tags: tags,
    }),
  );
  const id = primary?.KeyId ?? "";
  const arns = new Map([[regions.primary, primary?.Arn ?? ""]]);
  for (const region of regions.replicas) {
    const { ReplicaKeyMetadata: replica } = await kms(access, regions.primary).send(
      new ReplicateKeyCommand({ KeyId: id, ReplicaRegion: region, Policy: policyIn(region), Tags: tags }),
    );
    arns.set(region, replica?.Arn ?? "");
  }
  for (const region of regions.all) {
    await kms(access, region).send(new CreateAliasCommand({ AliasName: key.alias, TargetKeyId: id }));
  }
  return arns;
}

async function loadSecret(
  access: AwsAccess,
  { regions }: Blueprint,
  secret: AwsSecretPlan,
  keyArns: ReadonlyMap<string, string>,
): Promise<void> {
  const client = secretsManager(access, regions.primary);
  await client.send(
    new CreateSecretCommand({
      Name: secret.name,
      Description: secret.description,
      KmsKeyId: keyArns.get(regions.primary),
      Tags: Object.entries(secret.tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  await client.send(
    new PutResourcePolicyCommand({
      SecretId: secret.name,
      ResourcePolicy: json(secret.policy),
      BlockPublicPolicy: true,
    }),
  );
  if (regions.replicas.length === 0) return;
  // A call of its own: the embedded AWS ignores replica regions at creation (see its gaps).
  await client.send(
    new ReplicateSecretToRegionsCommand({
      SecretId: secret.name,
      AddReplicaRegions: regions.replicas.map((Region) => ({ Region, KmsKeyId: keyArns.get(Region) })),
    }),
  );
}

/** Makes the inboxes of an environment, in its primary region. */
export async function loadInboxes(access: AwsAccess, { key, regions, secrets }: Blueprint): Promise<void> {
  const client = secretsManager(access, regions.primary);
  for (const secret of secrets) {
    if (secret.store !== "aws" || secret.inbox === undefined) continue;
    const { name, description, policy, tags } = secret.inbox;
    await client.send(
      new CreateSecretCommand({
        Name: name,
        Description: description,
        KmsKeyId: key.alias,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    await client.send(
      new PutResourcePolicyCommand({ SecretId: name, ResourcePolicy: json(policy), BlockPublicPolicy: true }),
    );
  }
}

/** Several environments may share an account and a cluster. */
async function ensureOidcProvider(access: AwsAccess, blueprint: Blueprint, issuer: string): Promise<void> {
  const client = iam(access, blueprint.regions.primary);
  // See the gap `web-identity-issuer-slash`.
  const place = issuer.replace("https://", "").replace(/\/$/, "");
  const arn = `arn:${blueprint.partition}:iam::${blueprint.account}:oidc-provider/${place}`;
  try {
    await client.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
  } catch {
    await client.send(
      new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: ["sts.amazonaws.com"] }),
    );
  }
}

/** See the gap `web-identity-issuer-slash`. */
const withoutIssuerSlash = (trust: string): string =>
  trust.replaceAll(/\/(:(?:aud|sub)")/g, "$1").replaceAll(/(:oidc-provider\/[^"]*)\/"/g, '$1"');

/** Makes a role with its policies. */
export async function loadRole(access: AwsAccess, blueprint: Blueprint, role: RolePlan): Promise<void> {
  const client = iam(access, blueprint.regions.primary);
  await client.send(
    new CreateRoleCommand({
      RoleName: role.name,
      Path: role.path,
      AssumeRolePolicyDocument: withoutIssuerSlash(json(role.trust)),
      ...(role.permissionsBoundary ? { PermissionsBoundary: role.permissionsBoundary } : {}),
      Tags: Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  for (const { name, document } of role.policies.inline) {
    await client.send(
      new PutRolePolicyCommand({ RoleName: role.name, PolicyName: name, PolicyDocument: json(document) }),
    );
  }
  for (const { name, document } of role.policies.managed) {
    const { Policy: policy } = await client.send(
      new CreatePolicyCommand({ PolicyName: name, Path: role.path, PolicyDocument: json(document) }),
    );
    await client.send(new AttachRolePolicyCommand({ RoleName: role.name, PolicyArn: policy?.Arn }));
  }
}
