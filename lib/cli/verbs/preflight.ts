import { type Blueprint, blueprint, type Prerequisites, prerequisitesOf } from "../../blueprint";
import type { Registry } from "../../model";
import {
  isUnanswered,
  type PreflightCloud,
  type TrailFacts,
  type VaultAudit,
} from "../cloud/preflight-cloud";
import { deployerChecks } from "./deployer-rights";
import type { PreflightCheck } from "./preflight-check";
import { sessionNameChecks } from "./session-names";

export type { PreflightCheck } from "./preflight-check";

/** All checks of an environment. */
export interface PreflightReport {
  readonly environment: string;
  readonly account: string;
  /** `false` when something is missing. */
  readonly ready: boolean;
  readonly checks: readonly PreflightCheck[];
}

const ok = (check: string, found: string): PreflightCheck => ({ check, state: "ok", found, change: "" });

/**
 * Checks of an environment's surroundings, before the first deployment and at any time after it:
 * a trail without which no rule about API calls ever fires, audit devices of Vault, quotas, principals and rights.
 */
export async function preflight(
  registry: Registry,
  environment: string,
  cloud: PreflightCloud,
  vaults: VaultAudit,
): Promise<PreflightReport> {
  const plan = blueprint(registry, environment);
  const needs = prerequisitesOf(registry, environment);
  const account = await accountCheck(plan, cloud);
  // In another account every other answer would be about the wrong things.
  const checks =
    account.state === "missing"
      ? [account]
      : [
          account,
          ...(await surroundings(registry, environment, cloud, vaults)),
          ...(await principalChecks(plan, cloud)),
          ...(await sessionNameChecks(registry, environment, cloud)),
          ...(await identityChecks(needs, cloud)),
        ];
  return {
    environment,
    account: plan.account,
    ready: checks.every(({ state }) => state !== "missing"),
    checks,
  };
}

/**
 * Checks of those surroundings that may be taken away from an environment later: trail, data events, audit devices,
 * quotas, the deployer's rights.
 */
export async function surroundings(
  registry: Registry,
  environment: string,
  cloud: Pick<PreflightCloud, "trails" | "account" | "rolesBelow" | "denied">,
  vaults: VaultAudit,
): Promise<readonly PreflightCheck[]> {
  const plan = blueprint(registry, environment);
  const needs = prerequisitesOf(registry, environment);
  return [
    ...(await trailChecks(plan, needs, cloud)),
    ...(await quotaChecks(needs, cloud)),
    ...(await deployerChecks(plan, cloud)),
    ...(await auditChecks(plan, vaults)),
  ];
}

/** The account, and a trail in each region that needs one: what every event "via CloudTrail" rests on. */
export async function trailPreflight(
  registry: Registry,
  environment: string,
  cloud: Pick<PreflightCloud, "callerAccount" | "trails">,
): Promise<readonly PreflightCheck[]> {
  const plan = blueprint(registry, environment);
  const account = await accountCheck(plan, cloud);
  if (account.state === "missing") return [account];
  const { byRegion } = await trailsByRegion(plan, prerequisitesOf(registry, environment), cloud);
  return [account, ...byRegion];
}

async function accountCheck(
  { account, environment }: Blueprint,
  cloud: Pick<PreflightCloud, "callerAccount">,
): Promise<PreflightCheck> {
  const found = await cloud.callerAccount();
  return found === account
    ? ok("account", account)
    : {
        check: "account",
        state: "missing",
        found: `credentials of account ${found}`,
        change: `take a role of ${environment}'s account ${account}`,
      };
}

/** Resource types whose data events show what management events do not. */
const DATA_EVENTS: readonly (readonly [string, string])[] = [
  ["AWS::DynamoDB::Table", "writes to the tables of runs and changes by anybody but the functions"],
  ["AWS::Lambda::Function", "calls of the dispatcher and of functions that rotate"],
  ["AWS::S3::Object", "reads of rotation records"],
];

