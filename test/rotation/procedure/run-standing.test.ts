import type { Run } from "../../../lib/contracts/run";
import type { Dispatched } from "../../../lib/rotation/procedure/dispatched";
import type { RunRequest } from "../../../lib/rotation/procedure/dispatcher-event";
import { lastRotation } from "../../../lib/rotation/procedure/last-rotation";
import {
  goesOnAlone,
  isAskedFor,
  isBetterValue,
  isWithdrawable,
  type Standing,
  type StandingFacts,
  standingOf,
} from "../../../lib/rotation/procedure/run-standing";
import type { SecretDescription } from "../../../lib/rotation/protocol/ports";

const NOW = new Date("2026-03-01T12:00:00Z");
const LONG_AGO = new Date("2026-03-01T10:59:59Z");
const RECENTLY = new Date("2026-03-01T11:00:00Z");

const run = (more: Partial<Run> = {}): Run => ({
  secret: "test/db/app",
  run: "v2",
  kind: "rotation",
  newVersion: "v2",
  oldVersion: "v1",
  startedBy: "arn:aws:sts::111122223333:assumed-role/operator/ann",
  startedAt: RECENTLY,
  status: "rotating",
  direction: "forward",
  ...more,
});

const labels = (holder: string | undefined, isProved = false): StandingFacts["labels"] => ({
  has: (version, label) => version === "v2" && label === holder,
  proofsOf: (version) => (isProved && version === "v2" ? ["VERIFIED.aa"] : []),
});

test.each<[string, Partial<Run>, Partial<StandingFacts>, string]>([
  ["is being withdrawn", { status: "withdrawing" }, { execution: "running" }, "over"],
  ["was begun to clear a version away", { run: "clear-v2" }, { labels: labels("AWSPENDING") }, "over"],
  ["is followed", {}, { execution: "running" }, "under-way"],
  ["was followed by what has ended", {}, { execution: "ended" }, "over"],
  ["goes back and nothing takes it there", { direction: "back" }, {}, "to-start"],
  ["is current and proved", {}, { labels: labels("AWSCURRENT", true) }, "to-start"],
  ["is current and not proved yet", {}, { labels: labels("AWSCURRENT") }, "waiting"],
  ["was never proved", { startedAt: LONG_AGO }, { labels: labels("AWSCURRENT") }, "unproven"],
  ["is pending, for however long", { startedAt: LONG_AGO }, { labels: labels("AWSPENDING") }, "waiting"],
  ["has no label yet", {}, {}, "unlabelled"],
  ["never got a label", { startedAt: LONG_AGO }, {}, "over"],
])("a run that %s", (_, of, facts, standing) => {
  expect(standingOf(run(of), { execution: undefined, labels: labels(undefined), now: NOW, ...facts })).toBe(
    standing,
  );
});

const secret = (rotation: Dispatched["rotation"]): Dispatched => ({
  name: "test/db/app",
  key: "db/app",
  kind: "generic",
  rotation,
  supplied: false,
  publishes: false,
  function: "acme-test--rotate-generic",
  overlapSeconds: 0,
  publishLeadSeconds: 0,
  restart: [],
  checks: [],
  approval: false,
});

test.each<[string, Dispatched["rotation"], Partial<Run>, Standing, boolean]>([
  ["of Secrets Manager's is left alone for an hour", "automatic", { startedAt: RECENTLY }, "waiting", false],
  ["of Secrets Manager's that it gave up", "automatic", { startedAt: LONG_AGO }, "waiting", true],
  ["that Secrets Manager may not know of", "automatic", { startedAt: RECENTLY }, "unlabelled", true],
  ["that people began waits for them", "operator-assisted", { startedAt: LONG_AGO }, "waiting", false],
  ["that people begin waits for their value", "operator-assisted", {}, "unlabelled", false],
  ["of a leak", "operator-assisted", { emergency: true }, "waiting", true],
  ["that promotes", "manual-dual-publish", { kind: "promotion" }, "waiting", true],
  ["that is over", "automatic", { startedAt: LONG_AGO }, "over", false],
])("a sweep goes on with a run %s: %s", (_, rotation, of, standing, goesOn) => {
  expect(goesOnAlone(secret(rotation), run(of), standing, NOW)).toBe(goesOn);
});

