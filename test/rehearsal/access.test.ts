import {
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  DeleteResourcePolicyCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutResourcePolicyCommand,
  PutSecretValueCommand,
} from "@aws-sdk/client-secrets-manager";
import { type Blueprint, blueprint, type SecretPlan, type WorkloadPlan } from "../../lib/blueprint";
import { defineRegistry, type Registry } from "../../lib/model";
import { vaultAudience } from "../../lib/model/names";
import {
  ACTION_OF,
  isExpected,
  OPERATIONS,
  type Operation,
  probeSecret,
  probeVault,
} from "../../packages/rehearsal/src/access";
import { evaluateAccess } from "../../packages/rehearsal/src/evaluator";
import { type AwsAccess, secretsManager, takeWorkloadRole } from "../../packages/rehearsal/src/load";
import {
  type EmbeddedAws,
  type Postgres,
  ServerGroup,
  startEmbeddedAws,
  startPostgres,
} from "../../packages/rehearsal/src/servers";
import { registry } from "../../registry";
import { draft } from "../model/sample";
import { callWith, isRefusal, type RehearsedEnvironment, rehearse } from "./rehearsed-environment";

const STS = "sts.amazonaws.com";
const counts = { enforced: 0, evaluated: 0 };

let group: ServerGroup;
let aws: EmbeddedAws;
let postgres: Postgres;
const environments = new Map<string, RehearsedEnvironment>();

beforeAll(async () => {
  group = ServerGroup.open();
  aws = await startEmbeddedAws({ group });
  postgres = await startPostgres({ group });
  for (const name of registry.environmentNames)
    environments.set(name, await rehearse(registry, name, group, aws, postgres));
}, 180_000);

afterAll(async () => {
  await group?.stop();
  process.stdout.write(`access cells: ${counts.enforced} enforced, ${counts.evaluated} evaluated\n`);
}, 60_000);

function environmentOf(name: string): RehearsedEnvironment {
  const found = environments.get(name);
  if (!found) throw new Error(`${name} is not rehearsed`);
  return found;
}

function workloadOf(plan: Blueprint, name: string): WorkloadPlan {
  const found = plan.workloads.find((workload) => workload.name === name);
  if (!found) throw new Error(`no workload ${name}`);
  return found;
}

function awsSecret(plan: Blueprint, key: string) {
  const found = plan.secrets.find((secret) => secret.key === key);
  if (found?.store !== "aws") throw new Error(`no secret ${key} in Secrets Manager`);
  return found;
}

/** The first of an environment's clusters, with its issuer. */
function firstCluster({ plan, issuers }: RehearsedEnvironment) {
  const [cluster] = plan.clusters;
  const issuer = cluster && issuers.get(cluster.name);
  if (!cluster || !issuer) throw new Error("no cluster");
  return { cluster, issuer };
}

async function asWorkload(environment: RehearsedEnvironment, workload: WorkloadPlan): Promise<AwsAccess> {
  const { issuer } = firstCluster(environment);
  // The embedded AWS takes an audience as text only (its gap `web-identity-audience-list`); AWS takes
  // Kubernetes' list.
  const token = issuer.token({ ...workload, audience: STS, audienceForm: "text" });
  return {
    endpoint: aws.endpoint,
    credentials: await takeWorkloadRole(
      aws.endpoint,
      environment.plan.regions.primary,
      workload.role.arn,
      token,
    ),
  };
}

