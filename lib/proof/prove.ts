import { type Blueprint, blueprint, isMirrored } from "../blueprint";
import { oidcProviderArn } from "../blueprint/platform/aws-arns";
import type { Registry } from "../model";
import { CODE, KEY_ACTIONS, REWRITING, TAKING } from "./actions";
import { allowanceOf, type CallerSet, keyPlace, requestsOf, secretPlace, trustPlace } from "./allowance";
import type { EnvironmentPolicies, ProtectedRole, VaultLogin } from "./environment-policies";
import { type ExpectedSecret, expectedAccess } from "./expected-access";
import { type Finding, findingOf } from "./finding";
import { policiesOf } from "./policies-of-blueprint";
import { ALL_REQUESTS, NOTHING, type RequestSet } from "./request-set";
import { opensRoleOf, sharedTokens } from "./shared-tokens";
import { ANY, oneOf } from "./texts";
import { among } from "./values";
import { rightsOf, vaultFinding } from "./vault-rights";
import { handedOutRoles, rightsOver } from "./widened-roles";
import { pastSecretsManager, search, somebody } from "./widened-secrets";

/** Answer to whether an environment's policies allow what its registry says, and nothing else. */
export interface EnvironmentProof {
  readonly environment: string;
  /** Requests that are possible, or not decided, and that the registry does not have. */
  readonly beyond: readonly Finding[];
  /** Access that the registry has and the policies do not allow: caller, action, secret. */
  readonly missing: readonly { readonly caller: string; readonly action: string; readonly secret: string }[];
  /** Numbers of what was proved about. */
  readonly about: {
    readonly secrets: number;
    readonly keys: number;
    readonly roles: number;
    readonly logins: number;
  };
}

/**
 * Proves that the finished policies of an environment allow exactly what the registry says of its secrets, for all requests.
 *
 * @param written finished policies that are proved in place of the blueprint's, such as those of a synthesized output: the environment's
 * and those of other environments. @default the blueprint's
 */
export function prove(
  registry: Registry,
  environment: string,
  written: readonly EnvironmentPolicies[] = [],
): EnvironmentProof {
  const plan = blueprint(registry, environment);
  const policiesIn = (name: string): EnvironmentPolicies =>
    written.find((one) => one.environment === name) ??
    policiesOf(name === environment ? plan : blueprint(registry, name));
  const policies = policiesIn(environment);
  const all = registry.environmentNames.map((name) => (name === environment ? policies : policiesIn(name)));
  const expected = expectedAccess(registry, plan);
  return {
    environment,
    beyond: [
      ...expected.flatMap((secret) => beyondSecret(policies, secret)),
      ...beyondKeys(policies, plan),
      ...policies.roles.flatMap((role) => beyondTrust(policies, plan, role)),
      ...beyondReach(policies, all),
      ...beyondVaults(policies, plan),
      ...sharedTokens(all).filter((finding) => opensRoleOf(finding, policies)),
    ],
    missing: expected.flatMap((secret) => missingOf(policies, secret)),
    about: {
      secrets: expected.length,
      keys: policies.keys.length,
      roles: policies.roles.length,
      logins: policies.vaults.reduce((sum, { logins }) => sum + logins.length, 0),
    },
  };
}

const policyOf = (policies: EnvironmentPolicies, name: string): unknown =>
  policies.secrets.find((secret) => secret.name === name)?.policy;

function beyondSecret(policies: EnvironmentPolicies, expected: ExpectedSecret): readonly Finding[] {
  const policy = policyOf(policies, expected.name);
  const ask = (
    region: string,
    actions: readonly string[],
    caller: CallerSet,
    narrow?: RequestSet["keys"],
  ) => {
    const place = secretPlace(policies, expected.name, region, actions);
    const within = requestsOf(caller, place);
    const result = search(
      narrow ? { ...within, keys: new Map([...within.keys, ...narrow]) } : within,
      allowanceOf(caller, place, policy, false),
      NOTHING,
      somebody(policies),
    );
    return result ? [findingOf("secret", expected.key, result, actions)] : [];
  };
  return expected.regions.flatMap((region) => [
    ...expected.rights.flatMap(({ actions, callers }) =>
      ([{ kind: "account", except: callers }, { kind: "foreign" }, { kind: "service" }] as const).flatMap(
        (caller) => ask(region, actions, caller),
      ),
    ),
    // A version that nobody has tested is not for consumers, whatever the request calls it.
    ...policies.roles
      .filter(({ arn }) => expected.consumers.includes(arn))
      .flatMap((role) => ask(region, ["secretsmanager:GetSecretValue"], { kind: "role", role }, NOT_SERVED)),
  ]);
}

