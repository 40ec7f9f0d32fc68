import type { NewRun } from "../../../lib/contracts/run";
import { type AskedPhase, parseEvent } from "../../../lib/rotation/protocol/event";
import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { RehearsedSecret, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";

/** The reach of somebody who may call the rotation function and no more: nothing that the table of runs does not say. */

const [FIRST, SECOND] = [versionId("first"), versionId("second")];

/** A secret whose second rotation is current and confirmed; the login of its first is alive. */
async function rotated(
  run: Partial<NewRun> = {},
  mode: "automatic" | "operator-assisted" = "automatic",
  approval = false,
) {
  const server = new AccountsServer();
  const runs = new RunTableModel();
  const passwords: string[] = [];
  const secret = new RehearsedSecret<Account>({
    target: (plan) => accountsTarget(plan.wrap(server), () => `password-${passwords.push("made")}`),
    mode,
    runs,
    approval,
  });
  await secret.rotate(FIRST);
  secret.confirm();
  secret.clock.advance(3_600);
  const begun = await runs.begin(
    {
      secret: secret.name,
      run: SECOND,
      kind: "rotation",
      newVersion: SECOND,
      oldVersion: FIRST,
      startedBy: "ana",
      ...run,
    },
    secret.clock.now(),
  );
  const old = secret.current as Account;
  await secret.rotate(SECOND);
  secret.confirm();
  const ask = (asked: Partial<AskedPhase>) =>
    secret.invoke({ phase: "decommission", secretId: secret.name, runId: SECOND, ...asked });
  const isAlive = () => server.lets(old);
  return { secret, runs, begun, ask, isAlive };
}

describe("a phase does what its run says, and", () => {
  test.each([
    ["no run by this name", { runId: "no-such-run", versionId: FIRST, emergency: true }, "run-missing"],
    ["a version that is not the run's", { versionId: SECOND }, "run-mismatch"],
    ["an emergency that was not recorded", { emergency: true }, "run-mismatch"],
    ["an overlap that is not over", {}, "overlap-running"],
  ])("with %s nothing dies", async (_, asked, code) => {
    const { runs, begun, ask, isAlive } = await rotated();
    await runs.advance(begun, "proving");
    await expect(ask(asked)).rejects.toMatchObject({ code });
    expect(isAlive()).toBe(true);
  });

  test.each([
    ["that nothing follows yet", async () => undefined, "run-too-early"],
    [
      "that is over",
      async ({ runs, begun }: Awaited<ReturnType<typeof rotated>>) => runs.end(begun, "failed"),
      "run-ended",
    ],
    [
      "that is about to be recorded",
      async ({ runs, begun, secret }: Awaited<ReturnType<typeof rotated>>) => {
        await runs.advance(begun, "proving");
        await runs.close(begun, secret.clock.now(), true);
      },
      "run-ended",
    ],
  ])("of a run %s nothing dies, whatever time has passed", async (_, before, code) => {
    const world = await rotated();
    await before(world);
    world.secret.clock.advance(86_400);
    await expect(world.ask({})).rejects.toMatchObject({ code });
    expect(world.isAlive()).toBe(true);
  });

  test("of a run that is being turned back, what comes back lives, and what goes is what was taken back", async () => {
    const { secret, runs, begun, ask, isAlive } = await rotated();
    await runs.advance(begun, "proving");
    await runs.turnBack(begun);
    secret.clock.advance(86_400);
    await expect(ask({ phase: "verify" })).rejects.toMatchObject({ code: "run-turned-back" });
    await expect(ask({ versionId: FIRST })).rejects.toMatchObject({ code: "run-mismatch" });
    await expect(ask({})).rejects.toMatchObject({ code: "version-is-current" });
    expect(isAlive()).toBe(true);
  });

  test.each([
    ["a publication", { kind: "publication" as const }],
    ["a first value", { oldVersion: undefined }],
  ])("%s retires nothing", async (_, run) => {
    const { runs, begun, ask, isAlive } = await rotated(run);
    await runs.advance(begun, "proving");
    await expect(ask({})).rejects.toMatchObject({ code: "run-mismatch" });
    expect(isAlive()).toBe(true);
  });

  test("a recorded emergency skips the overlap, without a word in the event", async () => {
    const { runs, begun, ask, isAlive } = await rotated({ emergency: true });
    await runs.advance(begun, "proving");
    await expect(ask({})).resolves.toMatchObject({ result: "done" });
    expect(isAlive()).toBe(false);
  });

  test("the event needs to say no more than the run, whose overlap is over", async () => {
    const { secret, runs, begun, ask, isAlive } = await rotated();
    await runs.advance(begun, "proving");
    secret.clock.advance(3_600);
    await expect(ask({})).resolves.toMatchObject({ result: "done", versionId: FIRST });
    expect(isAlive()).toBe(false);
  });
});

describe("where an approver has to agree, a credential", () => {
  const BEN = "arn:aws:sts::333333333333:assumed-role/approver/ben@example.com";
  const decided = (answer: "approved" | "rejected") => ({ answer, by: BEN, at: new Date() });

  test.each([
    ["without a decision", undefined, {}],
    ["without a decision in an emergency, whose waits are skipped", undefined, { emergency: true }],
    ["that the approver has refused to let go", "rejected" as const, {}],
  ])("%s lives, whatever time has passed", async (_, answer, run) => {
    const { secret, runs, begun, ask, isAlive } = await rotated(run, "automatic", true);
    await runs.advance(begun, "awaiting-approval");
    if (answer) await runs.decide(begun, decided(answer));
    secret.clock.advance(86_400);
    await expect(ask({})).rejects.toMatchObject({ code: "approval-missing" });
    expect(isAlive()).toBe(true);
  });

  test("goes when he has agreed, and its overlap is over", async () => {
    const { secret, runs, begun, ask, isAlive } = await rotated({}, "automatic", true);
    await runs.advance(begun, "awaiting-approval");
    await runs.decide(begun, decided("approved"));
    await expect(ask({})).rejects.toMatchObject({ code: "overlap-running" });
    secret.clock.advance(3_600);
    await expect(ask({})).resolves.toMatchObject({ result: "done", versionId: FIRST });
    expect(isAlive()).toBe(false);
  });

  test("does not go by an approval in the event", () => {
    const forged = { Phase: "decommission", SecretId: "test/db/app", RunId: SECOND };
    for (const more of [
      { Approval: true },
      { Approver: BEN },
      { Decision: { answer: "approved", by: BEN } },
    ]) {
      expect(() => parseEvent({ ...forged, ...more })).toThrow(/event-malformed/);
    }
  });
});

test.each(["verify", "promote", "rollback"] as const)("%s without a run does nothing", async (phase) => {
  const { secret, ask } = await rotated();
  await expect(ask({ phase, runId: "no-such-run" })).rejects.toMatchObject({ code: "run-missing" });
  expect(secret.currentVersion).toBe(SECOND);
});

test("fingerprints are of the run's values alone", async () => {
  const { secret } = await rotated();
  const ask = (more: object) =>
    secret.invoke({ phase: "fingerprint", secretId: secret.name, runId: SECOND, ...more });
  await expect(ask({ runId: "no-such-run" })).rejects.toMatchObject({ code: "run-missing" });
  await expect(ask({ versionId: FIRST })).rejects.toMatchObject({ code: "run-mismatch" });
  await expect(ask({ oldVersionId: SECOND })).rejects.toMatchObject({ code: "run-mismatch" });
});

test.each(["automatic", "operator-assisted"] as const)(
  "steps that nobody has begun a run for make nothing current, where rotation is %s",
  async (mode) => {
    const { secret, runs, begun } = await rotated({}, mode);
    await runs.end(begun, "decommissioned");
    secret.clock.advance(3_600);
    const forged = versionId("forged");
    if (mode === "automatic") {
      // createSecret begins the run of Secrets Manager's own schedule; who has that right is the schedule.
      await secret.step("createSecret", secret.secrets.stage(secret.name, forged) ?? forged);
      const run = await runs.open(secret.name);
      if (run !== undefined) await runs.end(run, "withdrawn");
    } else {
      secret.secrets.stage(secret.name, forged);
      await expect(secret.step("createSecret", forged)).rejects.toMatchObject({ code: "run-missing" });
    }
    for (const step of ["setSecret", "testSecret", "finishSecret"] as const) {
      await expect(secret.step(step, forged)).rejects.toMatchObject({
        code: mode === "automatic" ? "run-ended" : "run-missing",
      });
    }
    expect(secret.currentVersion).toBe(SECOND);
  },
);
