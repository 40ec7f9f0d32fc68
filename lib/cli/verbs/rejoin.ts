import { type Blueprint, blueprint } from "../../blueprint";
import type { Registry } from "../../model";
import type { FailoverCloud, SecretInRegion } from "../cloud/failover-cloud";
import { requireAccount } from "../cloud/require-account";
import { FailedCheck, UserFault } from "../terminal/user-fault";
import { confirmed, type FailoverHost, inOrder, replicated } from "./failover";
import { type RejoinRow, type Return, rejoinRow } from "./failover-row";
import { type FailoverSteps, type Leftovers, rejoinSteps } from "./failover-steps";

/** Options of `failover --rejoin`. */
export interface RejoinOptions {
  readonly environment: string;
  /** Region that becomes a replica again. */
  readonly region: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly overwriteDiverged: boolean;
  /** Ids of the user's constructs in Terraform addresses. */
  readonly addresses: string;
}

/** Result for one secret's copy. */
export interface RejoinResult extends Omit<RejoinRow, "does"> {
  /** `replicate`: it would be, in a dry run. `replicated`: AWS has taken it on. */
  readonly does: RejoinRow["does"] | "replicated" | "failed";
  readonly status?: "InSync" | "InProgress" | "Failed";
}

/** Result for a region that is a replica again. */
export interface RejoinReport extends Omit<FailoverSteps, "regions"> {
  readonly environment: string;
  readonly account: string;
  readonly primary: string;
  readonly region: string;
  readonly dryRun: boolean;
  /** `true` when every secret has a replica there that follows the primary region. */
  readonly complete: boolean;
  /** Sorted by key. */
  readonly secrets: readonly RejoinResult[];
  readonly leftovers: Leftovers;
}

/**
 * Makes a region a replica of the primary region again: one that was lost and is back, or one whose replicas still hang on it.
 * Rotations that wake up there are ended first, all of them, before any copy is replaced.
 *
 * @throws UserFault before anything was changed
 */
export async function rejoin(
  registry: Registry,
  options: RejoinOptions,
  host: FailoverHost,
): Promise<RejoinReport> {
  const plan = blueprint(registry, registry.environment(options.environment).name);
  const back: Return = {
    environment: plan.environment,
    primary: plan.regions.primary,
    region: options.region,
    overwriteDiverged: options.overwriteDiverged,
  };
  checkRegion(plan, back, options.dryRun);
  const owner = host.cloudIn(back.primary);
  const there = host.cloudIn(back.region);
  await requireAccount(owner, plan);
  const rows = await host.progress.step(
    `${plan.environment}: look at ${back.primary} and ${back.region}`,
    () => planned(plan, back, owner, there, host),
  );
  const open = rows.filter(({ does, stopsRotation }) => does === "replicate" || stopsRotation);
  if (!options.dryRun && open.length > 0) {
    await confirmed(
      host.terminal,
      options.yes,
      plan,
      `${open.length} secrets of ${plan.environment} in ${back.region} will be replaced by replicas of ${back.primary}, and no longer rotate there.`,
    );
    for (const { name, stopsRotation } of rows) if (stopsRotation) await there.cancelRotation(name);
  }
  const results = options.dryRun
    ? rows
    : await inOrder(rows, (row) => replicatedAgain(row, back, owner, host));
  return {
    environment: back.environment,
    account: plan.account,
    primary: back.primary,
    region: back.region,
    dryRun: options.dryRun,
    complete: results.every(
      ({ does, ...rest }) =>
        does === "nothing" || (does === "replicated" && "status" in rest && rest.status === "InSync"),
    ),
    secrets: results,
    ...rejoinSteps(plan, back, options.addresses),
  };
}

function checkRegion(plan: Blueprint, { environment, primary, region }: Return, dryRun: boolean): void {
  if (region === primary) {
    throw new UserFault(
      `${region} is the primary region of ${environment} in the registry: the others follow it. After a loss, change environments.${environment}.regions first.`,
    );
  }
  // A dry run says what to do before the registry has the region.
  if (!dryRun && !plan.regions.replicas.includes(region)) {
    throw new UserFault(
      `${region} is not among the replicas of ${environment} in the registry. Put it into environments.${environment}.regions.replicas and apply; --dry-run shows what then follows.`,
    );
  }
}

async function planned(
  plan: Blueprint,
  back: Return,
  owner: FailoverCloud,
  there: FailoverCloud,
  host: FailoverHost,
): Promise<readonly RejoinRow[]> {
  const others = plan.regions.replicas.filter((region) => region !== back.region);
  return Promise.all(
    replicated(plan).map(async (secret) => {
      const looks = others.map(
        async (region): Promise<readonly [string, SecretInRegion | undefined]> => [
          region,
          await host.cloudIn(region).look(secret.name),
        ],
      );
      const dependent = (await Promise.all(looks)).flatMap(([region, seen]) =>
        seen?.primaryRegion === back.region ? [region] : [],
      );
      return rejoinRow(secret, back, await owner.look(secret.name), await there.look(secret.name), dependent);
    }),
  );
}

async function replicatedAgain(
  row: RejoinRow,
  { primary, region }: Return,
  owner: FailoverCloud,
  host: FailoverHost,
): Promise<RejoinResult> {
  if (row.does !== "replicate") return row;
  try {
    return await host.progress.step(`${row.secret}: replicate to ${region}`, async () => {
      await owner.replicateOver(row.name, region, row.kmsKeyId);
      const found = (await owner.look(row.name))?.replicas.get(region);
      const status = found?.status ?? "InProgress";
      const result = { ...row, status };
      if (status !== "Failed") return { ...result, does: "replicated" };
      return {
        ...result,
        does: "failed",
        fault: `${primary} cannot replicate ${row.name} to ${region}: ${found?.message ?? "AWS gives no reason"}.`,
      };
    });
  } catch (failure) {
    if (!(failure instanceof FailedCheck)) throw failure;
    return { ...row, does: "failed", fault: failure.message };
  }
}
