import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { crashEverywhere } from "../models/crash-everywhere";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";

const [FIRST, SECOND] = [versionId("first"), versionId("second")];

/** A secret whose first rotation is done and old enough for the next. */
async function rehearsed(mode: "automatic" | "operator-assisted") {
  const server = new AccountsServer();
  const runs = new RunTableModel();
  const passwords: string[] = [];
  const secret = new RehearsedSecret<Account>({
    target: (plan) => accountsTarget(plan.wrap(server), () => `password-${passwords.push("made")}`),
    mode,
    runs,
  });
  await secret.rotate(FIRST);
  secret.confirm();
  secret.clock.advance(3_600);
  return { secret, runs, made: () => passwords.length };
}

describe("a rotation by schedule", () => {
  test("begins a run when it has a predecessor, and only then", async () => {
    const { secret, runs } = await rehearsed("automatic");
    expect(runs.runs).toEqual([]);
    await secret.rotate(SECOND);
    expect(runs.runs).toMatchObject([
      { secret: secret.name, run: SECOND, newVersion: SECOND, oldVersion: FIRST, startedBy: "schedule" },
    ]);
  });

  test("makes no credential while another run has the secret", async () => {
    const { secret, runs, made } = await rehearsed("automatic");
    const before = made();
    await runs.begin(
      { secret: secret.name, run: "other", kind: "rotation", newVersion: "other", startedBy: "someone" },
      secret.clock.now(),
    );
    await expect(secret.rotate(SECOND)).rejects.toMatchObject({ code: "run-under-way" });
    expect(made()).toBe(before);
    expect(secret.currentVersion).toBe(FIRST);
  });

  test("begins no run where the dispatcher does, and goes on by that one alone", async () => {
    const { secret, runs } = await rehearsed("operator-assisted");
    await expect(secret.rotate(SECOND)).rejects.toMatchObject({ code: "run-missing" });
    expect(runs.runs).toEqual([]);
    await runs.begin(
      { secret: secret.name, run: SECOND, kind: "rotation", newVersion: SECOND, startedBy: "someone" },
      secret.clock.now(),
    );
    await secret.rotate(SECOND);
    expect(secret.currentVersion).toBe(SECOND);
    expect(runs.runs).toHaveLength(1);
  });

  test("has one run, wherever it dies", async () => {
    const points = await crashEverywhere(async () => {
      const { secret, runs } = await rehearsed("automatic");
      return {
        work: (plan) => secret.rotate(SECOND, plan),
        afterCrash: async () => {
          expect(runs.runs.length).toBeLessThanOrEqual(1);
          // Nothing was made without a run.
          if (secret.secrets.valueOf(secret.name, SECOND) !== undefined) expect(runs.runs).toHaveLength(1);
        },
        afterAll: async () => {
          expect(secret.currentVersion).toBe(SECOND);
          expect(runs.runs.map(({ run }) => run)).toEqual([SECOND]);
        },
      };
    });
    expect(points).toBeGreaterThan(20);
  });
});