async function trailChecks(
  plan: Blueprint,
  needs: Prerequisites,
  cloud: Pick<PreflightCloud, "trails">,
): Promise<readonly PreflightCheck[]> {
  const { byRegion, seen } = await trailsByRegion(plan, needs, cloud);
  const logged = new Set(seen.flatMap(({ isLogging, dataResources }) => (isLogging ? dataResources : [])));
  const data = DATA_EVENTS.map(([type, shows]): PreflightCheck => {
    const check = `data events of ${type}`;
    return logged.has(type)
      ? ok(check, "logged")
      : {
          check,
          state: seen.length > 0 ? "advice" : "unknown",
          found: "not logged",
          change: `log them, for this account's own resources, to see ${shows}`,
        };
  });
  return [...byRegion, ...data];
}

/** A check of each region, and the trails that the primary region shows. */
async function trailsByRegion(
  plan: Blueprint,
  { trailRegions, globalRegion }: Prerequisites,
  cloud: Pick<PreflightCloud, "trails">,
): Promise<{ readonly byRegion: readonly PreflightCheck[]; readonly seen: readonly TrailFacts[] }> {
  const byRegion: PreflightCheck[] = [];
  let seen: readonly TrailFacts[] = [];
  for (const region of trailRegions) {
    const trails = await cloud.trails(region);
    const check = `trail in ${region}`;
    if (isUnanswered(trails)) {
      byRegion.push({
        check,
        state: "unknown",
        found: trails.unanswered,
        change: "ask with cloudtrail:DescribeTrails, GetTrailStatus and GetEventSelectors",
      });
      continue;
    }
    if (region === plan.regions.primary) seen = trails;
    byRegion.push(trailCheck(check, trails, region === globalRegion));
  }
  return { byRegion, seen };
}

/** Check of a trail: without one that logs them, events "via CloudTrail" do not exist, and rules about them never match. */
function trailCheck(check: string, trails: readonly TrailFacts[], needsGlobal: boolean): PreflightCheck {
  const faultsOf = (trail: TrailFacts): readonly string[] => [
    ...(trail.isLogging ? [] : ["is not logging"]),
    ...(trail.logsWrites ? [] : ["leaves out management events that write"]),
    ...(trail.logsReads ? [] : ["leaves out management events that read, GetSecretValue among them"]),
    ...(needsGlobal && !trail.includesGlobalServices ? ["leaves out global services, IAM among them"] : []),
    ...(trail.excludedSources.length > 0 ? [`leaves out ${trail.excludedSources.join(", ")}`] : []),
  ];
  const judged = trails.map((trail) => ({ name: trail.name, faults: faultsOf(trail) }));
  const good = judged.find(({ faults }) => faults.length === 0);
  if (good) return ok(check, good.name);
  return {
    check,
    state: "missing",
    found:
      judged.length === 0
        ? "none"
        : judged.map(({ name, faults }) => `${name} ${faults.join(" and ")}`).join("; "),
    change:
      "a trail for all regions that logs all management events: without it no page about failed rotations or dismantled protection ever comes",
  };
}

async function principalChecks(plan: Blueprint, cloud: PreflightCloud): Promise<readonly PreflightCheck[]> {
  const { deployer, operators, approvers, breakGlass, ci } = plan.principals;
  const named: readonly (readonly [string, readonly string[]])[] = [
    ["deployer", [deployer]],
    ["operators", operators],
    ["approvers", approvers],
    ["break-glass", breakGlass],
    ["ci", ci === undefined ? [] : [ci]],
  ];
  const checks = named.flatMap(([who, arns]) =>
    arns.map(async (arn): Promise<PreflightCheck> => {
      const check = `principal ${who}`;
      const exists = await cloud.principalExists(arn);
      if (isUnanswered(exists))
        return {
          check,
          state: "unknown",
          found: exists.unanswered,
          change: "ask with iam:GetRole and iam:GetUser",
        };
      return exists
        ? ok(check, arn)
        : { check, state: "missing", found: `no ${arn}`, change: "make it, or name the one that there is" };
    }),
  );
  return Promise.all(checks);
}

