import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudBackend, NamedCloudWorkspace, Testing } from "cdktf";
import { parse } from "yaml";
import { blueprint } from "../../lib/blueprint";
import { days, defineRegistry, type Registry } from "../../lib/model";
import { registry } from "../../registry";
import { clusterCa } from "../../registry/certificates";
import { SecretsStack } from "../../stacks";
import { reordered } from "../blueprint/random-registry";
import { type Draft, draft, genericPassword, vaultDatabase } from "../model/sample";
import { synthesize, type TerraformJson } from "./synthesized";

const own = registry as unknown as Registry;
const registryOf = (definition: Draft): Registry => defineRegistry(definition) as Registry;
const terraformOf = (definition: Draft, environment = "prod"): TerraformJson =>
  synthesize({ registry: registryOf(definition), environment }, (terraform) => terraform);

/** All attribute names at any depth. */
function attributeNames(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(attributeNames);
  return Array.isArray(value) ? inner : [...Object.keys(value), ...inner];
}

describe.each(registry.environmentNames)("the stack of %s", (environment) => {
  const plan = blueprint(registry, environment);
  const terraform = synthesize({ registry: own, environment }, (json) => json);
  const resources = terraform.resource;

  test("has every secret of Secrets Manager, with a replica and a key in every replica region", () => {
    const planned = plan.secrets.flatMap((secret) => (secret.store === "aws" ? [secret] : []));
    expect(Object.keys(resources.aws_secretsmanager_secret).sort()).toEqual(
      planned
        .flatMap(({ word, inbox }) => [word, ...(inbox ? [inbox.word] : [])])
        .map((word) => `secrets_${word}`)
        .sort(),
    );
    for (const secret of planned) {
      const made = resources.aws_secretsmanager_secret[`secrets_${secret.word}`];
      expect(made).toMatchObject({
        name: `${environment}/${secret.key}`,
        kms_key_id: `\${aws_kms_key.secrets_${plan.regions.primary}.arn}`,
        region: plan.regions.primary,
        recovery_window_in_days: environment === "dev" ? 0 : 30,
        force_overwrite_replica_secret: false,
        tags: {
          owner: secret.owner,
          kind: secret.kind,
          environment,
          "data-classification": secret.classification,
        },
        lifecycle: { prevent_destroy: environment === "prod" },
      });
      expect(made.replica).toEqual(
        plan.regions.replicas.map((region) => ({
          region,
          kms_key_id: `\${aws_kms_replica_key.secrets_${region}.arn}`,
        })),
      );
      const policy = resources.aws_secretsmanager_secret_policy[`secrets_${secret.word}`];
      expect(JSON.parse(policy.policy)).toEqual(secret.policy);
      expect(policy).toMatchObject({
        block_public_policy: true,
        secret_arn: `\${aws_secretsmanager_secret.secrets_${secret.word}.arn}`,
      });
    }
  });

  test("has an inbox for each secret whose values people supply, in the primary region alone", () => {
    const inboxes = plan.secrets.flatMap((secret) =>
      secret.store === "aws" && secret.inbox ? [{ key: secret.key, ...secret.inbox }] : [],
    );
    expect(inboxes).not.toEqual([]);
    for (const inbox of inboxes) {
      const made = resources.aws_secretsmanager_secret[`secrets_${inbox.word}`];
      expect(made).toMatchObject({
        name: `${environment}/_inbox/${inbox.key}`,
        kms_key_id: `\${aws_kms_key.secrets_${plan.regions.primary}.arn}`,
        region: plan.regions.primary,
        recovery_window_in_days: 0,
      });
      expect(made.replica).toBeUndefined();
      const policy = resources.aws_secretsmanager_secret_policy[`secrets_${inbox.word}`];
      expect(policy).toMatchObject({
        block_public_policy: true,
        secret_arn: `\${aws_secretsmanager_secret.secrets_${inbox.word}.arn}`,
      });
      expect(JSON.parse(policy.policy)).toEqual(inbox.policy);
    }
  });

  test("has no value, no version of a secret and no remote state", () => {
    const types = Object.keys(resources);
    expect(
      types.filter((type) => /secret_version|kv_secret$|kv_secret_v2|generic_secret/.test(type)),
    ).toEqual([]);
    expect(terraform.data).toBeUndefined();
    expect(terraform.output).toBeUndefined();
    const carriers =
      /^(secret_(string|binary).*|password.*|token|token_reviewer_jwt|data_json.*|access_key|secret_key|client_secret)$/;
    const harmless = ["password_wo", "password_wo_version", "password_authentication"];
    const { provider, ...rest } = terraform;
    expect(attributeNames(rest).filter((name) => carriers.test(name) && !harmless.includes(name))).toEqual(
      [],
    );
    expect(attributeNames({ ...provider, vault: [] }).filter((name) => carriers.test(name))).toEqual([]);
  });

  test("takes each Vault's token from an ephemeral variable of its own, which may be left out", () => {
    expect(terraform.provider.vault.map(({ alias, token }: TerraformJson) => [alias, token])).toEqual(
      plan.vaults.map(({ name }) => [name, `\${var.vault_token__${name.replaceAll("-", "_")}}`]),
    );
    for (const { tokenVariable } of plan.vaults) {
      expect(terraform.variable[tokenVariable]).toMatchObject({
        ephemeral: true,
        sensitive: true,
        default: null,
      });
    }
  });

  /** Terraform refuses to take away what only Vault holds. */
  const held = environment === "prod" ? { lifecycle: { prevent_destroy: true } } : {};

  test("takes the first password of each Vault's own connection from an ephemeral variable, and makes its role", () => {
    const variables: string[] = [];
    for (const vault of plan.vaults) {
      for (const { mount, connections, roles } of vault.databases) {
        const word = (name: string) => `secrets_${vault.name}--${name}`;
        expect(resources.vault_mount[word(mount)]).toMatchObject({ path: mount, type: "database", ...held });
        for (const connection of connections) {
          variables.push(connection.passwordVariable);
          expect(resources.vault_database_secret_backend_connection[word(connection.name)]).toMatchObject({
            ...held,
            backend: mount,
            name: "db--reporting-ro",
            allowed_roles: ["db--reporting-ro"],
            plugin_name: "postgresql-database-plugin",
            depends_on: expect.arrayContaining([`vault_mount.${word(mount)}`]),
            provider: `vault.${vault.name}`,
            postgresql: {
              connection_url: `postgresql://{{username}}:{{password}}@db.${environment}.example.com:5432/app?sslmode=verify-full`,
              username: `reporting_vault_${vault.name.replaceAll("-", "_")}`,
              password_wo: `\${var.${connection.passwordVariable}}`,
              password_wo_version: 1,
              password_authentication: "scram-sha-256",
            },
          });
          expect(terraform.variable[connection.passwordVariable]).toMatchObject({
            type: "string",
            ephemeral: true,
            sensitive: true,
            default: null,
          });
        }
        for (const role of roles) {
          if (role.login !== "dynamic") throw new Error("the registry has no static login");
          expect(resources.vault_database_secret_backend_role[word(role.name)]).toMatchObject({
            backend: mount,
            db_name: "db--reporting-ro",
            creation_statements: role.creationStatements,
            revocation_statements: role.revocationStatements,
            renew_statements: role.renewStatements,
            default_ttl: 12 * 3_600,
            max_ttl: 7 * 86_400,
            depends_on: expect.arrayContaining([
              `vault_database_secret_backend_connection.${word(role.connection)}`,
            ]),
          });
        }
      }
    }
    // One for each Vault; dev does not opt in.
    const passwords = Object.keys(terraform.variable).filter((name) => !name.startsWith("vault_token__"));
    expect(passwords.sort()).toEqual(variables.sort());
    expect(variables).toHaveLength(environment === "dev" ? 0 : plan.vaults.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  test("lets the mirror log in to every Vault by AWS's token for its role, and by nothing else", () => {
    for (const vault of plan.vaults) {
      const name = `acme-${environment}--mirror`;
      const word = `secrets_${vault.name}--${name}`;
      const issuer = expect.stringMatching(
        /^https:\/\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tokens\.sts\.global\.api\.aws$/,
      );
      expect(resources.vault_jwt_auth_backend[word]).toMatchObject({
        path: `aws-${environment}`,
        type: "jwt",
        bound_issuer: issuer,
        oidc_discovery_url: issuer,
        jwt_supported_algs: ["ES384"],
      });
      expect(resources.vault_jwt_auth_backend_role[word]).toMatchObject({
        backend: `aws-${environment}`,
        role_name: name,
        role_type: "jwt",
        user_claim: "sub",
        bound_audiences: [`vault-mirror-${environment}.${vault.name}`],
        bound_subject: `arn:aws:iam::${plan.account}:role/acme/${environment}/${name}`,
        bound_claims: {
          "/https:~1~1sts.amazonaws.com~1/lambda_source_function_arn": `arn:aws:lambda:${plan.regions.primary}:${plan.account}:function:${name}`,
          "/https:~1~1sts.amazonaws.com~1/principal_id": `arn:aws:iam::${plan.account}:role/acme/${environment}/${name}`,
        },
        token_policies: [name],
        token_no_default_policy: true,
        token_ttl: 900,
        token_max_ttl: 900,
      });
      expect(resources.vault_policy[word]).toMatchObject({ name, policy: vault.mirror?.policy.text });
    }
  });

  test("has one multi-region key that turns by itself, and an alias in every region", () => {
    expect(resources.aws_kms_key[`secrets_${plan.regions.primary}`]).toMatchObject({
      multi_region: true,
      enable_key_rotation: true,
      region: plan.regions.primary,
    });
    expect(Object.keys(resources.aws_kms_replica_key)).toEqual(
      plan.regions.replicas.map((region) => `secrets_${region}`),
    );
    for (const region of plan.regions.all) {
      const key = region === plan.regions.primary ? resources.aws_kms_key : resources.aws_kms_replica_key;
      expect(JSON.parse(key[`secrets_${region}`].policy)).toEqual(plan.key.policies[region]);
      expect(resources.aws_kms_alias[`secrets_${region}`]).toMatchObject({
        region,
        name: `alias/acme-${environment}-secrets`,
      });
    }
  });

  test("has one role for each workload, whose policies are exclusive", () => {
    for (const { name, role } of plan.workloads) {
      const made = resources.aws_iam_role[`secrets_${name}`];
      expect(made).toMatchObject({ name: role.name, path: role.path, max_session_duration: 3_600 });
      expect(JSON.parse(made.assume_role_policy)).toEqual(role.trust);
      expect(resources.aws_iam_role_policies_exclusive[`secrets_${name}`].policy_names).toHaveLength(
        role.policies.inline.length,
      );
      expect(resources.aws_iam_role_policy_attachments_exclusive[`secrets_${name}`].policy_arns).toEqual([]);
      for (const policy of role.policies.inline) {
        expect(JSON.parse(resources.aws_iam_role_policy[`secrets_${name}_${policy.name}`].policy)).toEqual(
          policy.document,
        );
      }
    }
  });

  test("has, in every Vault, the KV mount, a policy and a role for each workload that has secrets, and no policy of the deployer's", () => {
    for (const vault of plan.vaults) {
      const word = (name: string) => `secrets_${vault.name}--${name}`;
      expect(resources.vault_mount[word(`kv-${environment}`)]).toMatchObject({
        ...held,
        path: `kv-${environment}`,
        type: "kv",
        options: { version: "2" },
        provider: `vault.${vault.name}`,
      });
      expect(resources.vault_kv_secret_backend_v2[word(`kv-${environment}`)]).toMatchObject({
        cas_required: true,
        max_versions: 2,
      });
      // Whoever could change the policy of their own token could give themselves the whole Vault.
      expect(JSON.stringify(resources.vault_policy)).not.toContain(vault.deployer.name);
      for (const policy of vault.policies) {
        expect(resources.vault_policy[word(policy.name)]).toMatchObject({
          name: policy.name,
          policy: policy.text,
        });
      }
      for (const role of vault.roles) {
        expect(
          resources.vault_kubernetes_auth_backend_role[word(`${role.cluster}--${role.workload}`)],
        ).toMatchObject({
          role_name: role.name,
          audience: `vault-${environment}`,
          bound_service_account_names: [role.serviceAccount],
          bound_service_account_namespaces: [role.namespace],
          token_policies: [role.name],
          token_no_default_policy: true,
        });
      }
    }
  });

  test("makes or annotates the ServiceAccounts of every cluster", () => {
    for (const cluster of plan.clusters) {
      for (const workload of plan.workloads) {
        const type =
          workload.manage === "create" ? "kubernetes_service_account_v1" : "kubernetes_annotations";
        const made = resources[type][`secrets_${cluster.name}--${workload.name}`];
        const annotations = workload.manage === "create" ? made.metadata.annotations : made.annotations;
        expect(annotations).toEqual({ "eks.amazonaws.com/role-arn": workload.role.arn });
        expect(made.metadata).toMatchObject({ name: workload.serviceAccount, namespace: workload.namespace });
      }
    }
  });

  test("writes files for Helm and Kustomize that carry all three things a pod needs", () => {
    synthesize({ registry: own, environment }, (_, folder) => {
      for (const workload of plan.workloads) {
        for (const pod of workload.pods) {
          const read = (name: string) =>
            parse(readFileSync(join(folder, "pods", pod.cluster, workload.name, name), "utf8"));
          const values = read("values.yaml");
          expect(values.podAnnotations).toEqual(pod.annotations);
          expect(values.volumes).toEqual(pod.volumes);
          expect(values.serviceAccount.name).toBe(pod.serviceAccountName);
          expect(read("patch.yaml").spec.template).toEqual({
            metadata: { annotations: pod.annotations },
            spec: { serviceAccountName: pod.serviceAccountName, volumes: pod.volumes },
          });
          expect(read("kustomization.yaml")).toMatchObject({
            kind: "Component",
            patches: [{ path: "patch.yaml", target: { kind: workload.controller } }],
          });
          for (const name of Object.keys(pod.annotations))
            expect(name).toMatch(/^vault\.hashicorp\.com\/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
        }
      }
    });
  });
});

test("the three stacks together hold the policy's ten secrets with the differences of its matrix", () => {
  const holds = (environment: (typeof registry.environmentNames)[number]) =>
    Object.fromEntries(blueprint(registry, environment).secrets.map((secret) => [secret.key, secret]));
  const dev = holds("dev");
  const stage = holds("stage");
  const prod = holds("prod");
  const policy = [
    "crypto/webhook",
    "db/app-primary",
    "db/reporting-ro",
    "jwt/signing",
    "observability/datadog",
    "payments/paypal",
    "payments/stripe",
    "redis/app",
    "smtp/sendgrid",
    "storage/s3-app",
  ];
  // What rotation itself needs; nobody consumes it.
  const admins = ["admin/datadog", "admin/postgresql", "admin/sendgrid"];
  const all = [...admins, ...policy];
  for (const key of admins) expect(prod[key]?.consumers).toEqual([]);
  expect(Object.keys(stage)).toEqual(all);
  expect(Object.keys(prod)).toEqual(all);
  expect(Object.keys(dev)).toEqual(
    all.filter((key) => key !== "crypto/webhook" && key !== "db/reporting-ro"),
  );
  const matrix: [string, object, object, object][] = [
    [
      "db/app-primary",
      { settings: { privileges: ["SELECT", "INSERT", "UPDATE"], data: "sample" } },
      { settings: { data: "copy" } },
      { settings: { data: "live" } },
    ],
    [
      "jwt/signing",
      { rotation: "automatic" },
      { rotation: "manual-dual-publish" },
      { rotation: "manual-dual-publish" },
    ],
    [
      "payments/stripe",
      { settings: { mode: "test", account: "sandbox" } },
      { settings: { mode: "test", account: "stage" } },
      { settings: { mode: "live" } },
    ],
    [
      "payments/paypal",
      { settings: { mode: "sandbox", account: "sandbox" } },
      { settings: { mode: "sandbox", account: "stage" } },
      { settings: { mode: "live" } },
    ],
    [
      "smtp/sendgrid",
      { settings: { account: "sandbox" } },
      { settings: { account: "staging" } },
      { settings: { account: "production" } },
    ],
    [
      "storage/s3-app",
      { settings: { bucket: "example-dev-app" } },
      { settings: { bucket: "example-stage-app" } },
      { settings: { bucket: "example-prod-app" } },
    ],
    [
      "observability/datadog",
      { settings: { org: "dev" } },
      { settings: { org: "stage" } },
      { settings: { org: "prod" } },
    ],
  ];
  for (const [key, ...expected] of matrix) {
    for (const [index, environment] of [dev, stage, prod].entries())
      expect(environment[key]).toMatchObject(expected[index] ?? {});
  }
  const cadences = Object.fromEntries(
    Object.values(prod)
      .filter(({ key }) => policy.includes(key))
      .map(({ key, rotateEvery }) => [key, rotateEvery.seconds / 86_400]),
  );
  expect(cadences).toEqual({
    "db/app-primary": 30,
    "db/reporting-ro": 90,
    "redis/app": 60,
    "jwt/signing": 90,
    "crypto/webhook": 180,
    "payments/stripe": 60,
    "payments/paypal": 60,
    "smtp/sendgrid": 30,
    "storage/s3-app": 90,
    "observability/datadog": 120,
  });
});

describe("a stack", () => {
  test("is the same, byte for byte, when the registry is written in another order", () => {
    const text = (definition: Draft) =>
      synthesize({ registry: registryOf(definition), environment: "prod" }, (_, __, json) => json);
    const definition = { ...draft() };
    definition.secrets["app/password"] = {
      ...genericPassword(),
      settings: { fields: ["value"], config: { b: 1, a: 2 } },
    };
    expect(text(reordered(definition) as Draft)).toBe(text(definition));
  });

  test("keeps its addresses when split into AWS, each Vault and each cluster, and the parts share nothing", () => {
    const addresses = (terraform: TerraformJson): string[] =>
      Object.entries<object>(terraform.resource ?? {}).flatMap(([type, made]) =>
        Object.keys(made).map((name) => `${type}.${name}`),
      );
    const props = { registry: own, environment: "prod" };
    const whole = synthesize(props, addresses);
    const plan = blueprint(registry, "prod");
    const parts = [
      { aws: true, vaults: [], clusters: [] },
      ...plan.vaults.map(({ name }) => ({ aws: false, vaults: [name], clusters: [] })),
      ...plan.clusters.map(({ name }) => ({ aws: false, vaults: [], clusters: [name] })),
    ].map((part) =>
      synthesize({ ...props, parts: part }, (terraform, _, text) => {
        expect(text).not.toMatch(/terraform_remote_state|"output"/);
        expect(Object.keys(terraform.provider)).toHaveLength(1);
        return addresses(terraform);
      }),
    );
    expect(parts.flat().sort()).toEqual(whole.sort());
  });

  test("moves the addresses of a renamed secret step by step, and keeps its name in the cloud", () => {
    const definition = draft();
    definition.secrets["db/new"] = { ...definition.secrets["db/app"], renamedFrom: ["db/app", "db/second"] };
    delete definition.secrets["db/app"];
    const terraform = terraformOf(definition);
    expect(terraform.resource.aws_secretsmanager_secret["secrets_db--new"].name).toBe("prod/db/app");
    expect(terraform.moved).toEqual(
      [
        "aws_secretsmanager_secret",
        "aws_secretsmanager_secret_policy",
        "aws_secretsmanager_secret_rotation",
      ].flatMap((type) => [
        { from: `${type}.secrets_db--app`, to: `${type}.secrets_db--second` },
        { from: `${type}.secrets_db--second`, to: `${type}.secrets_db--new` },
      ]),
    );
    const backend = JSON.parse(terraform.resource.aws_iam_role_policy["secrets_backend_read-secrets"].policy);
    expect(backend.Statement[0].Resource).toContain(
      "arn:aws:secretsmanager:*:444455556666:secret:prod/db/app-??????",
    );
  });

  test("moves the inbox of a renamed secret with it", () => {
    const definition = draft();
    definition.secrets["pay/new"] = {
      kind: "paypal",
      description: "PayPal credentials",
      owner: "team-a",
      consumers: ["backend"],
      rotateEvery: days(60),
      store: "aws",
      environments: {
        dev: { settings: { mode: "sandbox", account: "sandbox" } },
        prod: { settings: { mode: "live", account: "live" } },
      },
      renamedFrom: ["pay/app"],
    };
    const { moved, resource } = terraformOf(definition);
    expect(resource.aws_secretsmanager_secret["secrets__inbox--pay--new"].name).toBe("prod/_inbox/pay/app");
    expect(moved).toEqual(
      ["_inbox--", ""].flatMap((inbox) =>
        ["aws_secretsmanager_secret", "aws_secretsmanager_secret_policy"].map((type) => ({
          from: `${type}.secrets_${inbox}pay--app`,
          to: `${type}.secrets_${inbox}pay--new`,
        })),
      ),
    );
  });

  test("keeps a retired secret without readers, and lets it be destroyed", () => {
    const definition = draft();
    Object.assign(definition.secrets["db/app"], { retired: "2027-01-31", consumers: [] });
    const { resource } = terraformOf(definition);
    expect(resource.aws_secretsmanager_secret["secrets_db--app"]).toMatchObject({
      lifecycle: { prevent_destroy: false },
      tags: { retired: "2027-01-31" },
    });
    expect(resource.aws_secretsmanager_secret["secrets_crypto--webhook"].lifecycle.prevent_destroy).toBe(
      true,
    );
    const readers = Object.entries(resource.aws_iam_role_policy).filter(([name]) =>
      name.endsWith("_read-secrets"),
    );
    expect(readers).not.toHaveLength(0);
    expect(JSON.stringify(readers)).not.toContain("db/app");
    expect(Object.keys(resource.aws_secretsmanager_secret_rotation)).toEqual(["secrets_crypto--webhook"]);
  });

  test("gives roles by EKS Pod Identity where the environment says so", () => {
    const definition = draft();
    definition.environments.prod.identity = "pod-identity";
    const { resource } = terraformOf(definition);
    expect(resource.aws_eks_pod_identity_association["secrets_prod-one--backend"]).toMatchObject({
      cluster_name: "prod-one",
      namespace: "backend",
      service_account: "backend",
      region: "eu-central-1",
      role_arn: "${aws_iam_role.secrets_backend.arn}",
    });
    expect(JSON.parse(resource.aws_iam_role.secrets_backend.assume_role_policy).Statement).toEqual([
      {
        Sid: "EksPodIdentity",
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Condition: {
          ArnEquals: { "aws:SourceArn": ["arn:aws:eks:eu-central-1:444455556666:cluster/prod-one"] },
          StringEquals: {
            "aws:SourceAccount": ["444455556666"],
            "aws:RequestTag/kubernetes-namespace": ["backend"],
            "aws:RequestTag/kubernetes-service-account": ["backend"],
          },
        },
      },
    ]);
    expect(resource.kubernetes_service_account_v1["secrets_prod-one--backend"].metadata.annotations).toEqual(
      {},
    );
  });

  test("has the boundary, path, OIDC provider and namespace that the environment names", () => {
    const definition = draft();
    const { prod } = definition.environments;
    Object.assign(prod, {
      permissionsBoundary: "arn:aws:iam::444455556666:policy/boundary",
      rolePath: "/teams/secrets/",
    });
    prod.clusters[0].oidcProvider = "create";
    prod.vaults[0].namespace = "team-a";
    const terraform = terraformOf(definition);
    expect(terraform.resource.aws_iam_role.secrets_backend).toMatchObject({
      path: "/teams/secrets/",
      permissions_boundary: "arn:aws:iam::444455556666:policy/boundary",
    });
    expect(terraform.resource.aws_iam_openid_connect_provider["secrets_prod-one"]).toMatchObject({
      url: "https://oidc.example.com/id/PROD",
      client_id_list: ["sts.amazonaws.com"],
    });
    expect(terraform.provider.vault[0]).toMatchObject({ alias: "main", namespace: "team-a" });
  });

  test("makes an environment's own mounts also in a Vault that another stack configures", () => {
    const definition = draft();
    const created = terraformOf(definition).resource;
    definition.environments.prod.vaults[0].manage = "reference";
    expect(terraformOf(definition).resource).toEqual(created);
    expect(Object.keys(created)).toEqual(expect.arrayContaining(["vault_mount", "vault_auth_backend"]));
  });

  test("has Lambda run signed code alone, where the environment names who signs, and takes the signed file for what it is", () => {
    const definition = draft();
    const profile = "arn:aws:signer:eu-central-1:444455556666:/signing-profiles/secrets/AbCdEf1234";
    expect(terraformOf(definition).resource).not.toHaveProperty("aws_lambda_code_signing_config");
    definition.environments.prod.codeSigning = { profiles: [profile] };
    const { resource } = terraformOf(definition);
    expect(resource.aws_lambda_code_signing_config.secrets_functions).toMatchObject({
      allowed_publishers: { signing_profile_version_arns: [profile] },
      policies: { untrusted_artifact_on_deployment: "Enforce" },
    });
    const functions = Object.values<TerraformJson>(resource.aws_lambda_function);
    expect(functions.length).toBeGreaterThan(0);
    for (const { code_signing_config_arn, source_code_hash, filename } of functions) {
      expect(code_signing_config_arn).toBe("${aws_lambda_code_signing_config.secrets_functions.arn}");
      expect(source_code_hash).toBe(`\${filebase64sha256("${filename}")}`);
    }
    definition.environments.prod.codeSigning = { profiles: [profile.replace(/\/\w+$/, "")] };
    expect(() => terraformOf(definition)).toThrow(/the ARN of a version of a signing profile/);
  });

  test("makes a static login's role, which Vault rotates on the secret's cadence", () => {
    const definition = draft();
    definition.secrets["db/legacy"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
    Object.assign(definition.secrets["db/legacy"].settings, {
      login: "static",
      connectionUser: "rotator",
      caPem: clusterCa,
    });
    const { resource } = terraformOf(definition);
    expect(resource.vault_database_secret_backend_static_role["secrets_main--db--legacy"]).toMatchObject({
      backend: "database-prod",
      db_name: "db--legacy",
      username: "reporting",
      rotation_period: 90 * 86_400,
    });
    const { postgresql } = resource.vault_database_secret_backend_connection["secrets_main--db--legacy"];
    expect(postgresql).toMatchObject({ username: "rotator_main", tls_ca: clusterCa.trim() });
    definition.environments.prod.vaults[0].databaseCaFile = "/vault/tls/databases.pem";
    const byFile =
      terraformOf(definition).resource.vault_database_secret_backend_connection["secrets_main--db--legacy"];
    expect(byFile.postgresql.connection_url).toContain("sslrootcert=/vault/tls/databases.pem");
    expect(byFile.postgresql.tls_ca).toBeUndefined();
  });

  test("trusts an issuer by its published or by given keys, where pods log in by jwt", () => {
    const definition = draft();
    definition.environments.prod.vaultAuth = "jwt";
    const { resource } = terraformOf(definition);
    expect(resource.vault_jwt_auth_backend["secrets_main--prod-one"]).toMatchObject({
      path: "jwt-prod-one",
      oidc_discovery_url: "https://oidc.example.com/id/PROD",
      bound_issuer: "https://oidc.example.com/id/PROD",
    });
    expect(resource.vault_jwt_auth_backend_role["secrets_main--prod-one--backend"]).toMatchObject({
      role_type: "jwt",
      user_claim: "sub",
      bound_audiences: ["vault-prod"],
      bound_subject: "system:serviceaccount:backend:backend",
    });
  });

  test("leaves everything of an external workload to GitOps, and gives it the files", () => {
    const definition = draft();
    definition.workloads.backend.manage = "external";
    synthesize({ registry: registryOf(definition), environment: "prod" }, ({ resource }, folder) => {
      expect(Object.keys(resource.kubernetes_service_account_v1)).toEqual(["secrets_prod-one--payments"]);
      const files = readdirSync(join(folder, "pods/prod-one/backend")).sort();
      expect(files).toEqual(["kustomization.yaml", "patch.yaml", "service-account.yaml", "values.yaml"]);
      const account = parse(readFileSync(join(folder, "pods/prod-one/backend/service-account.yaml"), "utf8"));
      expect(account.metadata.annotations).toEqual({
        "eks.amazonaws.com/role-arn": "arn:aws:iam::444455556666:role/acme/prod/acme-prod-backend",
      });
    });
  });

  test("patches the Deployment that a workload names, with all three things at once", () => {
    const definition = draft();
    definition.workloads.backend.delivery = { how: "patch", deployment: "api" };
    const { resource } = terraformOf(definition);
    const patch = resource.terraform_data["secrets_prod-one--api"];
    const [pod] =
      blueprint(registryOf(definition), "prod").workloads.find(({ name }) => name === "backend")?.pods ?? [];
    expect(JSON.parse(patch.triggers_replace.patch)).toEqual({
      spec: {
        template: {
          metadata: { annotations: pod?.annotations },
          spec: { serviceAccountName: "backend", volumes: pod?.volumes },
        },
      },
    });
    expect(patch.provisioner[0]["local-exec"].environment).toMatchObject({
      CONTEXT: "arn:aws:eks:eu-central-1:444455556666:cluster/prod-one",
      DEPLOYMENT: "api",
    });
  });

  test("patches the further objects of a workload, each by its kind", () => {
    const definition = draft();
    Object.assign(definition.workloads.backend, {
      delivery: { how: "patch", deployment: "api" },
      furtherControllers: [{ kind: "StatefulSet", name: "queue" }],
    });
    const patches = terraformOf(definition).resource.terraform_data;
    const further = patches["secrets_prod-one--backend--statefulset-queue"];
    expect(further.provisioner[0]["local-exec"].environment).toMatchObject({
      CONTROLLER: "statefulset",
      DEPLOYMENT: "queue",
      NAMESPACE: "backend",
    });
    expect(further.triggers_replace.patch).toBe(patches["secrets_prod-one--api"].triggers_replace.patch);
  });

  test("gives a workload without secrets nothing", () => {
    const definition = draft();
    definition.workloads.idle = { namespace: "idle" };
    const registryWithIdle = registryOf(definition);
    synthesize({ registry: registryWithIdle, environment: "prod" }, (stack) => {
      expect(JSON.stringify(stack)).not.toContain("idle");
      expect(stack.resource.aws_iam_role.secrets_backend).toBeDefined();
    });
  });

  test("leaves the backend to whoever brings one", () => {
    const app = Testing.app();
    const stack = new SecretsStack(app, "stack", { registry: own, environment: "dev", backend: false });
    expect(
      () => new CloudBackend(stack, { organization: "acme", workspaces: new NamedCloudWorkspace("dev") }),
    ).not.toThrow();
    expect(Object.keys(JSON.parse(Testing.synth(stack)).terraform)).toContain("cloud");
  });

  test("takes a role in AWS, and providers' versions of the app's own", () => {
    const roleArn = "arn:aws:iam::111111111111:role/terraform";
    const settings = { registry: own, environment: "dev" as const };
    synthesize({ ...settings, assumeRole: { roleArn, sessionName: "secrets" } }, ({ provider }) => {
      expect(provider.aws[0].assume_role).toEqual([{ role_arn: roleArn, session_name: "secrets" }]);
    });
    synthesize({ ...settings, providerVersions: { aws: ">= 6.25, < 7" } }, ({ terraform }) => {
      expect(terraform.required_providers.aws).toMatchObject({
        source: "aws",
        version: ">= 6.25, < 7",
      });
      expect(terraform.required_providers.vault.version).toMatch(/^[\d.]+$/);
    });
  });

  test("keeps its state in a bucket with Terraform's own lock, or in a file", () => {
    const backendOf = (backend: object) =>
      synthesize(
        { registry: own, environment: "dev", backend: backend as never },
        ({ terraform }) => terraform.backend,
      );
    expect(backendOf({ type: "s3", bucket: "state", region: "eu-west-1" })).toEqual({
      s3: {
        bucket: "state",
        region: "eu-west-1",
        key: "secrets-registry/stack.tfstate",
        encrypt: true,
        use_lockfile: true,
      },
    });
    expect(backendOf({ type: "local", path: "x.tfstate" })).toEqual({ local: { path: "x.tfstate" } });
  });

  test("reads a Vault-owned user at the engine, and only from the pods that consume it", () => {
    const definition = draft();
    definition.secrets["db/ro"] = { ...vaultDatabase(), environments: { dev: { presence: "absent" } } };
    const { resource } = terraformOf(definition);
    expect(Object.keys(resource.aws_secretsmanager_secret)).not.toContain("secrets_db--ro");
    expect(resource.vault_policy["secrets_main--acme-prod-backend"].policy).toContain(
      'path "database-prod/creds/db--ro" {\n  capabilities = ["read"]\n}',
    );
    expect(resource.vault_policy["secrets_main--acme-prod-payments"].policy).not.toContain("database-prod");
  });

  test("trusts the CA that a Vault names: Terraform by a file beside the stack, pods by a Secret of their namespace", () => {
    const definition = draft();
    definition.environments.prod.vaults[0].caPem = clusterCa;
    synthesize(
      { registry: registryOf(definition), environment: "prod" },
      ({ provider, resource }, folder) => {
        expect(provider.vault[0].ca_cert_file).toBe("${path.module}/vault-ca-main.pem");
        expect(readFileSync(join(folder, "vault-ca-main.pem"), "utf8")).toBe(clusterCa);
        expect(resource.kubernetes_secret_v1["secrets_prod-one--backend"]).toMatchObject({
          metadata: { name: "acme-prod-vault-ca-main", namespace: "backend" },
          data: { "ca.crt": clusterCa.trim() },
        });
        const values = parse(readFileSync(join(folder, "pods/prod-one/backend/values.yaml"), "utf8"));
        expect(values.podAnnotations).toMatchObject({
          "vault.hashicorp.com/tls-secret": "acme-prod-vault-ca-main",
          "vault.hashicorp.com/ca-cert": "/vault/tls/ca.crt",
        });
      },
    );
  });

  test("of a wide registry is valid Terraform, each address once", () => {
    const definition = draft();
    definition.workloads = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`workload-${index}`, { namespace: "apps" }]),
    );
    definition.accessRules = {};
    definition.secrets = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [
        `team-${index % 7}/secret-${String(index).padStart(7, "0")}`,
        { ...genericPassword(), consumers: [`workload-${index % 40}`, `workload-${(index + 1) % 40}`] },
      ]),
    );
    synthesize({ registry: registryOf(definition), environment: "prod" }, ({ resource }) => {
      expect(Object.keys(resource.aws_secretsmanager_secret)).toHaveLength(400);
      const workloads = Object.entries<TerraformJson>(resource.aws_iam_role_policy).filter(([name]) =>
        name.startsWith("secrets_workload-"),
      );
      expect(workloads).toHaveLength(40);
      for (const [, { policy }] of workloads) {
        expect(JSON.parse(policy).Statement[0].Resource).toHaveLength(20);
      }
    });
  });

  test("leaves no pod files of a workload that is no more", () => {
    synthesize({ registry: own, environment: "dev" }, (_, folder) => {
      expect(existsSync(join(folder, "pods/dev-eu-central/backend/values.yaml"))).toBe(true);
      expect(existsSync(join(folder, "pods/dev-eu-central/unknown"))).toBe(false);
    });
  });
});
