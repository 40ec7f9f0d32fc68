import { type AwsSecretPlan, type Blueprint, blueprint } from "../../blueprint";
import type { Registry } from "../../model";
import type { FailoverCloud } from "../cloud/failover-cloud";
import { requireAccount } from "../cloud/require-account";
import type { Progress } from "../driver/progress";
import type { Terminal } from "../terminal/terminal";
import { FailedCheck, UserFault } from "../terminal/user-fault";
import { type FailoverRow, failoverRow, type Loss, ownedBy } from "./failover-row";
import { type FailoverSteps, failoverSteps } from "./failover-steps";

/** Options of `failover --to`. */
export interface FailoverOptions {
  readonly environment: string;
  /** Region that takes over. */
  readonly to: string;
  /** Shows everything and changes nothing. */
  readonly dryRun: boolean;
  /** `true`: nobody is asked. */
  readonly yes: boolean;
  /** The primary region works, and is left on purpose. */
  readonly planned: boolean;
  /** Ids of the user's constructs in Terraform addresses. */
  readonly addresses: string;
}

/** Host of the verbs of a region's loss. */
export interface FailoverHost {
  readonly terminal: Terminal;
  readonly progress: Progress;
  /** Secrets Manager in a region. */
  readonly cloudIn: (region: string) => FailoverCloud;
}

/** Result for one secret. */
export interface FailoverResult extends Omit<FailoverRow, "does"> {
  /** `promote`: it would be, in a dry run. `promoted`: it was now. `nothing`: it was before. */
  readonly does: FailoverRow["does"] | "promoted" | "failed";
}

/** Result for an environment whose primary region was lost. */
export interface FailoverReport extends FailoverSteps, Loss {
  readonly account: string;
  readonly dryRun: boolean;
  /** `true` when the region that is left still answers. */
  readonly answers: boolean;
  /** `true` when every secret stands on its own now. */
  readonly complete: boolean;
  /** Sorted by key. */
  readonly secrets: readonly FailoverResult[];
}

/** Secrets of an environment that AWS replicates. */
export const replicated = ({ secrets }: Blueprint): readonly AwsSecretPlan[] =>
  secrets.filter((secret) => secret.store === "aws");

/**
 * Has another region take the place of an environment's primary region: every replica there becomes a secret of its own. One by
 * one, and what stands on its own already is left alone, so that the same command goes on after an interruption.
 *
 * @throws UserFault before anything was changed
 */
export async function failover(
  registry: Registry,
  options: FailoverOptions,
  host: FailoverHost,
): Promise<FailoverReport> {
  const plan = blueprint(registry, registry.environment(options.environment).name);
  const loss: Loss = { environment: plan.environment, from: plan.regions.primary, to: options.to };
  checkRegion(plan, loss);
  const secrets = replicated(plan);
  const cloud = host.cloudIn(loss.to);
  await requireAccount(cloud, plan);
  const former = host.cloudIn(loss.from);
  const [any] = secrets;
  const answers = any !== undefined && (await former.answers(any.name));
  if (answers && !options.planned && !options.dryRun) {
    throw new UserFault(
      `${loss.from} answers, so it is not lost, and its functions would go on rotating beside those of ${loss.to}: two rotators lock consumers out. For a drill or a move on purpose: --planned, which ends its rotations first.`,
    );
  }
  const rows = await host.progress.step(`${plan.environment}: look at the replicas in ${loss.to}`, () =>
    Promise.all(
      secrets.map(async (secret) =>
        failoverRow(
          secret,
          loss,
          await cloud.look(secret.name),
          answers ? await former.look(secret.name) : undefined,
        ),
      ),
    ),
  );
  const open = rows.filter(({ does }) => does === "promote");
  if (!options.dryRun && open.length > 0) {
    await confirmed(
      host.terminal,
      options.yes,
      plan,
      `${open.length} secrets of ${plan.environment} will be cut from ${loss.from} and stand on their own in ${loss.to}. It cannot be undone, only followed by a way back.`,
    );
  }
  const results = options.dryRun
    ? rows
    : await inOrder(rows, (row) => promoted(row, loss, cloud, answers ? former : undefined, host));
  return {
    ...loss,
    account: plan.account,
    dryRun: options.dryRun,
    answers,
    complete: results.every(({ does }) => does === "promoted" || does === "nothing"),
    secrets: results,
    ...failoverSteps(plan, loss, results, options.addresses),
  };
}

function checkRegion(plan: Blueprint, { environment, from, to }: Loss): void {
  if (to === from) {
    throw new UserFault(
      `${to} is the primary region of ${environment} already. To have another region follow it again: secrets-registry failover --env ${environment} --rejoin <region>.`,
    );
  }
  if (!plan.regions.replicas.includes(to)) {
    throw new UserFault(
      `${to} has no replicas of ${environment}: ${plan.regions.replicas.length === 0 ? "its secrets are in one region alone" : `the registry has ${plan.regions.replicas.join(", ")}`}.`,
    );
  }
}

/**
 * Asks a person to write the environment's name.
 *
 * @throws UserFault when nobody says yes
 */
export async function confirmed(
  terminal: Terminal,
  yes: boolean,
  { environment }: Pick<Blueprint, "environment">,
  what: string,
): Promise<void> {
  if (yes) return;
  if (!terminal.interactive) {
    throw new UserFault(
      `${what} Nothing was changed: there is nobody to ask. Look at it with --dry-run, then add --yes.`,
    );
  }
  terminal.err(`${what}\n`);
  const answer = await terminal.ask(`Write the environment's name to go on: `, { hidden: false });
  if (answer.trim() !== environment) throw new UserFault("Nothing was changed.");
}

/** One after the other: whoever interrupts knows how far it came. */
export async function inOrder<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

async function promoted(
  row: FailoverRow,
  { to }: Loss,
  cloud: FailoverCloud,
  former: FailoverCloud | undefined,
  host: FailoverHost,
): Promise<FailoverResult> {
  if (row.does !== "promote") return row;
  try {
    return await host.progress.step(`${row.secret}: promote in ${to}`, async () => {
      await former?.cancelRotation(row.name);
      await cloud.promote(row.name);
      const after = await cloud.look(row.name);
      if (after === undefined || !ownedBy(to, after)) {
        throw new FailedCheck(
          `${row.name} is still a replica of ${after?.primaryRegion ?? "no region"} in ${to}. Run the same command again.`,
        );
      }
      return { ...row, does: "promoted", arn: after.arn };
    });
  } catch (failure) {
    if (!(failure instanceof FailedCheck)) throw failure;
    return { ...row, does: "failed", fault: failure.message };
  }
}