async function identityChecks(
  needs: Prerequisites,
  cloud: PreflightCloud,
): Promise<readonly PreflightCheck[]> {
  const checks: PreflightCheck[] = [];
  for (const { arn, audience, cluster } of needs.oidcProviders) {
    const check = `OIDC provider of ${cluster}`;
    const audiences = await cloud.oidcAudiences(arn);
    if (isUnanswered(audiences)) {
      checks.push({
        check,
        state: "unknown",
        found: audiences.unanswered,
        change: "ask with iam:GetOpenIDConnectProvider",
      });
    } else if (audiences === undefined) {
      checks.push({
        check,
        state: "missing",
        found: `no ${arn}`,
        change: 'make it with the cluster, or let this stack make it (oidcProvider: "create")',
      });
    } else {
      checks.push(
        audiences.includes(audience)
          ? ok(check, arn)
          : {
              check,
              state: "missing",
              found: `audiences ${audiences.join(", ") || "none"}`,
              change: `add the audience ${audience}`,
            },
      );
    }
  }
  if (needs.awsTokenIssuer !== undefined) checks.push(await issuerCheck(needs.awsTokenIssuer, cloud));
  return checks;
}

async function issuerCheck(wanted: string, cloud: PreflightCloud): Promise<PreflightCheck> {
  const check = "issuer of AWS's tokens";
  const issuer = await cloud.tokenIssuer();
  if (isUnanswered(issuer)) {
    return {
      check,
      state: "unknown",
      found: issuer.unanswered,
      change: "ask with iam:GetOutboundWebIdentityFederationInfo",
    };
  }
  if (issuer === wanted) return ok(check, issuer);
  return {
    check,
    state: "missing",
    found: issuer ?? "outbound web identity federation is off",
    change:
      issuer === undefined
        ? "aws iam enable-outbound-web-identity-federation, and awsTokenIssuer as it prints it"
        : `awsTokenIssuer: ${JSON.stringify(issuer)}`,
  };
}

async function quotaChecks(
  needs: Prerequisites,
  cloud: Pick<PreflightCloud, "account" | "rolesBelow">,
): Promise<readonly PreflightCheck[]> {
  const check = "IAM roles (quota L-FE177D64)";
  const [facts, ours] = await Promise.all([cloud.account(), cloud.rolesBelow(needs.rolePath)]);
  if (isUnanswered(facts) || isUnanswered(ours)) {
    const found = [facts, ours].find(isUnanswered)?.unanswered ?? "";
    return [{ check, state: "unknown", found, change: "ask with iam:GetAccountSummary and iam:ListRoles" }];
  }
  const needed = Math.max(0, needs.roleCount - ours);
  const free = facts.rolesQuota - facts.roles;
  return [
    needed <= free
      ? ok(check, `${facts.roles} of ${facts.rolesQuota}, ${needed} more are made`)
      : {
          check,
          state: "missing",
          found: `${facts.roles} of ${facts.rolesQuota}, and ${needed} more are made`,
          change: `ask AWS for a quota of ${facts.roles + needed} or more`,
        },
  ];
}

async function auditChecks(plan: Blueprint, vaults: VaultAudit): Promise<readonly PreflightCheck[]> {
  return Promise.all(
    plan.vaults.map(async (vault): Promise<PreflightCheck> => {
      const check = `audit devices of Vault ${vault.name}`;
      const devices = await vaults.devices(vault);
      if (isUnanswered(devices)) {
        return {
          check,
          state: "unknown",
          found: devices.unanswered,
          change: "ask with a token that may read sys/audit (sudo), in VAULT_TOKEN",
        };
      }
      // A server whose only device takes no more writes answers nobody:
      // https://developer.hashicorp.com/vault/docs/audit#blocked-audit-devices
      if (devices.length >= 2) return ok(check, devices.join(", "));
      return {
        check,
        state: devices.length === 0 ? "missing" : "advice",
        found: devices.join(", ") || "none",
        change: "switch two on: one that is full or away stops the server when it is the only one",
      };
    }),
  );
}
