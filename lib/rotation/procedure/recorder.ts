import * as z from "zod/mini";
import type { RecorderSettings } from "../../contracts/function-settings";
import type {
  FingerprintsEvent,
  PhaseResult,
  ProgressEvent,
  RecorderEvent,
  RunOutcome,
} from "../../contracts/procedure-events";
import {
  type RotationRecord,
  readRotationRecord,
  retirementEvidence,
  valueFingerprints,
} from "../../contracts/rotation-record";
import { BY_SCHEDULE, type FinalStatus, type Run } from "../../contracts/run";
import {
  fingerprintedKey,
  fingerprintsObject,
  readVersionFingerprints,
  textFingerprints,
  type VersionFingerprints,
} from "../../contracts/version-fingerprints";
import { actorName } from "../../model/aws-grammar";
import { keyAsWord } from "../../model/names";
import type { Clock } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { RunTable } from "./run-table";

/** Records that are written once. */
export interface RecordArchive {
  /**
   * Writes an object that is not there yet.
   *
   * @returns what is there from now on: this text, or the one that was written before
   */
  writeOnce(name: string, text: string): Promise<string>;
}

/** Ports of the recorder. */
export interface RecorderContext {
  readonly settings: RecorderSettings;
  readonly runs: Pick<RunTable, "read" | "advance" | "close" | "end">;
  readonly archive: RecordArchive;
  readonly clock: Pick<Clock, "now">;
  /** Reports a recorded run to the audit trail; the same one again is the same event. Default: there is no trail. */
  readonly announce?: ((record: RotationRecord) => Promise<void>) | undefined;
}

/** Result of one recorder call. */
export interface RecorderOutcome {
  readonly status: Run["status"] | "kept" | "nothing-to-keep";
  /** Name of the record's object. */
  readonly record?: string;
}

const phase: z.ZodMiniType<PhaseResult> = z.strictObject({
  phase: z.enum(["verify", "approve", "decommission", "rollback"]),
  startedAt: z.string(),
  endedAt: z.string(),
  outcome: z.enum(["done", "failed"]),
  fault: z.exactOptional(z.string()),
  evidence: z.exactOptional(retirementEvidence),
});

const result = z.strictObject({
  name: z.string(),
  url: z.string(),
  type: z.enum(["health", "synthetic"]),
  status: z.exactOptional(z.number()),
  outcome: z.enum(["passed", "failed"]),
  ms: z.exactOptional(z.number()),
});

/** Run-time schema of the recorder's events. */
export const recorderEvent: z.ZodMiniType<RecorderEvent | ProgressEvent | FingerprintsEvent> = z.union([
  z.strictObject({ Secret: z.string(), Run: z.string(), Status: z.literal("awaiting-approval") }),
  z.strictObject({
    Secret: z.string(),
    Version: z.string(),
    Run: z.exactOptional(z.string()),
    Texts: z.nullable(textFingerprints),
  }),
  z.strictObject({
    Secret: z.string(),
    Run: z.string(),
    Outcome: z.enum(["decommissioned", "replaced", "published", "rolled-back", "withdrawn", "failed"]),
    Phases: z.array(phase),
    Checks: z.array(
      z.strictObject({ at: z.string(), tries: z.int().check(z.gte(1)), results: z.array(result) }),
    ),
    // Executions that began under an earlier definition pass none.
    Fingerprints: z.exactOptional(
      z.nullable(z.object({ new: z.string(), old: z.exactOptional(z.string()) })),
    ),
    // Executions that began under an earlier definition say who approved; what counts is the table.
    Approver: z.exactOptional(z.nullable(z.string())),
    Fault: z.nullable(z.object({ state: z.string(), code: z.string() })),
  }),
]);

/** Outcomes of runs that have not reached what they wanted. */
const UNDONE: readonly RunOutcome[] = ["rolled-back", "withdrawn", "failed"];

/** Starter of rotations on a secret's own cadence, as records name it. */
const SCHEDULER = "secretsmanager.amazonaws.com";

/**
 * Ends runs: fixes the time, writes the record once, and lets go of the secret, in this order. Whatever call dies, the next
 * one goes on, and gives the record that was written first.
 */
export class Recorder {
  readonly #context: RecorderContext;

  constructor(context: RecorderContext) {
    this.#context = context;
  }

