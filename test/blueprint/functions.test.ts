import fc from "fast-check";
import {
  type AwsSecretPlan,
  type Blueprint,
  blueprint,
  type FunctionPlan,
  type RotationFunctionPlan,
  rotates,
} from "../../lib/blueprint";
import {
  compactLength,
  days,
  defineRegistry,
  type PolicyStatement,
  type Registry,
  RegistryError,
} from "../../lib/model";
import { registry } from "../../registry";
import { draft, genericPassword } from "../model/sample";
import { anyDefinition } from "./random-registry";

const statementsOf = ({ role }: FunctionPlan): readonly PolicyStatement[] =>
  [...role.policies.inline, ...role.policies.managed].flatMap(({ document }) => document.Statement);

/** Resources of all statements of a name: a long one is split over several policies. */
const resourcesOf = (plan: FunctionPlan, sid: string): string[] =>
  statementsOf(plan)
    .filter(({ Sid }) => Sid === sid)
    .flatMap(({ Resource = [] }) => Resource)
    .sort();

const awsSecrets = (plan: Blueprint): AwsSecretPlan[] =>
  plan.secrets.flatMap((secret) => (secret.store === "aws" ? [secret] : []));

/** Functions run in the primary region, so a pattern for any region is narrowed to it. */
const inPrimary = (plan: Blueprint, { arnPattern }: AwsSecretPlan): string =>
  arnPattern.replace(":secretsmanager:*:", `:secretsmanager:${plan.regions.primary}:`);

const rotators = (plan: Blueprint): RotationFunctionPlan[] => plan.functions.filter(rotates);

/** Roles that a policy of a secret lets read or write. */
function exempt({ policy }: AwsSecretPlan, sid: string): string[] {
  const found = policy.Statement.find(({ Sid }) => Sid === sid);
  return (found?.Condition?.ArnNotLike?.["aws:PrincipalArn"] ?? []).filter((arn) => arn.includes(":iam::"));
}

function keepsTheLaws(plan: Blueprint): void {
  const secrets = awsSecrets(plan);
  const byKey = new Map(secrets.map((secret) => [secret.key, secret]));
  const arns = (keys: Iterable<string>): string[] =>
    [...new Set(keys)]
      .flatMap((key) => {
        const secret = byKey.get(key);
        return secret ? [inPrimary(plan, secret)] : [];
      })
      .sort();

  // One function for each secret of Secrets Manager, and none for another.
  expect(
    rotators(plan)
      .flatMap((entry) => entry.secrets)
      .sort(),
  ).toEqual([...byKey.keys()].sort());
  for (const secret of secrets) expect(secret.rotatedBy).toBeDefined();

  for (const entry of rotators(plan)) {
    // Its role reaches its own secrets, reads their admin credentials, and nothing else.
    expect(resourcesOf(entry, "RotateSecrets")).toEqual(arns(entry.secrets));
    const admins = entry.secrets.flatMap((key) => byKey.get(key)?.admin ?? []);
    expect(resourcesOf(entry, "ReadAdminCredentials")).toEqual(arns(admins));
    // Its settings name the same.
    expect(Object.keys(entry.settings.secrets).sort()).toEqual(
      entry.secrets.flatMap((key) => byKey.get(key)?.name ?? []).sort(),
    );
    expect(new Set(entry.secrets.map((key) => byKey.get(key)?.kind))).toEqual(new Set([entry.bundle]));
  }

  const mirror = plan.functions.find(({ bundle }) => bundle === "mirror");
  const mirrored = secrets.filter(({ consumers }) => consumers.length > 0);
  // It also has Vaults rotate their own logins to databases.
  const owned = plan.secrets.filter(({ store }) => store === "vault");
  expect(mirror !== undefined).toBe(mirrored.length + owned.length > 0);
  if (mirror) expect(resourcesOf(mirror, "ReadSecrets")).toEqual(arns(mirrored.map(({ key }) => key)));

  // Each secret's own policy agrees: who may write is its rotator and break-glass, who may read is no other function.
  for (const secret of secrets) {
    const rotator = rotators(plan).find(({ name }) => name === secret.rotatedBy);
    expect(exempt(secret, "DenyWriteExceptWriters").sort()).toEqual(
      [...plan.principals.breakGlass, ...(rotator ? [rotator.role.arn] : [])].sort(),
    );
    // Terraform changes descriptions and keys by a call that could bring a value.
    expect(exempt(secret, "DenyUpdateExceptAdministrators").sort()).toEqual(
      [
        ...plan.principals.breakGlass,
        plan.principals.deployer,
        `arn:${plan.partition}:iam::${plan.account}:root`,
      ].sort(),
    );
    inboxIsForOneFunction(plan, secret, rotator);
    const users = rotators(plan).filter(({ secrets: keys }) =>
      keys.some((key) => byKey.get(key)?.admin === secret.key),
    );
    const functions = new Set([
      ...(rotator ? [rotator.role.arn] : []),
      ...users.map(({ role }) => role.arn),
      ...(mirror && secret.consumers.length > 0 ? [mirror.role.arn] : []),
    ]);
    const roles = plan.functions.map(({ role }) => role.arn);
    expect(
      exempt(secret, "DenyReadExceptReaders")
        .filter((arn) => roles.includes(arn))
        .sort(),
    ).toEqual([...functions].sort());
  }
  for (const entry of plan.functions) limitsItsRights(plan, entry);
}