/** Cells of a workload in AWS that differ from the registry, tried in every region. */
async function awsMismatches(environment: RehearsedEnvironment, workload: WorkloadPlan): Promise<string[]> {
  const { plan, values } = environment;
  const access = await asWorkload(environment, workload);
  const mismatches: string[] = [];
  for (const region of plan.regions.all) {
    const client = secretsManager(access, region);
    for (const secret of plan.secrets) {
      if (secret.store !== "aws") continue;
      for (const operation of OPERATIONS) {
        const cell = `${plan.environment} ${region} ${workload.name} ${operation} ${secret.key}`;
        const wanted = isExpected(workload.name, secret, "aws", operation);
        const outcome = await probeSecret(client, operation, secret.name);
        counts.enforced += 1;
        if (outcome.allowed !== wanted)
          mismatches.push(`${cell}: ${outcome.allowed ? "allowed" : "refused"}`);
        if (evaluated(workload, secret, operation, region) !== outcome.allowed) {
          mismatches.push(`${cell}: the evaluator says otherwise`);
        }
        const value = {
          read: values.get(secret.key)?.current,
          readPrevious: values.get(secret.key)?.previous,
        };
        if (
          outcome.value !== undefined &&
          outcome.value !== JSON.stringify(value[operation as keyof typeof value])
        ) {
          mismatches.push(`${cell}: another value`);
        }
      }
    }
  }
  return mismatches;
}

/** Our own evaluator's answer for a cell that the server enforces: the two must agree. */
function evaluated(
  workload: WorkloadPlan,
  secret: SecretPlan,
  operation: Operation,
  region: string,
): boolean {
  if (secret.store !== "aws") return false;
  return evaluateAccess(
    {
      action: ACTION_OF[operation],
      resource: secret.arnPattern.replace(":*:", `:${region}:`).replace("??????", "AbCdEf"),
      principal: workload.role.arn,
      context: { "aws:RequestedRegion": region },
    },
    {
      identity: [...workload.role.policies.inline, ...workload.role.policies.managed].map(
        ({ document }) => document,
      ),
      resource: secret.policy,
    },
  ).allowed;
}

/** Requests to a secret with a tested and an untested version; `true` where a consumer gets the value. */
const REQUESTS = [
  [{}, true],
  [{ VersionStage: "AWSCURRENT" }, true],
  [{ VersionStage: "AWSPREVIOUS" }, true],
  [{ VersionStage: "AWSCURRENT", VersionId: "current" }, true],
  [{ VersionStage: "AWSPENDING" }, false],
  [{ VersionStage: "AWSPENDING", VersionId: "pending" }, false],
  [{ VersionId: "pending" }, false],
  [{ VersionStage: "SOMETHING" }, false],
] as const;

type StageRequest = { readonly VersionStage?: string; readonly VersionId?: "current" | "pending" };

/** The labels that the keys have by each meaning that AWS documents: of the request, or of the version that it gets. */
function stageContexts({ VersionStage, VersionId }: StageRequest) {
  const id = VersionId === undefined ? {} : { "secretsmanager:VersionId": VersionId };
  const isPending = VersionId === "pending" || VersionStage === "AWSPENDING";
  const served = VersionStage === "AWSPREVIOUS" ? ["AWSPREVIOUS"] : ["AWSCURRENT", "VERIFIED"];
  const other = VersionStage === "SOMETHING" ? ["SOMETHING"] : served;
  const ofVersion = isPending ? ["AWSPENDING"] : other;
  return {
    ofRequest: {
      ...id,
      ...(VersionStage === undefined ? {} : { "secretsmanager:VersionStage": VersionStage }),
    },
    ofVersion: { ...id, "secretsmanager:VersionStage": ofVersion },
    // The key of the version says what is read, whether or not the request names it.
    ofVersionWithId: { "secretsmanager:VersionId": "any", "secretsmanager:VersionStage": ofVersion },
  };
}

/** Logs a workload in to the Vault of each of its clusters. */
async function vaultTokens(environment: RehearsedEnvironment, workload: WorkloadPlan) {
  const { plan, issuers, vaults } = environment;
  return Promise.all(
    plan.clusters.map(async (cluster) => {
      const vault = vaults.get(cluster.vault ?? "");
      const issuer = issuers.get(cluster.name);
      const role = plan.vaults
        .flatMap(({ roles }) => roles)
        .find((candidate) => candidate.cluster === cluster.name && candidate.workload === workload.name);
      if (!vault || !issuer || !role) return { vault, token: undefined };
      const jwt = issuer.token({ ...workload, audience: role.audience });
      const { auth } = await vault.call("POST", `auth/${role.mount}/login`, {
        token: null,
        body: { role: role.name, jwt },
      });
      return { vault, token: auth?.client_token };
    }),
  );
}

