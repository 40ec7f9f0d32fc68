import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { blueprint } from "../../lib/blueprint";
import { run } from "../../lib/cli/program";
import { type EnvironmentPolicies, policiesOf, prove } from "../../lib/proof";
import { registry } from "../../registry";
import { SecretsStack } from "../../stacks";
import { FakeTerminal } from "../cli/fake-terminal";
import { type Draft, WAYS } from "./ways-to-widen";

// biome-ignore lint/suspicious/noExplicitAny: Terraform's JSON, which a test changes
type Terraform = any;

const plain = registry as never as Parameters<typeof prove>[0];
const policies = (environment: "prod"): EnvironmentPolicies => policiesOf(blueprint(registry, environment));
const draft = (): Draft => JSON.parse(JSON.stringify(policies("prod"))) as Draft;

test.each(["dev", "stage", "prod"])(
  "%s allows what the registry says, and no other request",
  (environment) => {
    const { beyond, missing, about } = prove(plain, environment);
    expect({ beyond, missing }).toEqual({ beyond: [], missing: [] });
    expect(about.secrets).toBeGreaterThan(10);
    expect(about.roles).toBeGreaterThan(10);
  },
);

// The two that end at a service or a second association are about what a preview compares.
const APART = ["a pod identity association for another ServiceAccount"];

test.each(WAYS.filter(({ name }) => !APART.includes(name)))(
  "$name is beyond the registry",
  ({ widen, finding }) => {
    const head = draft();
    widen(head, draft());
    const { beyond } = prove(plain, "prod", [head]);
    expect(beyond).toContainEqual(expect.objectContaining({ way: finding.way, is: "possible" }));
  },
);

test("what the registry has and a policy does not allow is missing", () => {
  const head = draft();
  const role = head.roles.find(({ name }) => name === "backend");
  (role as unknown as { policies: unknown[] }).policies = [];
  const { beyond, missing } = prove(plain, "prod", [head]);
  expect(beyond).toEqual([]);
  expect(missing).toContainEqual({
    caller: "arn:aws:iam::333333333333:role/acme/prod/acme-prod-backend",
    action: "secretsmanager:GetSecretValue",
    secret: "db/app-primary",
  });
});

test("the command says so, in each form", async () => {
  for (const format of ["text", "md", "json"]) {
    const terminal = new FakeTerminal();
    expect(await run(["prove", "--env", "prod", "--format", format], terminal)).toBe(0);
    if (format === "json") expect(JSON.parse(terminal.printed)).toMatchObject({ beyond: [], missing: [] });
    else expect(terminal.printed).toContain("allows what the registry says, and no other request.");
  }
});

describe("a synthesized output", () => {
  let output: string;

  beforeAll(() => {
    output = mkdtempSync(join(tmpdir(), "proved-output-"));
    const app = new App({ outdir: output });
    for (const environment of registry.environmentNames)
      new SecretsStack(app, environment, { registry, environment });
    app.synth();
  });

  afterAll(() => rmSync(output, { recursive: true, force: true }));

  const proved = async (folder: string, environment = "prod") => {
    const terminal = new FakeTerminal();
    const code = await run(["prove", "--env", environment, "--synthesized", folder], terminal);
    return { code, out: terminal.printed, err: terminal.told };
  };

  /** A copy of the output in which somebody changed the Terraform of production. */
  const changed = (change: (resource: Terraform) => void): string => {
    const copy = mkdtempSync(join(output, "changed-"));
    for (const part of ["manifest.json", "stacks"])
      cpSync(join(output, part), join(copy, part), { recursive: true });
    const file = join(copy, "stacks", "prod", "cdk.tf.json");
    const terraform = JSON.parse(readFileSync(file, "utf8"));
    change(terraform.resource);
    writeFileSync(file, JSON.stringify(terraform));
    return copy;
  };

  test.each(registry.environmentNames)(
    "of %s allows what the registry says, and no other request",
    async (name) => {
      const { code, out } = await proved(output, name);
      expect(out).toContain(`Proved: ${name} allows what the registry says, and no other request.`);
      expect(code).toBe(0);
    },
  );

  const named = (resources: Terraform, name: string): Terraform =>
    Object.values(resources).find((one) => JSON.stringify(one).includes(`"${name}"`));
  const inPolicy = (entry: Terraform, attribute: string, change: (policy: Terraform) => void): void => {
    const policy = JSON.parse(entry[attribute]);
    change(policy);
    entry[attribute] = JSON.stringify(policy);
  };

  test.each<[string, (resource: Terraform) => void, RegExp]>([
    [
      "a secret whose policy is gone",
      ({ aws_secretsmanager_secret_policy: policies }) => {
        const [resource = ""] = Object.keys(policies).filter((name) => name.includes("app-primary"));
        delete policies[resource];
      },
      /secretsmanager:\w+ on .*prod\/db\/app-primary/,
    ],
    [
      "a trust with any ServiceAccount of the namespace",
      ({ aws_iam_role: roles }) =>
        inPolicy(named(roles, "acme-prod-backend"), "assume_role_policy", ({ Statement }) => {
          for (const { Condition } of Statement)
            for (const [key, value] of Object.entries<Terraform>(Condition.StringEquals))
              if (key.endsWith(":sub")) {
                delete Condition.StringEquals[key];
                Condition.StringLike = {
                  ...Condition.StringLike,
                  [key]: String(value).replace(/[^:]+$/, "*"),
                };
              }
        }),
      /may sts:AssumeRoleWithWebIdentity on \S*acme-prod-backend \(backend\) with .*:sub=system:serviceaccount:backend:/,
    ],
    [
      "a mirror's login for whatever function has its role",
      ({ vault_jwt_auth_backend_role: roles }) => {
        const mirror = Object.values<Terraform>(roles).find(
          ({ role_name }) => role_name === "acme-prod--mirror",
        );
        delete mirror.bound_claims;
      },
      /acme-prod--mirror by aws-prod may (create|read|update) on kv-prod\/data/,
    ],
    [
      "a mirror's login by a pattern",
      ({ vault_jwt_auth_backend_role: roles }) => {
        const mirror = Object.values<Terraform>(roles).find(
          ({ role_name }) => role_name === "acme-prod--mirror",
        );
        mirror.bound_claims_type = "glob";
      },
      /that are not decided[\s\S]*login asks bound_claims/,
    ],
    [
      "a policy of Vault for everything in the mount",
      ({ vault_policy: policies }) => {
        const policy = Object.values<Terraform>(policies).find(({ name }) => name === "acme-prod-celery");
        policy.policy += '\n\npath "kv-prod/data/*" {\n  capabilities = ["read"]\n}\n';
      },
      /celery.* may read on kv-prod\/data\//,
    ],
  ])("%s is found", async (_, change, text) => {
    const { code, out } = await proved(changed(change));
    expect(out).toMatch(text);
    expect(code).toBe(1);
  });

  test("a folder without one, or without the environment's stack", async () => {
    expect(await proved(join(output, "stacks"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("holds no synthesized output"),
    });
    const copy = changed(() => undefined);
    rmSync(join(copy, "stacks", "prod"), { recursive: true });
    expect(await proved(copy)).toMatchObject({
      code: 2,
      err: expect.stringContaining("has no stack prod; it has dev, stage. Synthesize prod as well."),
    });
  });
});
