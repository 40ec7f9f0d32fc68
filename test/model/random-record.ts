import fc from "fast-check";
import type { RotationRecord } from "../../lib/contracts";
import { KIND_NAMES } from "../../lib/model";

/** Records of rotation runs, valid ones of every shape. */

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const slug = fc.stringMatching(/^[a-z][a-z0-9]{0,7}(-[a-z0-9]{1,5})?$/);
const fingerprint = hex(64).map((digits) => `hmac-sha256:alias/audit:${digits}`);
const code = fc.constantFrom("target-refused", "503", "ECONNREFUSED");
/** People write what they like, Markdown and markers included. */
const reason = fc
  .oneof(
    fc.constantFrom(
      "| a | b |",
      "<!-- run x -->",
      "## heading",
      "Signed-off-by: A <a@b.de> (2026-01-01)",
      "*",
    ),
    fc.string({ minLength: 1, maxLength: 60 }),
  )
  .filter((text) => text.trim() !== "" && !/[\r\n]/.test(text));

const at = (start: number, minutes: number): string => new Date(start + minutes * 60_000).toISOString();

/** Start of a run: within a few days, so that several share one. */
const start = fc
  .integer({ min: 0, max: 5 * 24 * 60 })
  .map((minute) => Date.UTC(2026, 10, 20) + minute * 60_000);

/** A valid record with an id of the caller's. */
export const recordWith = (id: string): fc.Arbitrary<RotationRecord> =>
  fc
    .record({
      start,
      secret: fc.tuple(slug, slug).map((words) => words.join("/")),
      environment: slug,
      kind: fc.constantFrom(...KIND_NAMES),
      change: fc.oneof(
        fc.constantFrom("scheduled" as const, "not-required" as const),
        hex(64).map((digits) => ({ id: "2026-11-20-db--app", digest: `sha256:${digits}` })),
      ),
      started: fc.constantFrom(
        "arn:aws:sts::111122223333:assumed-role/operator/alice@example.com",
        "arn:aws:iam::111122223333:user/alice",
        "secretsmanager.amazonaws.com",
      ),
      approved: fc.boolean(),
      ids: fc.tuple(hex(32), hex(32)),
      fingerprints: fc.option(fc.tuple(fingerprint, fingerprint), { nil: undefined }),
      outcome: fc.constantFrom("decommissioned", "replaced", "published", "rolled-back", "failed"),
      reason,
      checks: fc.array(
        fc.record({
          name: slug,
          workload: fc.option(slug, { nil: undefined }),
          type: fc.constantFrom("health", "synthetic", "login", "unused"),
          outcome: fc.constantFrom("passed", "failed"),
          tries: fc.integer({ min: 1, max: 9 }),
          fault: fc.option(code, { nil: undefined }),
        }),
        { maxLength: 4 },
      ),
    })
    .map((draw) => {
      const last = {
        decommissioned: "decommission",
        "rolled-back": "rollback",
        replaced: "verify",
        published: "verify",
        failed: "verify",
      }[draw.outcome] as RotationRecord["phases"][number]["phase"];
      const end = {
        decommissioned: { outcome: "decommissioned", at: at(draw.start, 30) },
        replaced: { outcome: "replaced" },
        published: { outcome: "published" },
        "rolled-back": { outcome: "rolled-back", at: at(draw.start, 30), reason: draw.reason },
        failed: { outcome: "failed", reason: draw.reason },
      }[draw.outcome] as RotationRecord["end"];
      const record: RotationRecord = {
        version: 1,
        id,
        secret: draw.secret,
        environment: draw.environment,
        kind: draw.kind,
        change: draw.change,
        actors: {
          started: draw.started,
          ...(draw.approved
            ? { approved: "arn:aws:sts::111122223333:assumed-role/approver/bob@example.com" }
            : {}),
          // Records of an earlier version say nothing of it.
          ...(draw.approved ? { proven: ["started", "approved"] } : {}),
        },
        versions: { old: draw.ids[0], new: draw.ids[1] },
        ...(draw.fingerprints
          ? { fingerprints: { old: draw.fingerprints[0], new: draw.fingerprints[1] } }
          : {}),
        phases: [
          { phase: "publish", startedAt: at(draw.start, 0), endedAt: at(draw.start, 1), outcome: "done" },
          { phase: last, startedAt: at(draw.start, 29), endedAt: at(draw.start, 30), outcome: "done" },
        ],
        checks: draw.checks.map((check) => ({
          ...JSON.parse(JSON.stringify(check)),
          at: at(draw.start, 20),
        })),
        end,
        startedAt: at(draw.start, 0),
        endedAt: at(draw.start, 31),
      };
      return record;
    });

/** Records of different runs. */
export const anyRecords: fc.Arbitrary<RotationRecord[]> = fc
  .integer({ min: 1, max: 6 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => recordWith(`run-${index}`))));

/** One record, the same every time. */
export function sampleRecord(): RotationRecord {
  const digits = "0123456789abcdef";
  return {
    version: 1,
    id: "2026-11-25-run-1",
    secret: "jwt/signing",
    environment: "prod",
    kind: "jwt-signing-key",
    change: { id: "2026-11-20-jwt--signing", digest: `sha256:${digits.repeat(4)}` },
    actors: {
      started: "arn:aws:sts::333333333333:assumed-role/secrets-operator/alice@example.com",
      approved: "arn:aws:sts::333333333333:assumed-role/secrets-approver/bob@example.com",
      proven: ["approved"],
    },
    versions: { old: "11111111-2222-4333-8444-555555555555", new: digits.repeat(4) },
    fingerprints: {
      old: `hmac-sha256:audit-1:${digits.repeat(4)}`,
      new: `hmac-sha256:audit-1:${[...digits].reverse().join("").repeat(4)}`,
    },
    phases: [
      phase("publish", "2026-11-24T08:00:00.000Z", "2026-11-24T08:00:09.000Z"),
      phase("promote", "2026-11-24T16:30:00.000Z", "2026-11-24T16:30:04.000Z"),
      phase("verify", "2026-11-25T03:00:00.000Z", "2026-11-25T03:01:10.000Z"),
      phase("approve", "2026-11-25T03:01:10.000Z", "2026-11-25T09:12:00.000Z"),
      phase("decommission", "2026-11-25T09:12:00.000Z", "2026-11-25T09:12:03.000Z"),
    ],
    checks: [
      { name: "login", type: "login", at: "2026-11-25T03:00:02.000Z", outcome: "passed", tries: 1 },
      {
        workload: "backend",
        name: "ready",
        type: "health",
        at: "2026-11-25T03:00:05.000Z",
        outcome: "passed",
        tries: 1,
      },
      {
        workload: "backend",
        name: "sign-in",
        type: "synthetic",
        at: "2026-11-25T03:01:09.000Z",
        outcome: "passed",
        tries: 2,
        fault: "503",
      },
    ],
    end: { outcome: "decommissioned", at: "2026-11-25T09:12:03.000Z" },
    startedAt: "2026-11-24T08:00:00.000Z",
    endedAt: "2026-11-25T09:12:04.000Z",
  };
}

const phase = (
  name: RotationRecord["phases"][number]["phase"],
  startedAt: string,
  endedAt: string,
): RotationRecord["phases"][number] => ({ phase: name, startedAt, endedAt, outcome: "done" });