/**
 * Asserts that supplied values are read by the function that rotates the secret, whose rights and settings name the
 * inbox.
 */
function inboxIsForOneFunction(
  { principals }: Blueprint,
  { key, name, inbox, rotation, settings: made }: AwsSecretPlan,
  rotator: RotationFunctionPlan | undefined,
): void {
  const settings = rotator?.settings.secrets[name];
  expect([key, settings?.inbox]).toEqual([key, inbox?.name]);
  const isAdopted = "firstKey" in made && made.firstKey === "supplied";
  expect(inbox === undefined || rotation === "operator-assisted" || isAdopted).toBe(true);
  expect(inbox !== undefined || !isAdopted).toBe(true);
  if (inbox === undefined || rotator === undefined) return;
  expect(inbox.name).toContain("/_inbox/");
  const exemptIn = (sid: string): readonly string[] =>
    (
      inbox.policy.Statement.find(({ Sid }) => Sid === sid)?.Condition?.ArnNotLike?.["aws:PrincipalArn"] ?? []
    ).filter((arn) => arn.includes(":role/"));
  expect(exemptIn("DenyReadExceptItsFunction")).toEqual([rotator.role.arn]);
  expect([...exemptIn("DenyWriteExceptSuppliers")].sort()).toEqual(
    [...principals.operators, ...principals.breakGlass, rotator.role.arn].sort(),
  );
  expect(inbox.policy.Statement.find(({ Sid }) => Sid === "DenyLabels")?.Condition).toBeUndefined();
  expect(
    resourcesOf(rotator, "UseUpInboxes").some((arn) => arn.includes(`secret:${inbox.name}-??????`)),
  ).toBe(true);
}

/** The only resources that are not exact: what AWS itself cannot name, each narrowed by a condition. */
const UNNAMED: Readonly<Record<string, readonly string[]>> = {
  UseKeysThroughSecretsManager: ["kms:ViaService", "kms:EncryptionContext:SecretARN"],
  DecryptThroughSecretsManager: ["kms:ViaService", "kms:EncryptionContext:SecretARN"],
  EncryptDeadLetters: ["kms:ViaService", "kms:ResourceAliases"],
  MakeProofsAndFingerprints: ["kms:ResourceAliases"],
  CheckProofs: ["kms:ResourceAliases"],
  ProveIdentityToVault: ["sts:IdentityTokenAudience", "sts:SigningAlgorithm", "sts:DurationSeconds"],
  WriteLog: [],
  EncryptMessages: ["kms:ViaService", "kms:ResourceAliases"],
  CountStates: ["cloudwatch:namespace"],
  FollowExecutions: [],
  WriteRecords: [],
  LambdaJoinsNetwork: [],
  CodeDoesNot: ["lambda:SourceFunctionArn"],
};

const SOURCE = "lambda:SourceFunctionArn";

const isOfServices = (Sid: string, actions: readonly string[], keys: readonly string[]): boolean =>
  ["WriteLog", "SendDeadLetters", "LambdaJoinsNetwork"].includes(Sid) ||
  keys.includes("kms:ViaService") ||
  actions.includes("lambda:InvokeFunction");