/** The policies' decision on a read with more in its context, in the primary region. */
const reads = (
  { role }: Pick<WorkloadPlan, "role">,
  secret: SecretPlan,
  { regions }: Blueprint,
  context: Readonly<Record<string, string | readonly string[]>>,
): boolean =>
  secret.store === "aws" &&
  evaluateAccess(
    {
      action: "secretsmanager:GetSecretValue",
      resource: secret.arnPattern.replace(":*:", `:${regions.primary}:`).replace("??????", "AbCdEf"),
      principal: role.arn,
      context: { "aws:RequestedRegion": regions.primary, ...context },
    },
    {
      identity: [...role.policies.inline, ...role.policies.managed].map(({ document }) => document),
      resource: secret.policy,
    },
  ).allowed;

/** Cells of a workload in the Vaults that differ from the registry. */
async function vaultMismatches(environment: RehearsedEnvironment, workload: WorkloadPlan): Promise<string[]> {
  const { plan } = environment;
  const mismatches: string[] = [];
  for (const { vault, token } of await vaultTokens(environment, workload)) {
    if (!vault) throw new Error("no Vault");
    for (const secret of plan.secrets) {
      for (const operation of OPERATIONS) {
        // A workload without secrets has no Vault role, so it has no token to try with.
        const outcome =
          token === undefined
            ? { allowed: false }
            : await probeVault(callWith(vault, token), operation, secret, isRefusal);
        counts.enforced += 1;
        if (outcome.allowed !== isExpected(workload.name, secret, "vault", operation)) {
          mismatches.push(
            `${plan.environment} ${workload.name} ${operation} ${secret.vaultPath}: ${outcome.allowed ? "allowed" : "refused"}`,
          );
        }
      }
    }
  }
  return mismatches;
}

