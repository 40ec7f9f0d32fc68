import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { AwsSecretPlan, SecretPlan } from "../../../../lib/blueprint";
import { bootstrap, type Progress as StepProgress } from "../../../../lib/cli";
import type { Registry } from "../../../../lib/model";
import { labelHolder } from "../../../../lib/rotation/protocol/label-holder";
import { type AuditCompleteness, auditCompleteness } from "../audit/completeness";
import { secretsManager } from "../load";
import type { ServerGroup } from "../servers";
import { type RehearsedWorld, standUp } from "../world";
import { type Acts, actAsWorkloads } from "./act-as-workloads";
import { Phases } from "./phases";
import { rehearsalHost, rehearsedPlaces } from "./rehearsal-host";
import type { RehearsalDifference, RehearsalReport, RehearsedSecret } from "./report";
import { currentValue, type Rotated, rotateAll } from "./rotate-all";

/** Subject of a rehearsal. */
export interface RehearsalOptions {
  readonly registry: Registry;
  readonly environment: string;
  /** The servers end with it. */
  readonly group: ServerGroup;
  readonly logFolder: string;
  /** Shows what is done. */
  readonly progress: StepProgress;
  /** Done while the world is stood up. Its failure ends the rehearsal. @default nothing */
  readonly synthesize?: () => Promise<void>;
  /** Called when the world stands, before anything is rotated: a test breaks something here. @default nothing */
  readonly meddle?: (world: RehearsedWorld) => Promise<void>;
  /** Called when all is rotated, before anybody reads. @default nothing */
  readonly meddleLater?: (world: RehearsedWorld) => Promise<void>;
}

/**
 * Rehearses an environment on embedded servers, from nothing to the last decommission: stands it up, gives secrets their
 * first values, rotates them, retires what was before, and acts as every workload.
 *
 * @returns what was seen, and everything that is not as the registry says
 */
export async function rehearse(
  options: RehearsalOptions,
): Promise<{ readonly report: RehearsalReport; readonly world: RehearsedWorld }> {
  const { registry, environment, group, progress } = options;
  const phases = new Phases(progress);

  const { synthesize } = options;
  const title = `${synthesize ? `Synthesize ${registry.environmentNames.join(", ")}; stand` : "Stand"} ${environment} up`;
  const [world] = await phases.run(title, (report) =>
    Promise.all([standUp({ registry, environment, group, onProgress: report }), synthesize?.()]),
  );
  await options.meddle?.(world);
  const differences: RehearsalDifference[] = [];
  await phases.run("Give every secret its first value, and mirror it", async (report) => {
    const host = rehearsalHost(world, {
      step: (title, work) => {
        report(title);
        return work(() => undefined);
      },
    });
    const begin = () =>
      bootstrap(registry, { environment, valuesFrom: "stdin" }, host, rehearsedPlaces(world));
    const first = await begin();
    const result = (await takeToTargets(world)) ? await begin() : first;
    for (const row of result.secrets) {
      if (row.fault) {
        differences.push({
          about: row.secret,
          expected: "a first value",
          seen: row.fault.message,
          log: world.aws.logFile,
        });
      }
    }
  });
  const rotated = await phases.run(
    "Rotate, wait, decommission (an hour of waiting takes half a second)",
    (report) =>
      rotateAll(registry, world, report, (about, seen) =>
        differences.push({
          about,
          expected: "rotated, and the old credential decommissioned",
          seen,
          log: world.aws.logFile,
        }),
      ),
  );
  await options.meddleLater?.(world);
  const acts = await phases.run("Act as every workload: AWS, Vault, files in pods", async () =>
    actAsWorkloads(world, group, await currentVersions(world)),
  );
  const secrets = await phases.run("Look at every secret in every region", () =>
    Promise.all(world.plan.secrets.map((secret) => look(world, secret, rotated, acts))),
  );
  const audit = await phases.run("Read the audit trail of all that", () => auditOf(world));
  differences.push(...(audit?.missing ?? []).map((event) => missingEvent(event, world)));
  differences.push(...acts.differences, ...secrets.flatMap((row) => differencesOf(row, world)));
  // Rotations end in any order.
  differences.sort((one, other) => (one.about < other.about ? -1 : one.about > other.about ? 1 : 0));
  return {
    world,
    report: {
      environment,
      secrets,
      differences,
      notRun: world.plan.workloads.flatMap(({ name, reload }) =>
        reload.how === "command" ? [{ workload: name, command: reload.command }] : [],
      ),
      phases: phases.times,
      ...(audit ? { audit } : {}),
      ...(differences.length > 0 ? { logFolder: options.logFolder } : {}),
    },
  };
}