test.each<[string, Dispatched["rotation"], Partial<Run>, Parameters<typeof isWithdrawable>[2], boolean]>([
  ["withdrawing", "automatic", { status: "withdrawing", kind: "promotion" }, "over", true],
  ["over", "automatic", {}, "over", true],
  ["waiting for people", "operator-assisted", {}, "waiting", true],
  ["waiting for Secrets Manager", "automatic", {}, "waiting", false],
  ["unlabelled, where a call may be under way", "automatic", {}, "unlabelled", false],
  ["followed", "operator-assisted", { status: "proving" }, "over", false],
  ["promoting", "manual-dual-publish", { kind: "promotion" }, "over", false],
  ["current", "operator-assisted", {}, "to-start", false],
])("a run that is %s can be given up: %s", (_, rotation, of, standing, can) => {
  expect(isWithdrawable(secret(rotation), run(of), standing)).toBe(can);
});

const request = (more: Partial<RunRequest> = {}): RunRequest => ({
  action: "rotate",
  key: "db/app",
  requester: "arn:aws:sts::111122223333:assumed-role/operator/ann",
  emergency: false,
  ...more,
});

test.each<[string, Partial<Run>, Partial<RunRequest>, "required" | "none", boolean]>([
  ["the same version", {}, { versionId: "v2" }, "required", true],
  ["another version", {}, { versionId: "v3" }, "none", false],
  ["no version, where no change is needed", {}, {}, "none", true],
  ["the same change", { change: { id: "c", digest: "d1" } }, { change: "d1" }, "required", true],
  ["another change", { change: { id: "c", digest: "d1" } }, { change: "d2" }, "required", false],
  ["a promotion, and it rotates", {}, { action: "promote" }, "none", false],
  ["a rotation, and it promotes", { kind: "promotion" }, {}, "none", false],
  [
    "the promotion of its version",
    { kind: "promotion", newVersion: "v9" },
    { action: "promote", versionId: "v1" },
    "none",
    true,
  ],
  ["a rotation, and it retires", { kind: "retirement" }, {}, "none", false],
])("an open run is asked for by %s", (_, of, asked, changeRequest, isIt) => {
  expect(isAskedFor(run(of), request(asked), changeRequest)).toBe(isIt);
});

test.each<[string, Dispatched["rotation"], Partial<Run>, Partial<RunRequest>, boolean]>([
  ["another value by people", "operator-assisted", {}, { versionId: "v3" }, true],
  ["the same one", "operator-assisted", {}, { versionId: "v2" }, false],
  ["no value", "operator-assisted", {}, {}, false],
  ["another staged value", "operator-assisted", {}, { action: "stage", versionId: "v3" }, false],
  [
    "one by another change",
    "operator-assisted",
    { change: { id: "c", digest: "d" } },
    { versionId: "v3" },
    false,
  ],
  ["one for what is followed", "operator-assisted", { status: "proving" }, { versionId: "v3" }, false],
  ["one that rules make", "automatic", {}, { versionId: "v3" }, false],
])("%s takes the place of an open run: %s", (_, rotation, of, asked, takes) => {
  expect(isBetterValue(secret(rotation), run(of), request(asked))).toBe(takes);
});

describe("the last rotation", () => {
  const description = (lastRotatedAt?: Date): SecretDescription => ({
    arn: "arn:aws:secretsmanager:eu-central-1:111122223333:secret:test/db/app-AbCdEf",
    name: "test/db/app",
    rotationEnabled: true,
    primaryRegion: undefined,
    labels: new Map(),
    deleted: false,
    ...(lastRotatedAt === undefined ? {} : { lastRotatedAt }),
  });
  const last = (runs: readonly Run[], rotatedAt?: Date) => lastRotation(description(rotatedAt), runs).last;

  test("is none for a secret without a run that Secrets Manager never rotated", () => {
    expect(last([])).toBeUndefined();
  });
  test("is the latest run's, or Secrets Manager's where that is later", () => {
    expect(last([run({ startedAt: RECENTLY })], LONG_AGO)).toEqual(RECENTLY);
    expect(last([run({ startedAt: LONG_AGO })], RECENTLY)).toEqual(RECENTLY);
  });
  test("is none of a promotion, a retirement or what was withdrawn", () => {
    const others = [run({ kind: "promotion" }), run({ kind: "retirement" }), run({ status: "withdrawn" })];
    expect(last([...others, run({ startedAt: LONG_AGO })])).toEqual(LONG_AGO);
  });
});
