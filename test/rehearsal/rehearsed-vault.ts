import {
  type Blueprint,
  blueprint,
  type MirrorLoginPlan,
  type VaultPlan,
  type VaultPolicy,
} from "../../lib/blueprint";
import { defineRegistry, type Registry, seconds } from "../../lib/model";
import {
  loadDatabaseServer,
  loadVaultServer,
  type RehearsedDatabase,
  rehearsedDeployer,
  type VaultCall,
} from "../../packages/rehearsal/src/load";
import {
  type ClusterIssuer,
  type OpenBao,
  type Postgres,
  type ServerGroup,
  startClusterIssuer,
  startOpenBao,
} from "../../packages/rehearsal/src/servers";
import { SigningKey } from "../../packages/rehearsal/src/servers/signing-key";
import { type Draft, draft, vaultDatabase } from "../model/sample";
import { callWith } from "./rehearsed-environment";

/** Period after which the static login of {@link vaultDraft} gets another password: the least that Vault takes. */
export const STATIC_PERIOD = seconds(5);

/** The sample with two users that Vault owns: `db/ro`, new for each lease, and `db/legacy`, one that cannot be made. */
export function vaultDraft(): Draft {
  const definition = draft();
  definition.secrets["db/ro"] = {
    ...vaultDatabase(),
    settings: {
      host: "db-ro.example.com",
      writerHost: "db.example.com",
      database: "app",
      role: "reporting",
      privileges: ["SELECT"],
    },
  };
  definition.secrets["db/legacy"] = {
    ...vaultDatabase(),
    rotateEvery: STATIC_PERIOD,
    settings: { host: "old.example.com", database: "app", role: "legacy", login: "static" },
  };
  for (const key of ["db/ro", "db/legacy"])
    definition.secrets[key].environments = { prod: { presence: "absent" } };
  return definition;
}

/** The Vault of the sample's environment `dev`, on a real OpenBao. */
export interface RehearsedVault {
  readonly blueprint: Blueprint;
  readonly plan: VaultPlan;
  readonly mirror: MirrorLoginPlan;
  readonly server: OpenBao;
  readonly issuer: ClusterIssuer;
  readonly awsIssuer: AwsIssuer;
  /** By connection: what its login was at first. */
  readonly databases: Readonly<Record<string, RehearsedDatabase>>;
  /** Logs in as a pod of a workload. */
  readonly asWorkload: (workload: string) => Promise<VaultCall>;
}

/** Stands the sample's Vault up, loaded by whoever `caller` makes of it and of the deployer's policy. */
export async function rehearseVault(
  group: ServerGroup,
  postgres: Postgres,
  caller: (server: OpenBao, deployer: VaultPolicy) => Promise<VaultCall> = async (server) =>
    callWith(server, server.rootToken),
): Promise<RehearsedVault> {
  const registry = defineRegistry(vaultDraft()) as Registry;
  const plan = blueprint(registry, "dev");
  const [vault] = plan.vaults;
  const [cluster] = plan.clusters;
  if (!vault?.mirror || !cluster) throw new Error("the sample has no Vault with a mirror");
  const server = await startOpenBao({ group });
  const issuer = await startClusterIssuer({ group, issuer: cluster.issuer });
  const { url: apiServer, jwksUrl, reviewerToken, caPem } = issuer;
  const awsIssuer = await AwsIssuer.create(vault.mirror.issuer);
  const databases = await loadDatabaseServer(postgres, plan, vault);
  const clusters = { [cluster.name]: { apiServer, jwksUrl, reviewerToken, caPem } };
  const surroundings = { databases, awsTokenKeys: [awsIssuer.publicKeyPem] };
  await loadVaultServer(
    await caller(server, rehearsedDeployer(vault, { apiServers: clusters, ...surroundings })),
    vault,
    clusters,
    surroundings,
  );
  const asWorkload = async (workload: string): Promise<VaultCall> => {
    const role = vault.roles.find((candidate) => candidate.workload === workload);
    if (!role) throw new Error(`no role of ${workload}`);
    const { namespace, serviceAccount, audience } = role;
    const jwt = issuer.token({ namespace, serviceAccount, audience });
    const { auth } = await server.call("POST", `auth/${role.mount}/login`, {
      token: null,
      body: { role: role.name, jwt },
    });
    return callWith(server, auth?.client_token ?? null);
  };
  return {
    blueprint: plan,
    plan: vault,
    mirror: vault.mirror,
    server,
    issuer,
    awsIssuer,
    databases,
    asWorkload,
  };
}

/** Claims that a token of AWS's may be given, by default those of the mirror's. */
export interface AwsTokenClaims {
  readonly subject: string;
  readonly audience: string;
  readonly issuer?: string;
  /** ARN of who asked for it. @default the subject's */
  readonly principal?: string;
  /** Function whose code asked for it. @default the one with the role's name */
  readonly functionArn?: string | undefined;
  /** @default 60 */
  readonly lifeSeconds?: number;
}

/**
 * Signs as AWS does for `sts:GetWebIdentityToken`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
 */
export class AwsIssuer {
  private constructor(
    readonly issuer: string,
    private readonly key: SigningKey,
  ) {}

  static async create(issuer: string, algorithm: "ES384" | "RS256" = "ES384"): Promise<AwsIssuer> {
    return new AwsIssuer(issuer, await SigningKey.generate(algorithm));
  }

  get publicKeyPem(): string {
    return this.key.publicKeyPem();
  }

  token(claims: AwsTokenClaims): string {
    const { subject, audience, issuer = this.issuer, principal = subject, lifeSeconds = 60 } = claims;
    const [, , , , account] = subject.split(":");
    const own = `arn:aws:lambda:eu-central-1:${account}:function:${subject.slice(subject.lastIndexOf("/") + 1)}`;
    const functionArn = "functionArn" in claims ? claims.functionArn : own;
    const now = Math.floor(Date.now() / 1_000);
    return this.key.sign({
      iss: issuer,
      sub: subject,
      aud: audience,
      iat: Math.min(now, now + lifeSeconds - 1),
      exp: now + lifeSeconds,
      "https://sts.amazonaws.com/": {
        aws_account: account,
        principal_id: principal,
        ...(functionArn === undefined ? {} : { lambda_source_function_arn: functionArn }),
      },
    });
  }
}
