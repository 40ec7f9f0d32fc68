import type { RunView, SecretRuns } from "../../contracts/dispatcher-answer";
import type { Registry } from "../../model";
import { describeRun } from "../driver/procedure-driver";
import type { RotationHost } from "./direct-rotation";
import { inspect, isPublished, type ProcedureAccess, publicationOf } from "./procedure-work";

/** Status of a secret's rotation. */
export interface StatusReport {
  readonly secret: string;
  readonly environment: string;
  readonly open?: RunView | undefined;
  readonly latest: readonly RunView[];
  /** State of the execution of the open run. */
  readonly state?: string | undefined;
  /** Earliest time of the next change: ISO 8601, UTC. */
  readonly possibleFrom?: string | undefined;
  /** The version under AWSCURRENT, when nothing proves that it has passed its test: somebody has put it past every test. */
  readonly unproven?: string | undefined;
  /** Next step, as a sentence. */
  readonly next: string;
}

/** The run of a secret, its phase, what comes next, and from when. */
export async function rotationStatus(
  registry: Registry,
  key: string,
  environment: string,
  host: RotationHost,
): Promise<StatusReport> {
  const work = await inspect(registry, key, environment, host);
  const { found, driver, versions, cloud } = work;
  const runs = await driver.runs(found.secret);
  const { open, latest } = runs;
  const execution = open && (await cloud.execution(driver.executionArn(open)));
  const { current } = await versions.labels(found.secret);
  const waits = open === undefined && current !== undefined && isPromotionNext(work, current, runs);
  const from =
    current === undefined
      ? undefined
      : await versions.possibleFrom(
          open !== undefined ? "decommission" : waits ? "promote" : "rotate",
          found.secret,
          current,
        );
  return {
    secret: key,
    environment,
    open,
    latest,
    state: execution?.state,
    possibleFrom: from?.toISOString(),
    ...(runs.unproven === undefined ? {} : { unproven: runs.unproven }),
    next: whatNext(work, { ...runs, state: execution?.state, waits, from }),
  };
}

/** Next step, as a sentence. */
function whatNext(
  { found, versions }: Pick<ProcedureAccess, "found" | "versions">,
  {
    open,
    unproven,
    state,
    waits,
    from,
  }: Pick<SecretRuns, "open" | "unproven"> & {
    readonly state: string | undefined;
    readonly waits: boolean;
    readonly from: Date | undefined;
  },
): string {
  const command = `secrets-registry rotate ${found.secret.key} --env ${versions.environment}`;
  const when = from === undefined ? "" : `, from ${from.toISOString()} on`;
  if (open !== undefined) return `${describeRun(open, state)}. Follow it: ${command}.`;
  if (unproven !== undefined) {
    return (
      `Nothing proves that version ${unproven}, which is current, has passed its test: somebody has put it past every ` +
      `test, and no Vault gets it. Find out who. Back to what was served before, and on to a new value: ${command}.`
    );
  }
  return waits
    ? `The published key can be put to use${when}: ${command} --phase promote.`
    : `The next rotation is possible${when}: ${command}.`;
}

function isPromotionNext(
  { found }: Pick<ProcedureAccess, "found">,
  current: string,
  runs: SecretRuns,
): boolean {
  if (!isPublished(found)) return false;
  if (found.secret.rotation === "manual-dual-publish") return publicationOf(runs) === current;
  return runs.published ?? false;
}
