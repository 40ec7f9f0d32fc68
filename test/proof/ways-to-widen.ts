import type { EnvironmentPolicies, PolicyJson } from "../../lib/proof";

/** Policies that a test may change. */
export type Draft = { -readonly [K in keyof EnvironmentPolicies]: EnvironmentPolicies[K] };

/** Statements of a policy that a test may change. */
interface DraftStatement {
  Sid?: string;
  Effect: string;
  Action: string[];
  Resource?: string[];
  Principal?: unknown;
  Condition: Record<string, Record<string, string[]>>;
}

const statements = (policy: PolicyJson): DraftStatement[] =>
  (policy as { Statement: DraftStatement[] }).Statement;

const named = <T extends { readonly name: string }>(list: readonly T[], name: string): T => {
  const found = list.find((entry) => entry.name === name);
  if (!found) throw new Error(`no ${name} among ${list.map((entry) => entry.name).join()}`);
  return found;
};

const conditionOf = (policy: PolicyJson, index: number): Record<string, Record<string, string[]>> =>
  statements(policy)[index]?.Condition ?? {};

/** One way by which access is widened, and the request that it makes possible. */
export interface WayToWiden {
  readonly name: string;
  readonly widen: (head: Draft, other: Draft) => void;
  readonly finding: Readonly<Record<string, unknown>>;
}

const ROLE = "arn:aws:iam::333333333333:role/acme/prod";
const PROVIDER =
  "arn:aws:iam::333333333333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/9A0DCE01B2C3D4E5F60718293A4B5C6D";