  /** @throws RotationError `run-missing`, `run-turned-back`, `record-malformed`, `secret-not-ours` */
  async run(event: RecorderEvent | ProgressEvent | FingerprintsEvent): Promise<RecorderOutcome> {
    const { runs, settings, archive, clock, announce } = this.#context;
    const secret = settings.secrets[event.Secret];
    if (secret === undefined) throw new RotationError("secret-not-ours", event.Secret);
    if ("Texts" in event) return this.#keepFingerprints(secret, event);
    const run = await runs.read(event.Secret, event.Run);
    if (run === undefined) throw new RotationError("run-missing", `${event.Secret} has no run ${event.Run}`);
    if ("Status" in event) {
      await runs.advance(run, event.Status);
      return { status: event.Status };
    }
    const succeeded = !UNDONE.includes(event.Outcome);
    const endedAt = await runs.close(run, clock.now(), succeeded);
    const name = `${endedAt.toISOString().slice(0, 10).replaceAll("-", "/")}/${keyAsWord(secret.key)}/${run.run}.json`;
    const written = await archive.writeOnce(
      name,
      textOf({
        version: 1,
        id: run.run,
        secret: secret.key,
        environment: settings.environment,
        kind: secret.kind,
        ...factsOf(run, event, endedAt),
      }),
    );
    const { record } = readRotationRecord(written);
    if (record === undefined)
      throw new RotationError("record-malformed", `${name}, as it was written before`);
    // Before the run ends: whatever call dies, the next one reports it.
    await announce?.(record);
    const status = statusOf(run, record.end.outcome);
    await runs.end(run, status);
    return { status, record: name };
  }

  /** At once and not with the record: a value may leak while its run still waits, and the record comes at the run's end. */
  async #keepFingerprints(
    { key, kind }: RecorderSettings["secrets"][string],
    { Secret, Version, Run: run, Texts: texts }: FingerprintsEvent,
  ): Promise<RecorderOutcome> {
    if (texts === null || Object.keys(texts).length === 0) return { status: "nothing-to-keep" };
    const { settings, archive, clock } = this.#context;
    const name = fingerprintsObject(fingerprintedKey(settings.environment, Secret), Version);
    const kept: VersionFingerprints = {
      version: 1,
      environment: settings.environment,
      secret: key,
      name: Secret,
      kind,
      versionId: Version,
      ...(run === undefined ? {} : { run }),
      at: clock.now().toISOString(),
      texts,
    };
    const text = JSON.stringify(kept, null, 2);
    if (readVersionFingerprints(text) === undefined) throw new RotationError("record-malformed", name);
    await archive.writeOnce(name, text);
    return { status: "kept", record: name };
  }
}

/** @throws RotationError `record-malformed` for what nobody could read again */
function textOf(record: RotationRecord): string {
  const text = JSON.stringify(record, null, 2);
  const { faults } = readRotationRecord(text);
  if (faults.length === 0) return text;
  throw new RotationError("record-malformed", faults.map(({ path }) => path).join(", "));
}

function statusOf({ kind }: Run, outcome: RunOutcome): FinalStatus {
  if (outcome === "published" || UNDONE.includes(outcome)) return outcome as FinalStatus;
  return kind === "promotion" ? "promoted" : "decommissioned";
}

function factsOf(
  run: Run,
  event: RecorderEvent,
  endedAt: Date,
): Pick<
  RotationRecord,
  "change" | "actors" | "versions" | "fingerprints" | "phases" | "checks" | "end" | "startedAt" | "endedAt"
> {
  const from = run.startedAt;
  const until = endedAt > from ? endedAt : from;
  /** Clocks of different machines differ; a record's times lie within the run's. */
  const within = (text: string): string => {
    const time = Date.parse(text);
    const kept = Math.min(
      Math.max(Number.isNaN(time) ? until.getTime() : time, from.getTime()),
      until.getTime(),
    );
    return new Date(kept).toISOString();
  };
  const phases = event.Phases.map((entry) => ({
    ...entry,
    startedAt: within(entry.startedAt),
    endedAt: within(entry.endedAt),
  }));
  const started = run.startedBy === BY_SCHEDULE ? SCHEDULER : run.startedBy;
  const approver = approverOf(run);
  const approved = approver === started ? undefined : approver;
  return {
    change: changeOf(run.change) ?? (run.startedBy === BY_SCHEDULE ? "scheduled" : "not-required"),
    actors: {
      started,
      ...(approved === undefined ? {} : { approved }),
      proven: provenOf(run, approved),
    },
    versions: { ...(run.oldVersion === undefined ? {} : { old: run.oldVersion }), new: run.newVersion },
    ...fingerprintsOf(event),
    phases: [...firstPhase(run, event, phases[0]?.startedAt ?? until.toISOString()), ...phases],
    checks: [...logins(phases, event), ...checksOf(event, within)],
    end: endOf(event, phases, approver === started, until),
    startedAt: from.toISOString(),
    endedAt: until.toISOString(),
  };
}

