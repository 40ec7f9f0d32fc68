import { hasEnded, type Run, type RunStatus } from "../../contracts/run";
import type { AskedFingerprint, AskedPhase, FingerprintRequest, PhaseRequest } from "./event";
import type { Runs } from "./ports";
import { RotationError } from "./rotation-error";

/**
 * The table of runs decides what a phase may do, never its event: an event names a run, and whatever else it says must
 * be what the table says of that run. Otherwise whoever may call the function could end a credential in use
 * (docs/adr/0023-authority-of-a-run.md).
 */

/** Source of runs, by which phases are allowed. */
export interface RunAuthority {
  /** Default: nowhere, so that nothing has a run. */
  readonly runs?: Pick<Runs, "read"> | undefined;
  /** Name of the secret. */
  readonly secretName: string;
  /** `true` where an approver must have agreed before its old credential is retired. Default: false. */
  readonly approval?: boolean | undefined;
}

/** Statuses of a run that is followed: from `starting` on nobody withdraws it, and its execution is about to begin. */
const FOLLOWED: readonly RunStatus[] = ["starting", "proving", "awaiting-approval"];
const STATUSES: Readonly<Record<AskedPhase["phase"], readonly RunStatus[]>> = {
  // A run that cannot go back proves what it leaves in use.
  verify: [...FOLLOWED, "withdrawing"],
  promote: ["rotating", "starting"],
  rollback: [...FOLLOWED, "withdrawing"],
  decommission: FOLLOWED,
};

/**
 * A phase as its run says.
 *
 * @throws RotationError `run-missing`, `run-ended`, `run-too-early`, `run-turned-back`, `run-mismatch`,
 * `approval-missing`
 */
export async function authorizedPhase(asked: AskedPhase, authority: RunAuthority): Promise<PhaseRequest> {
  const { phase, secretId, runId } = asked;
  const run = await openRun(authority, runId);
  if (!STATUSES[phase].includes(run.status)) throw tooEarly(run, phase);
  if (run.direction === "back" && phase !== "rollback" && phase !== "decommission") {
    throw new RotationError("run-turned-back", `run ${runId} of ${run.secret}`);
  }
  // An emergency skips waits, never this. What was taken back goes without: nobody uses it.
  const isUnapproved = authority.approval && run.decision?.answer !== "approved";
  if (phase === "decommission" && run.direction === "forward" && isUnapproved) {
    throw new RotationError("approval-missing", `run ${runId} of ${run.secret}`);
  }
  const emergency = run.emergency ?? false;
  if (asked.emergency && !emergency) throw mismatch(run, "it is no emergency");
  const versionId = versionOf(phase, run, asked.versionId);
  if (asked.versionId !== undefined && asked.versionId !== versionId) {
    throw mismatch(run, `${phase} of version ${asked.versionId}`);
  }
  const isBeside = phase === "rollback" && versionId !== run.newVersion;
  return { phase, secretId, versionId, runId, emergency, ...(isBeside ? { isBeside } : {}) };
}

/** @throws RotationError `run-missing`, `run-ended`, `run-mismatch` */
export async function authorizedFingerprint(
  { secretId, runId, versionId, oldVersionId }: AskedFingerprint,
  authority: RunAuthority,
): Promise<FingerprintRequest> {
  const run = await openRun(authority, runId);
  if (versionId !== undefined && versionId !== run.newVersion) throw mismatch(run, `version ${versionId}`);
  if (oldVersionId !== undefined && oldVersionId !== run.oldVersion) {
    throw mismatch(run, `version ${oldVersionId}`);
  }
  return {
    phase: "fingerprint",
    secretId,
    runId,
    versionId: run.newVersion,
    oldVersionId: run.oldVersion,
  };
}

/**
 * Refuses a step past the dispatcher: where a value is in use already, a run has to be open for the version that comes next.
 *
 * @throws RotationError `run-missing`, `run-ended`, `run-turned-back`
 */
export async function requireRunOf(versionId: string, authority: RunAuthority): Promise<void> {
  const run = await openRun(authority, versionId);
  if (run.direction === "back" || run.status === "withdrawing") {
    throw new RotationError("run-turned-back", `run ${run.run} of ${run.secret}`);
  }
}

/**
 * The run that an event names, while it is open.
 *
 * @throws RotationError `run-missing`, `run-ended`
 */
export async function openRun({ runs, secretName }: RunAuthority, runId: string): Promise<Run> {
  const run = await runs?.read(secretName, runId);
  if (run === undefined) throw new RotationError("run-missing", `${secretName} has no run ${runId}`);
  if (hasEnded(run) || run.endedAt !== undefined) {
    throw new RotationError("run-ended", `run ${runId} of ${secretName} is ${run.status}`);
  }
  return run;
}

function versionOf(phase: AskedPhase["phase"], run: Run, asked: string | undefined): string {
  switch (phase) {
    case "verify":
      return run.newVersion;
    case "promote":
      // A promotion is made of the published version; else it finishes what the run is about.
      return run.kind === "promotion" ? (run.oldVersion ?? run.newVersion) : run.newVersion;
    case "rollback":
      // What it keeps is in use, and what it retires was left behind.
      if (run.kind === "retirement") throw mismatch(run, "a retirement is not taken back");
      // A value that was supplied for a run that nobody follows may wait as another version.
      return run.status === "withdrawing" && asked !== undefined ? asked : run.newVersion;
    case "decommission":
      // What was served and taken back goes; never both of a run's versions.
      if (run.direction === "back") return run.newVersion;
      if (run.kind === "publication" || run.oldVersion === undefined) {
        throw mismatch(run, "nothing goes by it");
      }
      return run.oldVersion;
  }
}

const mismatch = ({ run, secret }: Run, what: string): RotationError =>
  new RotationError("run-mismatch", `run ${run} of ${secret}: ${what}`);

const tooEarly = ({ run, secret, status }: Run, phase: string): RotationError =>
  new RotationError("run-too-early", `${phase} of run ${run} of ${secret}, which is ${status}`);