const NOT_SERVED: RequestSet["keys"] = new Map([
  ["secretsmanager:versionstage", among({ ...ANY, not: new Set(["AWSCURRENT", "AWSPREVIOUS"]) })],
]);

function missingOf(policies: EnvironmentPolicies, expected: ExpectedSecret): EnvironmentProof["missing"] {
  const wanted = [
    ...expected.consumers.map((arn) => [arn, "secretsmanager:GetSecretValue", expected.regions] as const),
    ...(expected.rotator === undefined
      ? []
      : [[expected.rotator, "secretsmanager:PutSecretValue", expected.regions.slice(0, 1)] as const]),
  ];
  return wanted.flatMap(([arn, action, regions]) => {
    const role = policies.roles.find((one) => one.arn === arn);
    const may = regions.every((region) => {
      const place = secretPlace(policies, expected.name, region, [action]);
      const caller = role && ({ kind: "role", role } as const);
      const found =
        caller &&
        search(
          requestsOf(caller, place),
          allowanceOf(caller, place, policyOf(policies, expected.name), false),
          NOTHING,
        );
      return found?.found === "request";
    });
    return may ? [] : [{ caller: arn, action, secret: expected.key }];
  });
}

/**
 * Requests for keys beyond the registry: nobody but the environment's roles and people uses its keys, and none of its
 * roles past Secrets Manager.
 */
function beyondKeys(policies: EnvironmentPolicies, { principals }: Blueprint): readonly Finding[] {
  const { deployer, operators, breakGlass } = principals;
  const roles = policies.roles;
  const known = [...roles.map(({ arn }) => arn), deployer, ...operators, ...breakGlass];
  return policies.keys.flatMap(({ use, region, policy }) => {
    const place = keyPlace(policies, region);
    const callers: readonly CallerSet[] = [
      { kind: "account", except: known },
      { kind: "foreign" },
      { kind: "service" },
      ...(use === "secrets" ? roles.map((role): CallerSet => ({ kind: "role", role })) : []),
    ];
    return callers.flatMap((caller) => {
      const within = requestsOf(caller, place);
      const result = search(
        caller.kind === "role" ? pastSecretsManager(within) : within,
        allowanceOf(caller, place, policy, true),
        NOTHING,
        somebody(policies),
      );
      return result ? [findingOf("key", `${use} key`, result, KEY_ACTIONS)] : [];
    });
  });
}

/** A workload's role is taken by the tokens of its ServiceAccount alone, any other by a service of this account alone. */
function beyondTrust(
  policies: EnvironmentPolicies,
  plan: Blueprint,
  role: ProtectedRole,
): readonly Finding[] {
  const place = trustPlace(policies);
  const tokens = tokensOf(plan, role);
  const callers: readonly CallerSet[] = [
    { kind: "token" },
    { kind: "account", except: [] },
    { kind: "foreign" },
    ...(role.isWorkload && tokens.length > 0 ? [{ kind: "service" } as const] : []),
  ];
  return callers.flatMap((caller) => {
    const result = search(
      requestsOf(caller, place),
      allowanceOf(caller, place, role.trust, true),
      caller.kind === "token" ? { groups: [tokens], denials: [] } : NOTHING,
      somebody(policies),
    );
    return result ? [{ ...findingOf("trust", role.name, result, TAKING), resource: role.arn }] : [];
  });
}