function limitsItsRights(plan: Blueprint, entry: FunctionPlan): void {
  const statements = statementsOf(entry);
  for (const { Sid, Action, Resource = [], Condition = {} } of statements) {
    expect(Action.join()).not.toContain("*");
    const keys = UNNAMED[Sid];
    const asked = [...new Set(Object.values(Condition).flatMap((tests) => Object.keys(tests)))];
    if (keys === undefined) expect(Resource.join()).not.toContain("*");
    else expect(asked.filter((key) => key !== SOURCE)).toEqual(keys.filter((key) => key !== SOURCE));
    // A right is its own code's, where Lambda tells who calls; the rest is Lambda's own work, or nothing without the rest.
    expect([Sid, asked.includes(SOURCE)]).toEqual([Sid, !isOfServices(Sid, Action, asked)]);
    if (asked.includes(SOURCE)) expect(Condition.ArnEquals?.[SOURCE]).toEqual([entry.arn]);
  }
  // The code of a function in a VPC is denied all that Lambda does for it there.
  const joins = statements.find(({ Sid }) => Sid === "LambdaJoinsNetwork");
  const denied = statements.find(({ Sid }) => Sid === "CodeDoesNot");
  expect(denied?.Action).toEqual(joins?.Action);
  expect(joins !== undefined).toBe(entry.network !== undefined);
  if (denied) expect(denied.Condition?.ArnEquals?.["lambda:SourceFunctionArn"]).toEqual([entry.arn]);
  expect(JSON.stringify(entry)).not.toContain("${");
  expect(entry.name.length).toBeLessThanOrEqual(64);
  expect(entry.arn).toContain(plan.regions.primary);
  for (const { document } of entry.role.policies.managed) {
    expect(compactLength(document)).toBeLessThanOrEqual(6_144);
  }
}

test("a function's rights, its settings and the policies of secrets say the same, for any registry", () => {
  let valid = 0;
  fc.assert(
    fc.property(anyDefinition, (definition) => {
      let made: Registry;
      try {
        made = defineRegistry(definition) as Registry;
      } catch (error) {
        if (error instanceof RegistryError) return;
        throw error;
      }
      valid += 1;
      for (const name of made.environmentNames) keepsTheLaws(blueprint(made, name));
    }),
    { numRuns: 200 },
  );
  expect(valid).toBeGreaterThan(60);
});

test.each(registry.environmentNames)("so they do in %s of this organisation", (name) => {
  keepsTheLaws(blueprint(registry, name));
});

describe("a JWT key that the organisation brings along", () => {
  const planOf = (rotation: "automatic" | "manual-dual-publish", settings: object) => {
    const definition = draft();
    definition.secrets["jwt/signing"] = {
      kind: "jwt-signing-key",
      description: "Signs tokens",
      owner: "team-a",
      consumers: ["backend"],
      rotateEvery: days(90),
      store: "aws",
      rotation,
      settings,
    };
    const plan = blueprint(defineRegistry(definition) as Registry, "dev");
    const secret = awsSecrets(plan).find(({ key }) => key === "jwt/signing");
    const rotator = rotators(plan).find(({ bundle }) => bundle === "jwt-signing-key");
    if (secret === undefined || rotator === undefined) throw new Error("no jwt/signing");
    return { plan, secret, rotator };
  };

  test.each(["automatic", "manual-dual-publish"] as const)(
    "gives its function an inbox and nothing else, and operators the right to write it (%s)",
    (rotation) => {
      const without = planOf(rotation, {});
      const adopted = planOf(rotation, { firstKey: "supplied" });
      const sids = ({ rotator }: typeof adopted) => statementsOf(rotator).map(({ Sid }) => Sid);
      expect(without.secret.inbox).toBeUndefined();
      expect(sids(adopted).filter((sid) => !sids(without).includes(sid))).toEqual(["UseUpInboxes"]);
      expect(resourcesOf(adopted.rotator, "UseUpInboxes")).toEqual([
        expect.stringMatching(/:secret:dev\/_inbox\/jwt\/signing-\?{6}$/),
      ]);
      const writers = ({ plan }: typeof adopted) =>
        plan.procedure?.people.operator.Statement.find(({ Sid }) => Sid === "SupplyValues")?.Resource ?? [];
      expect(writers(without).filter((arn) => arn.includes("jwt"))).toEqual([]);
      expect(writers(adopted).filter((arn) => arn.includes("jwt"))).toEqual(
        resourcesOf(adopted.rotator, "UseUpInboxes"),
      );
    },
  );
});

test("automatic secrets have a schedule, others are moved on by people", () => {
  const plan = blueprint(registry, "prod");
  for (const secret of awsSecrets(plan)) {
    expect([secret.key, secret.schedule !== undefined]).toEqual([
      secret.key,
      secret.rotation === "automatic",
    ]);
  }
});

