import type { AwsSecretPlan } from "../../lib/blueprint";
import type { RotationReport } from "../../lib/cli/verbs/direct-rotation";
import { accepted, type Combination, registryOf, wordsOf } from "../model/combinations";
import { print, RehearsedRotations } from "./rehearsed-rotations";

jest.setTimeout(900_000);

/** `false` where a check asks a server that the rehearsal does not have: test/rotation/targets/generic.test.ts has them. */
const isRehearsed = ({ variant }: Combination): boolean => !variant.includes("check");

/** Part of the words of a combination; a failure is looked into faster alone. */
const only = process.env.COMBINATIONS ?? "";

const rehearsed = accepted()
  .filter(isRehearsed)
  .filter((combination) => wordsOf(combination).includes(only));
let rotations: RehearsedRotations;

beforeAll(async () => {
  rotations = await RehearsedRotations.start({ registry: registryOf(rehearsed), environment: "dev" });
}, 600_000);

afterAll(() => rotations?.group.stop(), 60_000);

function expectDone({ phase, outcome, fault }: RotationReport): void {
  expect({ phase, outcome, fault }).toEqual({ phase, outcome: "done", fault: undefined });
}

/** Result of a consumer's attempt with a value, where the rehearsal can try it. */
const attempt = async (key: string, value: unknown) =>
  rotations.world.targets.targets.get(key)?.attempt?.(value) ?? "not tried";

/** The next value, in use. */
async function toNextValue({ key, rotation, publishLead }: AwsSecretPlan): Promise<void> {
  await rotations.whenPossible("rotate", key);
  if (rotation === "manual-dual-publish") {
    const { fault, outcome } = await rotations.rotate(key, { phase: "publish" });
    expect({ fault, outcome }).toEqual({
      fault: undefined,
      // What goes back from a promotion is published still.
      outcome: expect.stringMatching(/^(done|already-done)$/),
    });
    await rotations.whenPossible("promote", key);
    expectDone(await rotations.rotate(key, { phase: "promote" }));
    return;
  }
  const target = rotations.world.targets.targets.get(key);
  const isGiven = rotations.world.targets.supplied.has(key);
  const supplied = target?.reissued?.() ?? (isGiven ? { token: `given-${key}-${Date.now()}` } : undefined);
  const report = await rotations.rotate(key, supplied === undefined ? {} : { supplied });
  if (report.outcome === "staged") {
    // A person has taken the made value to the target.
    expectDone(await rotations.rotate(key, { phase: "promote" }));
    return;
  }
  expectDone(report);
  if (rotation === "operator-assisted" && publishLead.seconds > 0) {
    await rotations.whenPossible("promote", key);
    expectDone(await rotations.rotate(key, { phase: "promote" }));
  }
}

/** To the second value, back to the first, and on to another one; the old ones end. */
async function thereAndBack(key: string): Promise<void> {
  const secret = rotations.secret(key);
  const target = rotations.world.targets.targets.get(key);
  const { value: first } = await rotations.current(key);
  await toNextValue(secret);
  const { value: second } = await rotations.current(key);
  expect(second).not.toEqual(first);
  const isTwin = secret.acceptedBy === "target";
  expect(["accepted", "not tried"]).toContain(await attempt(key, second));
  if (isTwin) expect(["accepted", "not tried"]).toContain(await attempt(key, first));

  expectDone(await rotations.rotate(key, { phase: "rollback" }));
  expect(["accepted", "not tried"]).toContain(await attempt(key, (await rotations.current(key)).value));
  await rotations.whenPossible("decommission", key);
  if (isTwin) target?.expire?.(second);
  const ended = await rotations.rotate(key, { phase: "decommission" });
  expect({
    fault: ended.fault,
    done: ["done", "already-done", "nothing-to-do"].includes(ended.outcome),
  }).toEqual({
    fault: undefined,
    done: true,
  });
  if (isTwin) expect(["refused", "not tried"]).toContain(await attempt(key, second));

  await toNextValue(secret);
  expect(["accepted", "not tried"]).toContain(await attempt(key, (await rotations.current(key)).value));
}

test("every combination gets its first value by bootstrap", async () => {
  const { complete, secrets } = await rotations.bootstrap();
  expect({ complete, faults: secrets.filter(({ fault }) => fault) }).toEqual({ complete: true, faults: [] });
});

test("every combination reaches its second value, goes back, and rotates again", async () => {
  const outcomes = await Promise.all(
    rehearsed.map(async (combination, n) => {
      if (combination.store === "vault") return undefined;
      try {
        await thereAndBack(`c/${n}`);
        return undefined;
      } catch (failure) {
        return `${wordsOf(combination)}: ${failure instanceof Error ? failure.message : failure}`;
      }
    }),
  );
  print(`${rehearsed.length} combinations rehearsed of ${accepted().length} that are accepted`);
  expect(outcomes.filter((outcome) => outcome !== undefined)).toEqual([]);
});