/** https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html */
function tokensOf(plan: Blueprint, { arn }: ProtectedRole): readonly RequestSet[] {
  const workload = plan.workloads.find(({ role }) => role.arn === arn);
  if (workload === undefined) return [];
  return plan.clusters
    .filter(
      ({ name, identity }) => identity === "irsa" && workload.pods.some(({ cluster }) => cluster === name),
    )
    .map(({ issuer }) => {
      const place = issuer.replace(/^https:\/\//, "");
      const is = (value: string) => among(oneOf([value]));
      return {
        ...ALL_REQUESTS,
        action: oneOf(["sts:assumerolewithwebidentity"]),
        caller: oneOf([oidcProviderArn(plan, issuer)]),
        keys: new Map([
          [`${place}:aud`.toLowerCase(), is("sts.amazonaws.com")],
          [
            `${place}:sub`.toLowerCase(),
            is(`system:serviceaccount:${workload.namespace}:${workload.serviceAccount}`),
          ],
        ]),
      };
    });
}

/** No role takes or rewrites another or a function's code; who is handed policies does so in no other environment. */
function beyondReach(policies: EnvironmentPolicies, all: readonly EnvironmentPolicies[]): readonly Finding[] {
  const code = CODE.filter((action) => action !== "lambda:InvokeFunction");
  const near = all.filter(({ account }) => account === policies.account);
  const reached = (holder: ProtectedRole, targets: readonly EnvironmentPolicies[]): readonly Finding[] =>
    targets.flatMap((target) => [
      ...target.roles
        .filter(({ arn }) => arn !== holder.arn)
        .flatMap(({ arn, name }) =>
          ask(holder, "role of another", name, arn, [...REWRITING, "sts:AssumeRole"]),
        ),
      ...target.functions.flatMap(({ arn, name }) =>
        ask(holder, "code or call of a function", name, arn, code),
      ),
    ]);
  const ask = (
    holder: ProtectedRole,
    way: Finding["way"],
    name: string,
    arn: string,
    actions: readonly string[],
  ): readonly Finding[] => {
    // What a machine or a rule hands to its own service is its work.
    const result = search(
      requestsOf({ kind: "role", role: holder }, { policies, family: arn, actions }),
      rightsOver(policies, holder, arn, actions),
      NOTHING,
    );
    return result ? [findingOf(way, name, result, actions)] : [];
  };
  const elsewhere = near.filter(({ environment }) => environment !== policies.environment);
  return [
    ...policies.roles.flatMap((role) => reached(role, near)),
    // Whoever deploys an environment writes its roles; those of another are not its own.
    ...handedOutRoles(policies).flatMap((role) => reached(role, role.name === "deployer" ? elsewhere : near)),
  ];
}

/** A login reads the paths of its workload's secrets, and renews what it has. */
function beyondVaults(policies: EnvironmentPolicies, plan: Blueprint): readonly Finding[] {
  return policies.vaults.flatMap((vault) =>
    rightsOf(vault).flatMap(({ login, set }) => {
      const expected = login.bearer ? rightsOfMirror(plan, vault.name) : rightsOfPods(plan, login);
      const result = search(
        ALL_REQUESTS,
        { groups: [[set]], denials: [] },
        expected.length === 0 ? NOTHING : { groups: [expected], denials: [] },
      );
      return result ? [vaultFinding(vault.name, login, result)] : [];
    }),
  );
}

const may = (actions: readonly string[], resources: readonly string[]): RequestSet => ({
  ...ALL_REQUESTS,
  action: oneOf(actions),
  resource: oneOf(resources),
});

function rightsOfPods(plan: Blueprint, login: VaultLogin): readonly RequestSet[] {
  const workload = plan.workloads.find(
    ({ namespace, serviceAccount }) =>
      login.namespaces.join() === namespace && login.serviceAccounts.join() === serviceAccount,
  );
  const paths = plan.secrets
    .filter(({ key }) => workload?.secrets.includes(key))
    .map(({ vaultPath }) => vaultPath);
  return [may(["read"], paths), may(["update"], RENEWALS)];
}

const RENEWALS = ["auth/token/renew-self", "sys/leases/renew"];

/**
 * The mirror's function copies the secrets that pods read in Vault and rotates connections, by a token in which AWS says that it is
 * the one that asks.
 */
function rightsOfMirror(plan: Blueprint, vault: string): readonly RequestSet[] {
  const { mirror, databases = [] } = plan.vaults.find(({ name }) => name === vault) ?? {};
  if (mirror === undefined) return [];
  const copies = plan.secrets.filter((secret) => isMirrored(plan, secret));
  const roots = databases.flatMap(({ connections }) => connections.map((one) => one.rotateRootPath));
  const keys: RequestSet["keys"] = new Map(
    [
      ["subject", mirror.subject],
      ["audience", mirror.audience],
      ...Object.entries(mirror.boundClaims).map(([claim, value]) => [`claim ${claim}`, value]),
    ].map(([name = "", value = ""]) => [name, among(oneOf([value]))]),
  );
  return [
    may(
      ["create", "read", "update"],
      copies.map(({ vaultPath }) => vaultPath),
    ),
    may(["update"], [...roots, "auth/token/revoke-self"]),
  ].map((set) => ({ ...set, keys }));
}
