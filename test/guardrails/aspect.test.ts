import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { DataAwsIamPolicyDocument } from "@cdktf/provider-aws/lib/data-aws-iam-policy-document";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { SecretsmanagerSecret } from "@cdktf/provider-aws/lib/secretsmanager-secret";
import { SecretsmanagerSecretRotation } from "@cdktf/provider-aws/lib/secretsmanager-secret-rotation";
import { Fn, TerraformLocal, TerraformOutput, type TerraformStack, TerraformVariable } from "cdktf";
import {
  checkStack,
  GUARDRAILS,
  type GuardrailAccessRule,
  type GuardrailId,
  GuardrailSettingsError,
  guardrailText,
  parseSuppressions,
  suppress,
} from "../../lib/constructs/guardrails";
import { registry } from "../../registry";
import { synthesize } from "../stacks/synthesized";
import { type Fill, guarded, resource } from "./foreign-app";

/** A value made for this run: no message may hold it. */
const value = randomBytes(18).toString("base64url");
const live = `sk_${"live"}_${randomBytes(16).toString("hex")}`;

const policy = (...Statement: readonly object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (Action: string | string[], Resource: string | string[], more: object = {}): string =>
  policy({ Effect: "Allow", Action, Resource, ...more });

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:";
const DENIED: readonly GuardrailAccessRule[] = [
  {
    role: "backend",
    serviceAccount: "shop/backend",
    deny: ["prod/payments/*"],
    denyVault: ["kv/data/payments/*"],
  },
];

const backend = (stack: TerraformStack): IamRole =>
  new IamRole(stack, "app", { name: "backend", assumeRolePolicy: policy() });
const inline = (stack: TerraformStack, text: string): void => {
  new IamRolePolicy(stack, "grant", { role: backend(stack).name, policy: text });
};
const trust =
  (condition: object): Fill =>
  (stack) => {
    new IamRole(stack, "role", {
      name: "job",
      assumeRolePolicy: policy({
        Effect: "Allow",
        Principal: {
          Federated: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: condition,
      }),
    });
  };
const audience = { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" };
const subject = { "token.actions.githubusercontent.com:sub": "repo:acme/shop:environment:prod" };

const secret = (
  stack: TerraformStack,
  { key = true, replica = true, rotation = true, tags = {} as Record<string, string> } = {},
): SecretsmanagerSecret => {
  const made = new SecretsmanagerSecret(stack, "secret", {
    name: "prod/payments/card",
    tags,
    ...(key ? { kmsKeyId: new KmsKey(stack, "key", {}).arn } : {}),
    ...(replica
      ? { replica: [{ region: "eu-central-1", kmsKeyId: "arn:aws:kms:eu-central-1:111122223333:key/k" }] }
      : {}),
  });
  if (rotation) {
    new SecretsmanagerSecretRotation(stack, "rotation", {
      secretId: made.id,
      rotationLambdaArn: "arn:aws:lambda:eu-west-1:111122223333:function:rotate",
      rotationRules: { automaticallyAfterDays: 30 },
    });
  }
  return made;
};

const vaultLogin = (stack: TerraformStack, args: Readonly<Record<string, unknown>>): void => {
  resource(stack, "vault_kubernetes_auth_backend_role", "login", {
    role_name: "backend",
    bound_service_account_names: ["backend"],
    bound_service_account_namespaces: ["shop"],
    audience: "vault-prod",
    token_policies: ["backend"],
    ...args,
  });
};
const vaultPolicy = (stack: TerraformStack, path: string): void => {
  resource(stack, "vault_policy", "policy", {
    name: "backend",
    policy: `path "${path}" {\n  capabilities = ["read"]\n}\n`,
  });
};

/** A breach, where it is, and what is next to it and right. */
const CASES: readonly (readonly [GuardrailId, string, Fill, Fill])[] = [
  [
    "SR001",
    "the default of a variable with a secret's name",
    (stack) => new TerraformVariable(stack, "db_password", { type: "string", default: value }),
    (stack) => new TerraformVariable(stack, "db_password", { type: "string", sensitive: true }),
  ],
  [
    "SR001",
    "the default of a sensitive variable",
    (stack) => new TerraformVariable(stack, "dsn", { type: "string", sensitive: true, default: value }),
    (stack) => new TerraformVariable(stack, "dsn", { type: "string", default: "db.example.org" }),
  ],
  [
    "SR001",
    "user data",
    (stack) =>
      resource(stack, "aws_instance", "i", { user_data: `#!/bin/sh\nexport DB_PASSWORD=${value}\nstart\n` }),
    (stack) =>
      resource(stack, "aws_instance", "i", {
        user_data: '#!/bin/sh\nexport DB_PASSWORD=$(fetch prod/db)\nexport SECRET_ARN="arn:aws:x"\n',
      }),
  ],
  [
    "SR001",
    "user data in base64",
    (stack) =>
      resource(stack, "aws_instance", "i", {
        user_data_base64: Buffer.from(`api_key: ${value}\n`).toString("base64"),
      }),
    (stack) =>
      resource(stack, "aws_instance", "i", {
        user_data_base64: Buffer.from("port: 80\n").toString("base64"),
      }),
  ],
  [
    "SR001",
    "an output",
    (stack) => new TerraformOutput(stack, "api_key", { value }),
    (stack) => new TerraformOutput(stack, "secret_arn", { value: `${ARN}x` }),
  ],
  [
    "SR001",
    "a local",
    (stack) => new TerraformLocal(stack, "stripe", live),
    (stack) => new TerraformLocal(stack, "stripe", "account 7"),
  ],
  [
    "SR001",
    "container definitions",
    (stack) =>
      resource(stack, "aws_ecs_task_definition", "task", {
        container_definitions: JSON.stringify([
          { name: "app", environment: [{ name: "JWT_SECRET", value }] },
        ]),
      }),
    (stack) =>
      resource(stack, "aws_ecs_task_definition", "task", {
        container_definitions: JSON.stringify([
          { name: "app", secrets: [{ name: "JWT_SECRET", valueFrom: `${ARN}prod/jwt-AbCdEf` }] },
        ]),
      }),
  ],
  [
    "SR001",
    "values of a chart",
    (stack) => resource(stack, "helm_release", "chart", { values: [`auth:\n  password: ${value}\n`] }),
    (stack) =>
      resource(stack, "helm_release", "chart", { values: ["auth:\n  existingSecret: app-secret\n"] }),
  ],
  [
    "SR001",
    "settings of a chart",
    (stack) => resource(stack, "helm_release", "chart", { set: [{ name: "auth.password", value }] }),
    (stack) => resource(stack, "helm_release", "chart", { set: [{ name: "replicas", value: "3" }] }),
  ],
  [
    "SR001",
    "a function's environment",
    (stack) =>
      resource(stack, "aws_lambda_function", "f", { environment: [{ variables: { STRIPE: live } }] }),
    (stack) =>
      resource(stack, "aws_lambda_function", "f", {
        environment: [{ variables: { STRIPE_SECRET_ID: "prod/payments/stripe", TOKEN_TTL: "3600" } }],
      }),
  ],
  [
    "SR001",
    "a URL with a password",
    (stack) => new TerraformLocal(stack, "dsn", `postgres://app:${value}@db.example.org/shop`),
    (stack) => new TerraformLocal(stack, "dsn", "postgres://app@db.example.org/shop"),
  ],
  [
    "SR002",
    "a data source that reads a value",
    (stack) => stack.addOverride("data.aws_secretsmanager_secret_version.v", { secret_id: "prod/db" }),
    (stack) => stack.addOverride("data.aws_secretsmanager_secret.v", { name: "prod/db" }),
  ],
  [
    "SR002",
    "a version with a value",
    (stack) => resource(stack, "aws_secretsmanager_secret_version", "v", { secret_string: "${var.given}" }),
    (stack) =>
      resource(stack, "aws_secretsmanager_secret_version", "v", {
        secret_string_wo: "${var.given}",
        secret_string_wo_version: 1,
      }),
  ],
  [
    "SR002",
    "an output of a made password",
    (stack) => stack.addOverride("output.made", { value: "${random_password.p.result}", sensitive: true }),
    (stack) => stack.addOverride("output.made", { value: "${aws_secretsmanager_secret.p.arn}" }),
  ],
  [
    "SR003",
    "a build argument",
    (stack) =>
      resource(stack, "docker_image", "image", {
        build: [{ context: ".", build_args: { NPM_TOKEN: value } }],
      }),
    (stack) =>
      resource(stack, "docker_image", "image", {
        build: [{ context: ".", build_args: { NPM_TOKEN_SECRET_ID: "ci/npm", VERSION: "1.2" } }],
      }),
  ],
  ["SR010", "a secret", (stack) => secret(stack, { key: false }), (stack) => secret(stack)],
  ["SR011", "a secret", (stack) => secret(stack, { replica: false }), (stack) => secret(stack)],
  [
    "SR012",
    "a secret",
    (stack) => secret(stack, { rotation: false }),
    (stack) =>
      secret(stack, { rotation: false, tags: { "rotation-exemption": "The vendor has no second key" } }),
  ],
  [
    "SR020",
    "all secrets",
    (stack) => inline(stack, allow("secretsmanager:GetSecretValue", "*")),
    (stack) => inline(stack, allow("secretsmanager:GetSecretValue", `${ARN}prod/db-??????`)),
  ],
  [
    "SR020",
    "all below a path",
    (stack) => inline(stack, allow("secretsmanager:GetSecretValue", `${ARN}prod/*`)),
    (stack) => inline(stack, allow(["secretsmanager:ListSecrets", "secretsmanager:GetRandomPassword"], "*")),
  ],
  [
    "SR020",
    "all actions",
    (stack) => inline(stack, allow("secretsmanager:*", `${ARN}prod/db-??????`)),
    (stack) => inline(stack, allow("s3:*", "*")),
  ],
  [
    "SR020",
    "all keys",
    (stack) => inline(stack, allow("kms:Decrypt", "*")),
    (stack) =>
      inline(
        stack,
        allow("kms:Decrypt", "arn:aws:kms:*:111122223333:key/*", {
          Condition: { StringLike: { "kms:EncryptionContext:SecretARN": [`${ARN}prod/db-??????`] } },
        }),
      ),
  ],
  [
    "SR020",
    "a policy document of Terraform",
    (stack) => {
      const document = new DataAwsIamPolicyDocument(stack, "document", {
        statement: [{ actions: ["secretsmanager:GetSecretValue"], resources: ["*"] }],
      });
      inline(stack, document.json);
    },
    (stack) => {
      const document = new DataAwsIamPolicyDocument(stack, "document", {
        statement: [{ actions: ["secretsmanager:GetSecretValue"], resources: [`${ARN}prod/db-??????`] }],
      });
      inline(stack, document.json);
    },
  ],
  [
    "SR021",
    "a secret for everybody",
    (stack) =>
      resource(stack, "aws_secretsmanager_secret_policy", "p", {
        secret_arn: "x",
        policy: allow("secretsmanager:GetSecretValue", "*", { Principal: "*" }),
      }),
    (stack) =>
      resource(stack, "aws_secretsmanager_secret_policy", "p", {
        secret_arn: "x",
        policy: allow("secretsmanager:GetSecretValue", "*", {
          Principal: "*",
          Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1234567890" } },
        }),
      }),
  ],
  [
    "SR021",
    "a key for another account",
    (stack) =>
      resource(stack, "aws_kms_key", "k", {
        policy: allow("kms:Decrypt", "*", { Principal: { AWS: "arn:aws:iam::999999999999:root" } }),
      }),
    (stack) =>
      resource(stack, "aws_kms_key", "k", {
        policy: allow("kms:Decrypt", "*", { Principal: { AWS: "arn:aws:iam::111122223333:role/app" } }),
      }),
  ],
  [
    "SR022",
    "a path",
    (stack) => vaultPolicy(stack, "kv/data/*"),
    (stack) => vaultPolicy(stack, "kv/data/db"),
  ],
  [
    "SR030",
    "a subject by a pattern",
    trust({
      StringEquals: audience,
      StringLike: { "token.actions.githubusercontent.com:sub": "repo:acme/*" },
    }),
    trust({ StringEquals: { ...audience, ...subject } }),
  ],
  [
    "SR030",
    "no audience",
    trust({ StringEquals: subject }),
    trust({ StringEquals: { ...audience, ...subject } }),
  ],
  [
    "SR030",
    "a login of Vault",
    (stack) => vaultLogin(stack, { bound_service_account_namespaces: ["*"] }),
    (stack) => vaultLogin(stack, {}),
  ],
  [
    "SR040",
    "its own policy",
    (stack) => inline(stack, allow("secretsmanager:GetSecretValue", `${ARN}prod/payments/card-??????`)),
    (stack) => inline(stack, allow("secretsmanager:GetSecretValue", `${ARN}prod/db-??????`)),
  ],
  [
    "SR040",
    "an attached policy",
    (stack) => {
      resource(stack, "aws_iam_policy", "shared", {
        policy: allow("secretsmanager:GetSecretValue", "${aws_secretsmanager_secret.secret.arn}"),
      });
      resource(stack, "aws_iam_role_policy_attachment", "attached", {
        role: backend(stack).name,
        policy_arn: "${aws_iam_policy.shared.arn}",
      });
      secret(stack);
    },
    (stack) => {
      resource(stack, "aws_iam_policy", "shared", {
        policy: allow("secretsmanager:GetSecretValue", "${aws_secretsmanager_secret.secret.arn}"),
      });
      backend(stack);
      secret(stack);
    },
  ],
  [
    "SR040",
    "AWS's own policy",
    (stack) =>
      resource(stack, "aws_iam_role_policy_attachment", "attached", {
        role: backend(stack).name,
        policy_arn: "arn:aws:iam::aws:policy/SecretsManagerReadWrite",
      }),
    (stack) =>
      resource(stack, "aws_iam_role_policy_attachment", "attached", {
        role: backend(stack).name,
        policy_arn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
      }),
  ],
  [
    "SR040",
    "a role that it can take",
    (stack) => {
      inline(stack, allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/payments"));
      const other = new IamRole(stack, "payments", { name: "payments", assumeRolePolicy: policy() });
      new IamRolePolicy(stack, "theirs", {
        role: other.name,
        policy: allow("secretsmanager:GetSecretValue", `${ARN}prod/payments/card-??????`),
      });
    },
    (stack) => {
      backend(stack);
      const other = new IamRole(stack, "payments", { name: "payments", assumeRolePolicy: policy() });
      new IamRolePolicy(stack, "theirs", {
        role: other.name,
        policy: allow("secretsmanager:GetSecretValue", `${ARN}prod/payments/card-??????`),
      });
    },
  ],
  [
    "SR040",
    "the secret's own policy",
    (stack) => {
      backend(stack);
      secret(stack).addOverride(
        "policy",
        allow("secretsmanager:GetSecretValue", "*", {
          Principal: { AWS: "arn:aws:iam::111122223333:role/backend" },
        }),
      );
    },
    (stack) => {
      backend(stack);
      secret(stack).addOverride(
        "policy",
        allow("secretsmanager:GetSecretValue", "*", {
          Principal: { AWS: "arn:aws:iam::111122223333:role/payments" },
        }),
      );
    },
  ],
  [
    "SR040",
    "Vault",
    (stack) => {
      vaultLogin(stack, {});
      vaultPolicy(stack, "kv/data/payments/card");
    },
    (stack) => {
      vaultLogin(stack, {});
      vaultPolicy(stack, "kv/data/db");
    },
  ],
  [
    "SR050",
    "a log group",
    (stack) => new CloudwatchLogGroup(stack, "log", { name: "/app" }),
    (stack) => new CloudwatchLogGroup(stack, "log", { name: "/app", retentionInDays: 90 }),
  ],
  [
    "SR090",
    "a policy of a function of Terraform",
    (stack) =>
      inline(
        stack,
        Fn.jsonencode({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:Get*" }] }),
      ),
    (stack) => inline(stack, allow("s3:GetObject", "*")),
  ],
];

const props = { accessRules: DENIED, accounts: ["111122223333"] };
const rulesIn = (fill: Fill): readonly string[] =>
  guarded(fill, props).notes.map(({ text }) => text.split(" ")[0] ?? "");

test.each(CASES)("%s finds %s, and nothing beside it", (rule, _, wrong, right) => {
  const { notes } = guarded(wrong, props);
  const found = notes.filter(({ text }) => text.startsWith(`${rule} `));
  expect(found).not.toEqual([]);
  expect(found.map(({ level }) => level)).toEqual(
    found.map(() => (GUARDRAILS[rule].severity === "error" ? "error" : "warn")),
  );
  expect(JSON.stringify(notes)).not.toContain(value);
  expect(JSON.stringify(notes)).not.toContain(live);
  expect(rulesIn(right)).not.toContain(rule);
});

test("no rule of stacks is without a case, but for the one about suppressions", () => {
  expect([...new Set(CASES.map(([rule]) => rule))].sort()).toEqual(
    Object.keys(GUARDRAILS).filter((rule) => !["SR060", "SR091"].includes(rule)),
  );
});

test("a breach of the construct tree is one of the written Terraform too, and the other way round", () => {
  for (const [, , wrong] of CASES) {
    const { notes, terraform } = guarded(wrong, props);
    expect(checkStack(terraform, props).map(guardrailText).sort()).toEqual(
      notes.map(({ text }) => text).sort(),
    );
  }
});

test("an annotation stands at the construct that it is about, and says where, what was found and what to change", () => {
  const { notes } = guarded((stack) => new CloudwatchLogGroup(stack, "log", { name: "/app" }));
  expect(notes).toEqual([
    {
      level: "error",
      path: "theirs/log",
      text: "SR050 aws_cloudwatch_log_group.log retention_in_days: its events are kept for ever. Set retention_in_days to what your policy on logs says",
    },
  ]);
});

test("findings are warnings while a stack is brought in order", () => {
  const { notes } = guarded((stack) => new CloudwatchLogGroup(stack, "log", { name: "/app" }), {
    mode: "warn",
  });
  expect(notes.map(({ level }) => level)).toEqual(["warn"]);
});

describe("a suppression", () => {
  const by = {
    rule: "SR050",
    address: "aws_cloudwatch_log_group.*",
    reason: "The archive's own account deletes these after a year",
    until: "2026-12-31",
  } as const;
  const notesOn = (on: string): readonly { readonly level: string; readonly text: string }[] =>
    guarded((stack) => new CloudwatchLogGroup(stack, "log", { name: "/app" }), { suppressions: [by], on })
      .notes;

  test("holds through its last day, and is told", () => {
    expect(notesOn("2026-12-31")).toMatchObject([
      { level: "info", text: expect.stringContaining(`Accepted until 2026-12-31: ${by.reason}`) },
    ]);
  });

  test("lapses", () => {
    expect(notesOn("2027-01-01").map(({ level, text }) => [level, text.slice(0, 5)])).toEqual(
      expect.arrayContaining([
        ["error", "SR050"],
        ["warn", "SR091"],
      ]),
    );
  });

  test.each([
    ["of no rule", { rule: "SR999" }],
    ["without a reason", { reason: "later" }],
    ["without an end", { until: "never" }],
    ["with something else", { for: "ever" }],
  ])("%s is refused", (_, part) => {
    expect(() => parseSuppressions([{ ...by, ...part }])).toThrow(GuardrailSettingsError);
  });
});

test.each(registry.environmentNames)(
  "our own stack of %s has no finding that nobody gave a reason for",
  (name) => {
    const { suppressions } = JSON.parse(readFileSync(join(__dirname, "../../guardrails.json"), "utf8"));
    synthesize({ registry, environment: name }, (terraform) => {
      const { findings } = suppress(checkStack(terraform), parseSuppressions(suppressions), "2026-12-01");
      expect(findings.map(guardrailText)).toEqual([]);
    });
  },
);
