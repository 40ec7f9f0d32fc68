import type { RotationRecord } from "../../contracts/rotation-record";
import { readRotationRecord } from "../../contracts/rotation-record";
import type { AuditScope } from "../audit-scope";
import { type AuditFact, facts, malformed, notOurs, type Reading, type RunFact } from "../normalised";
import type { OcsfActor } from "../ocsf";
import { REGION, text } from "../safe-text";
import { secretOf, secretResource } from "../secret-names";

const SERVICE = "secrets-registry";

/**
 * The record of a run, as the procedure puts it on EventBridge: one fact for the change, and one for each phase with who had it
 * done. The record's form is checked whole: it holds names, times, codes and keyed fingerprints.
 */
export function readRunRecorded(detail: unknown, envelopeRegion: unknown, scope: AuditScope): Reading {
  const { record: run } = readRotationRecord(JSON.stringify(detail ?? null));
  if (run === undefined) return malformed("run record: not of its form");
  if (run.environment !== scope.environment) return notOurs("run of another environment");
  const name = Object.entries(scope.secrets).find(([, { key }]) => key === run.secret)?.[0];
  const secret = secretOf(name ?? `${scope.secretPrefix}${run.secret}`, scope);
  if (secret === undefined) return malformed("run record: secret");
  const region = text(envelopeRegion, REGION);
  const failed = ["rolled-back", "withdrawn", "failed"].includes(run.end.outcome);
  const common = {
    service: SERVICE,
    sourceId: run.id,
    provider: "AWS",
    ...(region === undefined ? {} : { region }),
    subject: { secret: secret.name, version: run.versions.new },
    run: runOf(run),
    ...(run.fingerprints ? { fingerprint: run.fingerprints.new } : {}),
  } as const;
  const resource = secretResource(secret, scope, {
    version: run.versions.new,
    data: {
      kind: run.kind,
      outcome: run.end.outcome,
      ...(run.versions.old === undefined ? {} : { oldVersion: run.versions.old }),
      ...(run.fingerprints?.old === undefined ? {} : { oldFingerprint: run.fingerprints.old }),
      startedBy: run.actors.started,
      ...(run.actors.approved === undefined ? {} : { approvedBy: run.actors.approved }),
      proven: [...(run.actors.proven ?? [])],
    },
  });
  const whole: AuditFact = {
    ...common,
    identity: ["run", run.environment, run.secret, run.id, "end"],
    time: new Date(run.endedAt),
    originalTime: run.endedAt,
    activity: "update",
    isChange: true,
    ...(failed ? { error: run.end.outcome } : {}),
    actor: actorOf(run.actors.started),
    operation: "RotationRun",
    resource,
  };
  const phases = run.phases.map((phase, index): AuditFact => {
    const by = phase.phase === "approve" ? (run.actors.approved ?? run.actors.started) : run.actors.started;
    return {
      ...common,
      identity: ["run", run.environment, run.secret, run.id, String(index), phase.phase],
      time: new Date(phase.endedAt),
      originalTime: phase.endedAt,
      activity: "other",
      isChange: false,
      ...(phase.outcome === "failed" ? { error: phase.fault ?? "failed" } : {}),
      actor: actorOf(by),
      operation: `phase:${phase.phase}`,
      resource,
    };
  });
  return facts(whole, ...phases);
}

function runOf(run: RotationRecord): RunFact {
  return {
    run: run.id,
    ...(typeof run.change === "string" ? {} : { change: run.change.id }),
    startedBy: run.actors.started,
    ...(run.actors.approved === undefined ? {} : { approvedBy: run.actors.approved }),
  };
}

/** An ARN, or the service that keeps the cadence. */
const actorOf = (name: string): OcsfActor =>
  name.startsWith("arn:")
    ? { user: { uid: name, name: name.split("/").at(-1) ?? name, type_id: 1 } }
    : { invoked_by: name };