async function auditOf(world: RehearsedWorld): Promise<AuditCompleteness | undefined> {
  const { audit, plan, as, aws, shim } = world;
  const root = { ...as.root, endpoint: aws.endpoint };
  return audit && auditCompleteness({ plan, root, calls: shim.calls.all }, audit);
}

const missingEvent = (event: string, { aws }: RehearsedWorld): RehearsalDifference => ({
  about: "audit trail",
  expected: `an event: ${event}`,
  seen: "none",
  log: aws.logFile,
});

/**
 * Takes values that rules have made to their targets, as a person does.
 *
 * @returns whether there was one
 */
async function takeToTargets(world: RehearsedWorld): Promise<boolean> {
  let count = 0;
  for (const secret of world.plan.secrets) {
    if (secret.store !== "aws" || world.targets.supplied.has(secret.key)) continue;
    const takes = world.targets.targets.get(secret.key)?.takes;
    const value = takes === undefined ? undefined : await currentValue(world, secret);
    if (value === undefined) continue;
    await takes?.(value);
    count += 1;
  }
  return count > 0;
}

async function look(
  world: RehearsedWorld,
  secret: SecretPlan,
  rotated: ReadonlyMap<string, Rotated>,
  acts: Acts,
): Promise<RehearsedSecret> {
  const common = {
    secret: secret.key,
    kind: secret.kind,
    store: secret.store,
    regions: secret.regions,
    readBy: acts.readBy.get(secret.key) ?? [],
    consumers: secret.consumers,
    refusedAttempts: acts.refused.get(secret.key) ?? 0,
  };
  if (secret.store === "vault") {
    // Every Vault has its own; whoever could read got a user that the database had made for it.
    return {
      ...common,
      regionsInSync: secret.regions,
      rotated: "by Vault",
      current: "not tried",
      old: "none",
    };
  }
  const attempt = world.targets.targets.get(secret.key)?.attempt;
  const value = await currentValue(world, secret);
  const rotation = rotated.get(secret.key);
  return {
    ...common,
    regionsInSync: await regionsInSync(world, secret),
    rotated:
      rotation?.how ?? (secret.rotation === "operator-assisted" && value !== undefined ? "supplied" : "no"),
    current: attempt && value !== undefined ? await attempt(value) : "not tried",
    old:
      rotation === undefined || rotation.before === undefined
        ? "none"
        : attempt
          ? await attempt(rotation.before)
          : "retired",
  };
}

/** Regions whose replica serves the primary's current version. */
async function regionsInSync(
  world: RehearsedWorld,
  { name, regions }: AwsSecretPlan,
): Promise<readonly string[]> {
  const versionIn = async (region: string): Promise<string | undefined> => {
    // No person may read a value.
    const client = secretsManager(world.as.root, region);
    try {
      return (await client.send(new GetSecretValueCommand({ SecretId: name }))).VersionId;
    } catch {
      return undefined;
    }
  };
  const client = secretsManager(world.as.root, world.plan.regions.primary);
  const current = await currentVersion(client, name);
  const versions = await Promise.all(
    regions.map(async (region) => [region, await versionIn(region)] as const),
  );
  return versions.flatMap(([region, version]) =>
    version !== undefined && version === current ? [region] : [],
  );
}

/** AWSCURRENT of every secret that Secrets Manager owns. */
async function currentVersions(world: RehearsedWorld): Promise<ReadonlyMap<string, string | undefined>> {
  const { as, plan } = world;
  const secrets = plan.secrets.filter((secret) => secret.store === "aws");
  const client = secretsManager(as.operator, plan.regions.primary);
  return new Map(
    await Promise.all(
      secrets.map(async ({ key, name }) => [key, await currentVersion(client, name)] as const),
    ),
  );
}

async function currentVersion(client: SecretsManagerClient, name: string): Promise<string | undefined> {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: name }));
  return labelHolder(new Map(Object.entries(VersionIdsToStages)), "AWSCURRENT");
}

/** Differences between a row and the registry, each with the place where it was tried. */
function differencesOf(row: RehearsedSecret, { aws }: RehearsedWorld): readonly RehearsalDifference[] {
  const { secret: about, regions, regionsInSync, current, old } = row;
  const lagging = regions.filter((region) => !regionsInSync.includes(region));
  const differences: (Omit<RehearsalDifference, "about" | "log"> | false)[] = [
    lagging.length > 0 && {
      expected: `the current version in ${lagging.join(", ")}`,
      seen: "another, or none",
    },
    current === "refused" && { expected: "a current value that its target accepts", seen: "refused" },
    old === "accepted" && { expected: "an old value that is dead", seen: "its target accepts it" },
  ];
  return differences.flatMap((found) => (found ? [{ about, ...found, log: aws.logFile }] : []));
}