describe("functions", () => {
  const planOf = (change: (definition: ReturnType<typeof draft>) => void): Blueprint => {
    const definition = draft();
    delete definition.environments.dev;
    for (const secret of Object.values<ReturnType<typeof draft>>(definition.secrets))
      delete secret.environments?.dev;
    change(definition);
    return blueprint(defineRegistry(definition) as Registry, "prod");
  };
  const network = (name: string) => ({
    name,
    subnets: ["subnet-0a1b2c3d4e5f60718"],
    securityGroups: ["sg-0a1b2c3d4e5f60718"],
  });
  const namesOf = (plan: Blueprint): string[] => plan.functions.map(({ name }) => name);

  test("run in the first network where their target lies in one, and where the author says", () => {
    const plan = planOf(({ environments, secrets }) => {
      environments.prod.networks = [network("main"), network("cards")];
      environments.prod.mirrorNetwork = "none";
      secrets["payments/stripe"].network = "cards";
      secrets["db/other"] = {
        ...secrets["db/app"],
        network: "none",
        settings: { database: "x", role: "y", host: "y" },
        environments: {},
      };
    });
    expect(namesOf(plan)).toEqual([
      "acme-prod--approval-gate",
      "acme-prod--checker",
      "acme-prod--dispatcher",
      "acme-prod--mirror",
      "acme-prod--recorder",
      "acme-prod--restarter",
      "acme-prod--rotate-generic",
      "acme-prod--rotate-hmac-key",
      "acme-prod--rotate-postgresql-user",
      "acme-prod--rotate-postgresql-user-main",
      "acme-prod--rotate-stripe-cards",
      "acme-prod--watcher",
    ]);
    expect(plan.functions.filter((entry) => entry.network !== undefined).map(({ name }) => name)).toEqual([
      "acme-prod--checker",
      "acme-prod--restarter",
      "acme-prod--rotate-postgresql-user-main",
      "acme-prod--rotate-stripe-cards",
    ]);
  });

  test("share the work where one role could not name all secrets; the mirror's falls back to the prefix", () => {
    const plan = planOf((definition) => {
      definition.secrets = Object.fromEntries(
        Array.from({ length: 2_000 }, (_, index) => [
          `team/key-${String(index).padStart(7, "0")}`,
          { ...genericPassword(), consumers: index % 100 === 0 ? ["backend"] : [] },
        ]),
      );
    });
    keepsSizes(plan);
    expect(rotators(plan).length).toBeGreaterThan(1);
    expect(rotators(plan).flatMap((entry) => entry.secrets)).toHaveLength(2_000);
    const mirror = plan.functions.find(({ bundle }) => bundle === "mirror");
    expect(mirror && resourcesOf(mirror, "DescribeSecrets")).toEqual([
      "arn:aws:secretsmanager:eu-central-1:444455556666:secret:prod/*",
    ]);
    expect(mirror && resourcesOf(mirror, "ReadSecrets")).toHaveLength(20);
  });

  test("hand few secrets over where one more is needed, and all of them to it", () => {
    const rotatorBySecret = (count: number): ReadonlyMap<string, string> => {
      const plan = planOf((definition) => {
        definition.secrets = Object.fromEntries(
          Array.from({ length: count }, (_, index) => [`team/key-${index}`, genericPassword()]),
        );
      });
      return new Map(rotators(plan).flatMap(({ name, secrets }) => secrets.map((key) => [key, name])));
    };
    const [before, after] = [rotatorBySecret(300), rotatorBySecret(380)];
    const names = [before, after].map((rotator) => new Set(rotator.values()));
    expect(names.map(({ size }) => size)).toEqual([4, 5]);
    const moved = [...before].filter(([key, name]) => after.get(key) !== name);
    const added = [...(names[1] ?? [])].filter((name) => !names[0]?.has(name));
    expect(new Set(moved.map(([key]) => after.get(key)))).toEqual(new Set(added));
    // One in five is 60; by the hash's remainder it would be 240.
    expect(moved.length).toBeGreaterThan(30);
    expect(moved.length).toBeLessThan(90);
  });

  test("are the mirror alone where Vault owns everything: it has Vault rotate its own login", () => {
    const plan = planOf((definition) => {
      definition.secrets = {
        "db/reports": {
          ...definition.secrets["db/app"],
          store: "vault",
          environments: {},
          settings: { host: "db.example.com", database: "app", role: "app" },
        },
      };
      delete definition.secrets["db/reports"].admin;
    });
    const [mirror, ...others] = plan.functions;
    expect(others).toEqual([]);
    expect(mirror).toMatchObject({
      bundle: "mirror",
      settings: {
        secrets: {},
        vaults: [
          {
            connections: [{ mount: "database-prod", name: "db--reports", rotateEverySeconds: 30 * 86_400 }],
          },
        ],
      },
    });
    expect(mirror && resourcesOf(mirror, "ReadSecrets")).toEqual([]);
  });

  test("are not there where there is nothing to do", () => {
    const plan = planOf((definition) => {
      definition.secrets = {};
    });
    expect(plan.functions).toEqual([]);
    expect(plan.operations).toBeUndefined();
  });
});

function keepsSizes(plan: Blueprint): void {
  for (const { role } of plan.functions) {
    expect(role.policies.managed.length).toBeLessThanOrEqual(10);
    for (const { document } of role.policies.managed)
      expect(compactLength(document)).toBeLessThanOrEqual(6_144);
  }
}