const ISSUER = PROVIDER.replace(/.*oidc-provider\//, "");

const secret = (draft: Draft, key: string) => {
  const found = draft.secrets.find((entry) => entry.key === key);
  if (!found) throw new Error(`no ${key}`);
  return found;
};

/** Ways of an environment `prod` of this repository's registry. */
export const WAYS: readonly WayToWiden[] = [
  {
    name: "a wildcard in a secret's list of readers",
    widen: (head) => {
      conditionOf(secret(head, "db/app-primary").policy, 0).ArnNotLike?.["aws:PrincipalArn"]?.push(
        `${ROLE}/*`,
      );
      conditionOf(secret(head, "db/app-primary").policy, 1).ArnNotLike?.["aws:PrincipalArn"]?.push(
        `${ROLE}/*`,
      );
    },
    finding: {
      way: "secret",
      about: "db/app-primary",
      caller: expect.stringMatching(`^${ROLE}/.+`),
      action: "secretsmanager:GetSecretValue",
      resource: "arn:aws:secretsmanager:eu-central-1:333333333333:secret:prod/db/app-primary-AbCdEf",
    },
  },
  {
    name: "a condition dropped",
    widen: (head) => {
      const served = statements(secret(head, "db/app-primary").policy).find(
        ({ Sid }) => Sid === "ConsumersReadServedLabels",
      );
      if (served) served.Condition["ForAllValues:StringNotEquals"] = { "secretsmanager:VersionStage": [] };
      if (served) served.Condition.StringEquals = { "secretsmanager:VersionStage": ["never"] };
    },
    finding: {
      way: "secret",
      about: "db/app-primary",
      caller: `${ROLE}/acme-prod-backend`,
      action: "secretsmanager:GetSecretValue",
      context: { "secretsmanager:versionstage": expect.not.stringMatching(/^AWS(CURRENT|PREVIOUS)$/) },
    },
  },
  {
    name: "the subject of a trust policy",
    widen: (head) => {
      const condition = conditionOf(named(head.roles, "backend").trust, 0);
      const { [`${ISSUER}:sub`]: subject = [], ...rest } = condition.StringEquals ?? {};
      condition.StringEquals = rest;
      condition.StringLike = { [`${ISSUER}:sub`]: subject.map((text) => text.replace(/[^:]*$/, "*")) };
    },
    finding: {
      way: "trust",
      about: "backend",
      caller: PROVIDER,
      action: "sts:AssumeRoleWithWebIdentity",
      context: {
        [`${ISSUER}:aud`.toLowerCase()]: "sts.amazonaws.com",
        [`${ISSUER}:sub`.toLowerCase()]: expect.stringMatching(/^system:serviceaccount:backend:(?!backend$)/),
      },
    },
  },
  {
    name: "the audience of a trust policy",
    widen: (head) => {
      delete conditionOf(named(head.roles, "backend").trust, 0).StringEquals?.[`${ISSUER}:aud`];
    },
    finding: { way: "trust", about: "backend", action: "sts:AssumeRoleWithWebIdentity", caller: PROVIDER },
  },
  {
    name: "the key's policy",
    widen: (head) => {
      delete conditionOf(head.keys[0]?.policy, 1).ArnLike;
    },
    finding: {
      way: "key",
      about: "secrets key",
      caller: "arn:aws:iam::333333333333:role/somebody",
      action: "kms:Decrypt",
    },
  },
  {
    name: "a secret's resource policy that names another account",
    widen: (head) => {
      const [deny] = statements(secret(head, "db/app-primary").policy);
      if (deny)
        deny.Condition.ArnNotLike?.["aws:PrincipalArn"]?.push("arn:aws:iam::999999999999:role/partner");
      statements(secret(head, "db/app-primary").policy).push({
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::999999999999:role/partner" },
        Action: ["secretsmanager:GetSecretValue"],
        Resource: ["*"],
        Condition: {},
      });
    },
    finding: {
      way: "secret",
      about: "db/app-primary",
      caller: "arn:aws:iam::999999999999:role/partner",
      action: "secretsmanager:GetSecretValue",
    },
  },
  {
    name: "a role that another may take",
    widen: (head) => {
      statements(named(head.roles, "backend").trust).push({
        Effect: "Allow",
        Principal: { AWS: `${ROLE}/acme-prod-celery` },
        Action: ["sts:AssumeRole"],
        Condition: {},
      });
    },
    finding: {
      way: "trust",
      about: "backend",
      caller: `${ROLE}/acme-prod-celery`,
      action: "sts:AssumeRole",
      resource: `${ROLE}/acme-prod-backend`,
    },
  },
  {
    name: "a wildcard in a path of Vault",
    widen: (head) => {
      const [vault] = head.vaults;
      const policy = vault?.policies.find(({ name }) => name.endsWith("backend"));
      const rule = policy?.rules?.find(({ path }) => path.startsWith("kv-prod/data/db"));
      if (rule) (rule as { path: string }).path = "kv-prod/data/*";
    },
    finding: {
      way: "Vault",
      caller: expect.stringContaining("system:serviceaccount:backend:backend by "),
      action: "read",
      resource: expect.stringMatching(/^kv-prod\/data\//),
    },
  },
  {
    name: "an auth role of Vault for another ServiceAccount",
    widen: (head) => {
      const login = head.vaults[0]?.logins.find(({ name }) => name.endsWith("backend"));
      if (login) (login as { serviceAccounts: readonly string[] }).serviceAccounts = ["backend", "web"];
    },
    finding: {
      way: "Vault",
      caller: expect.stringContaining("system:serviceaccount:backend:web by "),
      action: "read",
    },
  },
  {
    name: "a pod identity association for another ServiceAccount",
    widen: (head, other) => {
      const role = named(head.roles, "backend");
      for (const draft of [head, other]) {
        (named(draft.roles, "backend") as { trust: PolicyJson }).trust = {
          Statement: [
            {
              Effect: "Allow",
              Principal: { Service: "pods.eks.amazonaws.com" },
              Action: ["sts:AssumeRole", "sts:TagSession"],
            },
          ],
        };
      }
      head.associations = [
        {
          cluster: "prod-eu",
          clusterArn: "arn:aws:eks:eu-central-1:333333333333:cluster/prod-eu",
          namespace: "web",
          serviceAccount: "shop",
          roleArn: role.arn,
        },
      ];
    },
    finding: {
      way: "pod identity",
      about: "backend",
      caller: "system:serviceaccount:web:shop of prod-eu",
      action: "sts:AssumeRole",
      resource: `${ROLE}/acme-prod-backend`,
    },
  },
  {
    name: "a second environment on one cluster",
    widen: (head) => {
      // The second environment's role, in the same account, for the same ServiceAccount.
      const role = named(head.roles, "backend");
      head.roles = [
        ...head.roles,
        { ...role, arn: `${ROLE.replace("/prod", "/perf")}/acme-perf-backend`, name: "backend of perf" },
      ];
    },
    finding: {
      way: "token of two roles",
      caller: PROVIDER,
      action: "sts:AssumeRoleWithWebIdentity",
      context: {
        [`${ISSUER}:aud`.toLowerCase()]: "sts.amazonaws.com",
        [`${ISSUER}:sub`.toLowerCase()]: "system:serviceaccount:backend:backend",
      },
    },
  },
  {
    name: "a right to a function's code",
    widen: (head) => {
      statements(named(head.roles, "celery").policies[0]).push({
        Effect: "Allow",
        Action: ["lambda:UpdateFunctionCode"],
        Resource: ["arn:aws:lambda:*:333333333333:function:acme-prod--rotate-*"],
        Condition: {},
      });
    },
    finding: {
      way: "code or call of a function",
      caller: `${ROLE}/acme-prod-celery`,
      action: "lambda:UpdateFunctionCode",
      resource: expect.stringContaining(":function:acme-prod--rotate-"),
    },
  },
];
