import fc from "fast-check";
import {
  type DueState,
  dueStates,
  type SecretFacts,
  type WatchedState,
} from "../../../lib/rotation/procedure/due-states";

const NOW = new Date("2026-12-01T12:00:00Z");
const LIMITS = { dueAheadSeconds: 14 * 86_400, stuckAfterSeconds: 3_600 };
const ago = (hours: number): Date => new Date(NOW.getTime() - hours * 3_600_000);
const DAY = 24;

const well: WatchedState = {
  changedAt: ago(DAY),
  currentSince: ago(DAY),
  replicasBehind: [],
  isUnproven: false,
  isServed: true,
  vaultBehind: false,
};
const facts = (found: WatchedState | undefined, more: Partial<SecretFacts> = {}): SecretFacts => ({
  key: "payments/stripe",
  owner: "payments",
  rotation: "operator-assisted",
  rotateEverySeconds: 90 * 86_400,
  found,
  ...more,
});

const CASES: readonly (readonly [string, SecretFacts, Pick<DueState, "cadence" | "stuck">])[] = [
  ["a fresh one", facts(well), { cadence: "kept", stuck: [] }],
  ["one that is not there", facts(undefined), { cadence: "kept", stuck: ["missing"] }],
  [
    "one without a value",
    facts({ ...well, currentSince: undefined }),
    { cadence: "kept", stuck: ["no-value"] },
  ],
  [
    "15 days before its cadence ends",
    facts({ ...well, currentSince: ago(75 * DAY) }),
    { cadence: "kept", stuck: [] },
  ],
  [
    "13 days before its cadence ends",
    facts({ ...well, currentSince: ago(77 * DAY) }),
    { cadence: "due", stuck: [] },
  ],
  [
    "an automatic one, 13 days before its cadence ends",
    facts({ ...well, currentSince: ago(77 * DAY) }, { rotation: "automatic" }),
    { cadence: "kept", stuck: [] },
  ],
  [
    "an automatic one, an hour late",
    facts({ ...well, currentSince: ago(90 * DAY + 1) }, { rotation: "automatic" }),
    { cadence: "overdue", stuck: [] },
  ],
  ["half an hour pending", facts({ ...well, pendingSince: ago(0.5) }), { cadence: "kept", stuck: [] }],
  ["two hours pending", facts({ ...well, pendingSince: ago(2) }), { cadence: "kept", stuck: ["pending"] }],
  [
    "a replica behind a change of just now",
    facts({ ...well, changedAt: ago(0.5), replicasBehind: ["us-east-1"] }),
    { cadence: "kept", stuck: [] },
  ],
  [
    "a replica behind an older change",
    facts({ ...well, replicasBehind: ["us-east-1"] }),
    { cadence: "kept", stuck: ["replica"] },
  ],
  [
    "a value of just now that nothing proves",
    facts({ ...well, currentSince: ago(0.1), isUnproven: true }),
    { cadence: "kept", stuck: ["unproven"] },
  ],
  [
    "a first value of just now, which is tested next",
    facts({ ...well, currentSince: ago(0.5), isUnproven: true, isServed: false }),
    { cadence: "kept", stuck: [] },
  ],
  [
    "a first value that nobody has tested",
    facts({ ...well, currentSince: ago(2), isUnproven: true, isServed: false }),
    { cadence: "kept", stuck: ["unproven"] },
  ],
  ["a Vault behind", facts({ ...well, vaultBehind: true }), { cadence: "kept", stuck: ["vault"] }],
  [
    "everything at once",
    facts({
      changedAt: ago(200 * DAY),
      currentSince: ago(200 * DAY),
      pendingSince: ago(2),
      replicasBehind: ["us-east-1"],
      isUnproven: true,
      isServed: true,
      vaultBehind: true,
    }),
    { cadence: "overdue", stuck: ["pending", "replica", "unproven", "vault"] },
  ],
];

const time = fc.option(
  fc.integer({ min: 0, max: 400 * DAY * 3_600 }).map((seconds) => new Date(NOW.getTime() - seconds * 1_000)),
  { nil: undefined },
);
const anyFacts: fc.Arbitrary<SecretFacts> = fc.record({
  key: fc.constant("db/app"),
  owner: fc.constant("backend"),
  rotation: fc.constantFrom(
    "automatic" as const,
    "operator-assisted" as const,
    "manual-dual-publish" as const,
  ),
  rotateEverySeconds: fc.integer({ min: 86_400, max: 366 * 86_400 }),
  found: fc.option(
    fc.record({
      changedAt: time,
      currentSince: time,
      pendingSince: time,
      replicasBehind: fc.constantFrom([], ["us-east-1"]),
      isUnproven: fc.boolean(),
      isServed: fc.boolean(),
      vaultBehind: fc.boolean(),
    }),
    { nil: undefined },
  ),
});
const RANK = { kept: 0, due: 1, overdue: 2 };

describe("due states", () => {
  test.each(CASES)("%s", (_, secret, expected) => {
    expect(dueStates(NOW, [secret], LIMITS)).toMatchObject([expected]);
  });

  test("property: time alone makes nothing better", () => {
    fc.assert(
      fc.property(anyFacts, fc.nat({ max: 100 * 86_400 }), (secret, seconds) => {
        const later = new Date(NOW.getTime() + seconds * 1_000);
        const [before] = dueStates(NOW, [secret], LIMITS);
        const [after] = dueStates(later, [secret], LIMITS);
        expect(RANK[after?.cadence ?? "kept"]).toBeGreaterThanOrEqual(RANK[before?.cadence ?? "overdue"]);
        expect(after?.stuck).toEqual(expect.arrayContaining([...(before?.stuck ?? [])]));
      }),
    );
  });

  test("property: overdue is exactly what is older than its cadence, and only people's secrets are due", () => {
    fc.assert(
      fc.property(anyFacts, (secret) => {
        const [state] = dueStates(NOW, [secret], LIMITS);
        const age =
          secret.found?.currentSince && (NOW.getTime() - secret.found.currentSince.getTime()) / 1_000;
        expect(state?.cadence === "overdue").toBe(age !== undefined && age > secret.rotateEverySeconds);
        if (state?.cadence === "due") expect(secret.rotation).not.toBe("automatic");
      }),
    );
  });
});