describe.each(registry.environmentNames)("%s", (name) => {
  test.each(blueprint(registry, name).workloads.map((workload) => workload.name))(
    "%s reads exactly what the registry says, in AWS and in Vault",
    async (workloadName) => {
      const environment = environmentOf(name);
      const workload = workloadOf(environment.plan, workloadName);
      expect(await awsMismatches(environment, workload)).toEqual([]);
      expect(await vaultMismatches(environment, workload)).toEqual([]);
    },
    120_000,
  );

  test("a consumer reads what is served, and nothing that nobody has tested, by label or by id", async () => {
    const environment = environmentOf(name);
    const { plan } = environment;
    const root = secretsManager(
      { endpoint: aws.endpoint, credentials: aws.rootCredentials(plan.account) },
      plan.regions.primary,
    );
    for (const secret of plan.secrets) {
      const [consumer] = secret.consumers;
      if (secret.store !== "aws" || consumer === undefined) continue;
      const workload = workloadOf(plan, consumer);
      const SecretId = secret.name;
      const { VersionId: pending } = await root.send(
        new PutSecretValueCommand({ SecretId, SecretString: "untested", VersionStages: ["AWSPENDING"] }),
      );
      const { VersionIdsToStages: labels = {} } = await root.send(new DescribeSecretCommand({ SecretId }));
      const current = Object.keys(labels).find((id) => labels[id]?.includes("AWSCURRENT"));
      const client = secretsManager(await asWorkload(environment, workload), plan.regions.primary);
      for (const [request, wanted] of REQUESTS) {
        const { VersionId, ...stage } = request as StageRequest;
        const id = VersionId === undefined ? {} : { VersionId: VersionId === "pending" ? pending : current };
        const outcome = await client.send(new GetSecretValueCommand({ SecretId, ...stage, ...id })).then(
          ({ SecretString }) => SecretString !== "untested",
          (error: Error) => {
            if (error.name !== "AccessDeniedException") throw error;
            return false;
          },
        );
        counts.enforced += 1;
        expect([secret.key, request, outcome]).toEqual([secret.key, request, wanted]);
        for (const [meaning, context] of Object.entries(stageContexts(request))) {
          counts.evaluated += 1;
          expect([secret.key, request, meaning, reads(workload, secret, plan, context)]).toEqual([
            secret.key,
            request,
            meaning,
            wanted,
          ]);
        }
      }
      // Those who make and test it must.
      const rotator = plan.functions.find((entry) => entry.name === secret.rotatedBy);
      if (!rotator) throw new Error(`nothing rotates ${secret.key}`);
      for (const context of Object.values(stageContexts({ VersionStage: "AWSPENDING" }))) {
        counts.evaluated += 1;
        expect(reads(rotator, secret, plan, { ...context, "lambda:SourceFunctionArn": rotator.arn })).toBe(
          true,
        );
      }
    }
  }, 120_000);

  test("the deployer, with all rights of its own, reads and writes no value", async () => {
    const { plan, deployer } = environmentOf(name);
    for (const region of plan.regions.all) {
      const client = secretsManager({ endpoint: aws.endpoint, credentials: deployer }, region);
      for (const secret of plan.secrets) {
        if (secret.store !== "aws") continue;
        for (const operation of ["read", "readPrevious", "put"] as const) {
          counts.enforced += 1;
          expect({
            region,
            secret: secret.key,
            operation,
            ...(await probeSecret(client, operation, secret.name)),
          }).toMatchObject({ allowed: false });
        }
        counts.enforced += 1;
        expect(await probeSecret(client, "describe", secret.name)).toMatchObject({ allowed: true });
      }
    }
  }, 60_000);

  test("the deployer's Vault policy changes the environment's part and reads no value", async () => {
    const { plan, vaults } = environmentOf(name);
    for (const vaultPlan of plan.vaults) {
      const vault = vaults.get(vaultPlan.name);
      if (!vault) throw new Error("no Vault");
      const { auth } = await vault.call("POST", "auth/token/create", {
        body: { policies: [vaultPlan.deployer.name], no_default_policy: true },
      });
      const call = callWith(vault, auth?.client_token ?? null);
      for (const policy of vaultPlan.policies)
        await call("PUT", `sys/policies/acl/${policy.name}`, { policy: policy.text });
      await call("POST", `${vaultPlan.kv.mount}/config`, { max_versions: 2, cas_required: true });
      for (const secret of plan.secrets) {
        // The roles of the database engine are the deployer's to write; the users that it makes are not.
        for (const operation of secret.store === "aws" ? OPERATIONS : (["read", "list"] as const)) {
          counts.enforced += 1;
          expect({
            path: secret.vaultPath,
            operation,
            ...(await probeVault(call, operation, secret, isRefusal)),
          }).toMatchObject({ allowed: false });
        }
      }
      for (const foreign of ["evil", `${vaultPlan.deployer.name}-more`]) {
        await expect(call("PUT", `sys/policies/acl/${foreign}`, { policy: "" })).rejects.toMatchObject({
          status: 403,
        });
      }
    }
  }, 60_000);

  test("a role is taken by its own ServiceAccount only, with the right audience and issuer", async () => {
    const environment = environmentOf(name);
    const { issuer } = firstCluster(environment);
    const { plan } = environment;
    for (const workload of plan.workloads) {
      const take = (token: string) =>
        takeWorkloadRole(aws.endpoint, plan.regions.primary, workload.role.arn, token);
      const right = {
        namespace: workload.namespace,
        serviceAccount: workload.serviceAccount,
        audience: STS,
        audienceForm: "text" as const,
      };
      await expect(take(issuer.token(right))).resolves.toHaveProperty("sessionToken");
      const wrong = [
        { ...right, serviceAccount: "intruder" },
        { ...right, namespace: "intruder" },
        { ...right, audience: vaultAudience(name) },
        { ...right, subject: `system:serviceaccount:${workload.namespace}:${workload.serviceAccount}x` },
      ];
      for (const token of wrong) {
        counts.enforced += 1;
        await expect(take(issuer.token(token))).rejects.toMatchObject({
          name: expect.stringMatching(/AccessDenied|InvalidIdentityToken/),
        });
      }
    }
    // The issuer of another environment is unknown in this account.
    const stranger = [...environments.values()].find(({ plan: other }) => other.environment !== name);
    const [workload] = plan.workloads;
    if (!stranger || !workload) throw new Error("nothing to compare with");
    const token = firstCluster(stranger).issuer.token({ ...workload, audience: STS, audienceForm: "text" });
    await expect(
      takeWorkloadRole(aws.endpoint, plan.regions.primary, workload.role.arn, token),
    ).rejects.toThrow();
  }, 60_000);

  test("a Vault role is taken by its own ServiceAccount only, with the right audience, in the right cluster", async () => {
    const { plan, vaults, issuers } = environmentOf(name);
    for (const vaultPlan of plan.vaults) {
      for (const role of vaultPlan.roles) {
        const vault = vaults.get(vaultPlan.name);
        const issuer = issuers.get(role.cluster);
        if (!vault || !issuer) throw new Error("no Vault or issuer");
        const login = (jwt: string) =>
          vault.call("POST", `auth/${role.mount}/login`, { token: null, body: { role: role.name, jwt } });
        const right = {
          namespace: role.namespace,
          serviceAccount: role.serviceAccount,
          audience: role.audience,
        };
        const { auth } = await login(issuer.token(right));
        expect(auth?.token_policies).toEqual(role.policies);
        const elsewhere = [...environments.values()]
          .flatMap((other) => [...other.issuers.values()])
          .find((other) => other !== issuer);
        const wrong = [
          issuer.token({ ...right, serviceAccount: "intruder" }),
          issuer.token({ ...right, namespace: "intruder" }),
          issuer.token({ ...right, audience: "https://kubernetes.default.svc" }),
          issuer.token({ ...right, audience: STS }),
          issuer.token({ ...right, ttlSeconds: -60 }),
          elsewhere?.token(right) ?? "",
        ];
        for (const jwt of wrong) {
          counts.enforced += 1;
          await expect(login(jwt)).rejects.toThrow(/403|400|permission denied|invalid/i);
        }
      }
    }
  }, 60_000);

  test("the key decrypts for readers, through Secrets Manager, in its region and for its environment only", () => {
    const { plan } = environmentOf(name);
    for (const workload of plan.workloads) {
      const reads = plan.secrets.some(
        (secret) => secret.store === "aws" && secret.consumers.includes(workload.name),
      );
      for (const region of plan.regions.all) {
        const secretArn = `arn:aws:secretsmanager:${region}:${plan.account}:secret:`;
        const decrypt = (context: Record<string, string>) => {
          counts.evaluated += 1;
          return evaluateAccess(
            {
              action: "kms:Decrypt",
              resource: `arn:aws:kms:${region}:${plan.account}:key/mrk-1`,
              principal: workload.role.arn,
              context: { "kms:CallerAccount": plan.account, ...context },
            },
            {
              identity: [...workload.role.policies.inline, ...workload.role.policies.managed].map(
                ({ document }) => document,
              ),
              resource: plan.key.policies[region] ?? { Version: "2012-10-17", Statement: [] },
              resourceMustAllow: true,
            },
          ).allowed;
        };
        const via = { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` };
        const own = {
          "kms:EncryptionContext:SecretARN": `${secretArn}${plan.environment}/db/app-primary-AbCdEf`,
        };
        expect(decrypt({ ...via, ...own })).toBe(reads);
        expect(decrypt(own)).toBe(false);
        expect(decrypt(via)).toBe(false);
        expect(decrypt({ ...own, "kms:ViaService": `s3.${region}.amazonaws.com` })).toBe(false);
        expect(
          decrypt({ ...via, "kms:EncryptionContext:SecretARN": `${secretArn}other/db/app-primary-AbCdEf` }),
        ).toBe(false);
      }
    }
  });
});

describe("where pods log in to Vault by jwt", () => {
  let environment: RehearsedEnvironment;

  beforeAll(async () => {
    const definition = draft();
    definition.environments.prod.vaultAuth = "jwt";
    environment = await rehearse(defineRegistry(definition) as Registry, "prod", group, aws);
  }, 60_000);

  test("every workload reads exactly what the registry says", async () => {
    for (const workload of environment.plan.workloads) {
      expect(await vaultMismatches(environment, workload)).toEqual([]);
    }
  }, 60_000);

  test("a role is taken by its own ServiceAccount only, with the right audience and issuer", async () => {
    const { plan, vaults } = environment;
    const { issuer, cluster } = firstCluster(environment);
    const vault = vaults.get(cluster.vault ?? "");
    for (const role of plan.vaults.flatMap(({ roles }) => roles)) {
      const login = (jwt: string) =>
        vault?.call("POST", `auth/${role.mount}/login`, { token: null, body: { role: role.name, jwt } });
      const right = {
        namespace: role.namespace,
        serviceAccount: role.serviceAccount,
        audience: role.audience,
      };
      await expect(login(issuer.token(right))).resolves.toHaveProperty("auth.client_token");
      const wrong = [
        issuer.token({ ...right, serviceAccount: "intruder" }),
        issuer.token({ ...right, namespace: "intruder" }),
        issuer.token({ ...right, audience: STS }),
        issuer.token({ ...right, ttlSeconds: -600 }),
        firstCluster(environmentOf("dev")).issuer.token(right),
      ];
      for (const jwt of wrong) {
        counts.enforced += 1;
        await expect(login(jwt)).rejects.toMatchObject({ status: expect.any(Number) });
      }
    }
  }, 60_000);
});

describe("a policy that is broken on purpose is noticed", () => {
  const iam = ({ plan, deployer }: RehearsedEnvironment): IAMClient =>
    new IAMClient({ endpoint: aws.endpoint, region: plan.regions.primary, credentials: { ...deployer } });

  test("a role that lost its read policy", async () => {
    const environment = environmentOf("dev");
    const workload = workloadOf(environment.plan, "celery-email");
    const [policy] = workload.role.policies.inline;
    if (!policy) throw new Error("no policy");
    const named = { RoleName: workload.role.name, PolicyName: policy.name };
    await iam(environment).send(new DeleteRolePolicyCommand(named));
    const broken = await awsMismatches(environment, workload);
    await iam(environment).send(
      new PutRolePolicyCommand({ ...named, PolicyDocument: JSON.stringify(policy.document) }),
    );
    expect(broken).toContain("dev eu-central-1 celery-email read smtp/sendgrid: refused");
    expect(await awsMismatches(environment, workload)).toEqual([]);
  }, 60_000);

  test("a role that got a right, and a secret that lost its deny", async () => {
    const environment = environmentOf("dev");
    const workload = workloadOf(environment.plan, "celery-email");
    const secret = awsSecret(environment.plan, "payments/stripe");
    const named = { RoleName: workload.role.name, PolicyName: "too-much" };
    await iam(environment).send(
      new PutRolePolicyCommand({
        ...named,
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "secretsmanager:GetSecretValue", Resource: "*" }],
        }),
      }),
    );
    // The secret's own policy still denies: two locks.
    const client = secretsManager(await asWorkload(environment, workload), "eu-central-1");
    expect(await probeSecret(client, "read", secret.name)).toEqual({ allowed: false });

    const deployer = secretsManager(
      { endpoint: aws.endpoint, credentials: environment.deployer },
      "eu-central-1",
    );
    await deployer.send(new DeleteResourcePolicyCommand({ SecretId: secret.name }));
    const broken = await awsMismatches(environment, workload);
    await deployer.send(
      new PutResourcePolicyCommand({ SecretId: secret.name, ResourcePolicy: JSON.stringify(secret.policy) }),
    );
    await iam(environment).send(new DeleteRolePolicyCommand(named));
    expect(broken).toContain("dev eu-central-1 celery-email read payments/stripe: allowed");
    expect(await awsMismatches(environment, workload)).toEqual([]);
  }, 60_000);

  test("a trust policy without the subject", async () => {
    const environment = environmentOf("dev");
    const workload = workloadOf(environment.plan, "backend-payments");
    const { issuer } = firstCluster(environment);
    const stranger = issuer.token({
      namespace: "backend",
      serviceAccount: "intruder",
      audience: STS,
      audienceForm: "text",
    });
    const take = () => takeWorkloadRole(aws.endpoint, "eu-central-1", workload.role.arn, stranger);
    await expect(take()).rejects.toThrow();
    const open = JSON.parse(JSON.stringify(workload.role.trust));
    for (const statement of open.Statement) {
      for (const key of Object.keys(statement.Condition.StringEquals))
        if (key.endsWith(":sub")) delete statement.Condition.StringEquals[key];
    }
    const update = (document: object) =>
      iam(environment).send(
        new UpdateAssumeRolePolicyCommand({
          RoleName: workload.role.name,
          PolicyDocument: JSON.stringify(document),
        }),
      );
    await update(open);
    await expect(take()).resolves.toHaveProperty("sessionToken");
    await update(workload.role.trust);
    await expect(take()).rejects.toThrow();
  }, 60_000);

  test("a Vault policy with one path too many", async () => {
    const environment = environmentOf("dev");
    const workload = workloadOf(environment.plan, "celery-email");
    const [vault] = environment.vaults.values();
    const policy = workload.vault?.policy;
    if (!vault || !policy) throw new Error("no Vault or policy");
    const write = (text: string) =>
      vault.call("PUT", `sys/policies/acl/${policy.name}`, { body: { policy: text } });
    await write(`${policy.text}\npath "kv-dev/data/payments/*" { capabilities = ["read"] }`);
    const broken = await vaultMismatches(environment, workload);
    await write(policy.text);
    expect(broken).toContain("dev celery-email read kv-dev/data/payments/stripe: allowed");
    expect(await vaultMismatches(environment, workload)).toEqual([]);
  }, 60_000);

  test("a Vault role without the audience", async () => {
    const { plan, vaults, issuers } = environmentOf("dev");
    const [vault] = vaults.values();
    const [role] = plan.vaults.flatMap(({ roles }) => roles);
    const issuer = role && issuers.get(role.cluster);
    if (!vault || !role || !issuer) throw new Error("no Vault or role");
    const jwt = issuer.token({ namespace: role.namespace, serviceAccount: role.serviceAccount });
    const login = () =>
      vault.call("POST", `auth/${role.mount}/login`, { token: null, body: { role: role.name, jwt } });
    await expect(login()).rejects.toMatchObject({ status: 403 });
    const bound = {
      bound_service_account_names: [role.serviceAccount],
      bound_service_account_namespaces: [role.namespace],
      token_policies: role.policies,
    };
    await vault.call("POST", `auth/${role.mount}/role/${role.name}`, { body: { ...bound, audience: "" } });
    await expect(login()).resolves.toHaveProperty("auth");
    await vault.call("POST", `auth/${role.mount}/role/${role.name}`, {
      body: { ...bound, audience: role.audience },
    });
    await expect(login()).rejects.toMatchObject({ status: 403 });
  }, 60_000);
});