const changeOf = (change: Run["change"]): { readonly id: string; readonly digest: string } | undefined =>
  change && { id: change.id, digest: change.digest };

/** Approver, as the approval gate has noted them. */
const approverOf = ({ decision }: Run): string | undefined =>
  decision?.answer === "approved" && actorName.safeParse(decision.by).success ? decision.by : undefined;

/** Names that STS has said are true; others are as said. */
const provenOf = ({ startedByIs }: Run, approved: string | undefined): RotationRecord["actors"]["proven"] => [
  ...(startedByIs === "proven" ? (["started"] as const) : []),
  ...(approved === undefined ? [] : (["approved"] as const)),
];

/** Fingerprints of an event. Text of another form is left out: no record may fail for it, and it could be anything. */
function fingerprintsOf({ Fingerprints }: RecorderEvent): Pick<RotationRecord, "fingerprints"> {
  const { data } = valueFingerprints.safeParse(Fingerprints);
  return data === undefined ? {} : { fingerprints: data };
}

/**
 * Phase from the begin of the run until the state machine had it. A retirement makes nothing current: it begins with a
 * proof.
 */
function firstPhase(
  run: Run,
  { Fault, Phases }: RecorderEvent,
  endedAt: string,
): readonly RotationRecord["phases"][number][] {
  if (run.kind === "retirement" && Phases.length > 0) return [];
  const failed = Phases.length === 0 && Fault !== null;
  return [
    {
      phase: FIRST_PHASES[run.kind],
      startedAt: run.startedAt.toISOString(),
      endedAt,
      outcome: failed ? "failed" : "done",
      ...(failed ? { fault: Fault.code } : {}),
    },
  ];
}

const FIRST_PHASES = {
  rotation: "publish",
  publication: "publish",
  promotion: "promote",
  retirement: "verify",
} as const satisfies Readonly<Record<Run["kind"], string>>;

/** A proof begins with the kind's own test. */
const logins = (
  phases: readonly PhaseResult[],
  { Fault }: RecorderEvent,
): readonly RotationRecord["checks"][number][] =>
  phases
    .filter((entry) => entry.phase === "verify" && (entry.outcome === "done" || Fault?.state === "Verify"))
    .map((entry) => ({
      name: "login",
      type: "login" as const,
      at: entry.endedAt,
      outcome: entry.outcome === "done" ? ("passed" as const) : ("failed" as const),
      tries: 1,
      ...(entry.outcome === "done" || entry.fault === undefined ? {} : { fault: entry.fault }),
    }));

const checksOf = (
  { Checks }: RecorderEvent,
  within: (text: string) => string,
): readonly RotationRecord["checks"][number][] =>
  Checks.flatMap(({ at, tries, results }) =>
    results.map(({ name, type, outcome }) => {
      const [workload = "", check = name] = name.split("/");
      return { workload, name: check, type, at: within(at), outcome, tries };
    }),
  );

function endOf(
  { Outcome, Fault }: RecorderEvent,
  phases: readonly PhaseResult[],
  selfApproved: boolean,
  until: Date,
): RotationRecord["end"] {
  if (selfApproved) return { outcome: "failed", reason: "approved by who started it" };
  const reason = Fault === null ? "no fault was named" : `${Fault.code} in ${Fault.state}`;
  const endOfPhase = (name: PhaseResult["phase"]): string =>
    phases.findLast((entry) => entry.phase === name)?.endedAt ?? until.toISOString();
  switch (Outcome) {
    case "decommissioned":
      return { outcome: Outcome, at: endOfPhase("decommission") };
    case "rolled-back":
      return { outcome: Outcome, at: endOfPhase("rollback"), reason };
    case "withdrawn":
    case "failed":
      return { outcome: Outcome, reason };
    default:
      return { outcome: Outcome };
  }
}
