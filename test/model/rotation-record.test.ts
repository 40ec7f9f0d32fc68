import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { readRotationRecord, recordDigest } from "../../lib/contracts";
import { recordWith, sampleRecord } from "./random-record";
import type { Draft } from "./sample";

const read = (record: unknown) => readRotationRecord(JSON.stringify(record));

test("a record is read as it was written, and its digest follows from its facts alone", () => {
  const record = sampleRecord();
  expect(read(record)).toEqual({ record, faults: [] });
  const reversed = Object.fromEntries(Object.entries(record).reverse());
  expect(recordDigest(reversed as never)).toBe(recordDigest(record));
  expect(recordDigest({ ...record, environment: "stage" })).not.toBe(recordDigest(record));
  expect(recordDigest(record)).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test("every outcome, with and without approval and fingerprints, is a valid record", () => {
  fc.assert(
    fc.property(recordWith("run-1"), (record) => {
      expect(read(record)).toEqual({ record, faults: [] });
    }),
    { numRuns: 200 },
  );
});

test.each<[string, (d: Draft) => void, string]>([
  [
    "another version",
    (d) => {
      d.version = 2;
    },
    "record.version",
  ],
  [
    "no id",
    (d) => {
      delete d.id;
    },
    "record.id",
  ],
  [
    "a key that is none",
    (d) => {
      d.secret = "JWT";
    },
    "record.secret",
  ],
  [
    "a kind that is none",
    (d) => {
      d.kind = "mysql";
    },
    "record.kind",
  ],
  [
    "a change without its digest",
    (d) => {
      delete d.change.digest;
    },
    "record.change.digest",
  ],
  [
    "an actor who is nobody",
    (d) => {
      d.actors.started = "alice";
    },
    "record.actors.started",
  ],
  [
    "an approver who started it",
    (d) => {
      d.actors.approved = d.actors.started;
    },
    "record.actors.approved",
  ],
  [
    "a proof of somebody who is not there",
    (d) => {
      delete d.actors.approved;
    },
    "record.actors.proven",
  ],
  [
    "a proof of an actor that there is not",
    (d) => {
      d.actors.proven = ["requested"];
    },
    "record.actors.proven[0]",
  ],
  [
    "a bare hash for a fingerprint",
    (d) => {
      d.fingerprints.new = `sha256:${"0".repeat(64)}`;
    },
    "record.fingerprints.new",
  ],
  [
    "a value beside the fingerprints",
    (d) => {
      d.fingerprints.value = "x";
    },
    "record.fingerprints.value",
  ],
  [
    "a time of another zone",
    (d) => {
      d.endedAt = "2026-11-25T10:12:04+01:00";
    },
    "record.endedAt",
  ],
  [
    "a day that is none",
    (d) => {
      d.endedAt = "2026-11-31T10:12:04.000Z";
    },
    "record.endedAt",
  ],
  [
    "an end before its start",
    (d) => {
      d.endedAt = "2026-11-01T00:00:00.000Z";
    },
    "record.endedAt",
  ],
  [
    "a phase outside of the run",
    (d) => {
      d.phases[0].startedAt = "2026-11-01T00:00:00.000Z";
    },
    "record.phases[0]",
  ],
  [
    "a check outside of the run",
    (d) => {
      d.checks[1].at = "2026-12-01T00:00:00.000Z";
    },
    "record.checks[1].at",
  ],
  [
    "a message for a fault",
    (d) => {
      d.checks[2].fault = "password authentication failed";
    },
    "record.checks[2].fault",
  ],
  [
    "a decommission that was not done",
    (d) => {
      d.phases.at(-1).outcome = "failed";
    },
    "record.phases",
  ],
  [
    "a decommission of nothing",
    (d) => {
      delete d.versions.old;
    },
    "record.versions.old",
  ],
  [
    "a roll-back without a reason",
    (d) => {
      d.end = { outcome: "rolled-back", at: d.endedAt };
    },
    "record.end.reason",
  ],
  [
    "no phase",
    (d) => {
      d.phases = [];
    },
    "record.phases",
  ],
])("%s is a fault that names the place", (_name, change, path) => {
  const record = sampleRecord();
  change(record);
  const { record: valid, faults } = read(record);
  expect(valid).toBeUndefined();
  expect(faults.map((entry) => entry.path)).toContain(path);
});

test("whatever stands in a record with faults is not repeated", () => {
  const value = randomBytes(24).toString("hex");
  const texts = [
    value,
    JSON.stringify({ ...sampleRecord(), fingerprints: { new: value } }),
    JSON.stringify({ ...sampleRecord(), kind: value, environment: { value } }),
    JSON.stringify({
      ...sampleRecord(),
      end: { outcome: "failed", reason: ["sk", "live", value].join("_") },
    }),
  ];
  for (const text of texts) {
    const { record, faults } = readRotationRecord(text);
    expect(record).toBeUndefined();
    expect(JSON.stringify(faults)).not.toContain(value);
  }
});

test("no text makes anything but a record or faults", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(readRotationRecord(text).faults.length).toBeGreaterThan(0);
    }),
  );
});
