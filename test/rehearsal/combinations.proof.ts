import type { AwsSecretPlan } from "../../lib/blueprint";
import type { RotationReport } from "../../lib/cli/verbs/direct-rotation";
import { accepted, describeCombination, registryOf } from "../model/combinations";
import { print, RehearsedRotations } from "./rehearsed-rotations";

jest.setTimeout(900_000);

/** Part of the words of a combination; a failure is looked into faster alone. */
const only = process.env.COMBINATIONS ?? "";

const rehearsed = accepted().filter((combination) => describeCombination(combination).includes(only));
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
  const isGiven = rotation === "operator-assisted" && rotations.world.targets.supplied.has(key);
  const supplied =
    (await target?.reissued?.()) ?? (isGiven ? { token: `given-${key}-${Date.now()}` } : undefined);
  const report = await rotations.rotate(key, supplied === undefined ? {} : { supplied });
  if (report.outcome === "staged") {
    // A person takes the made value to the target.
    await target?.takes?.(await rotations.valueOf(key, report.version ?? ""));
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

  // Where there is one slot, a person sets the value there that is to be in use again.
  if (!isTwin) await target?.takes?.(first);
  expectDone(await rotations.rotate(key, { phase: "rollback" }));
  expect(["accepted", "not tried"]).toContain(await attempt(key, (await rotations.current(key)).value));
  await rotations.whenPossible("decommission", key);
  if (isTwin) await target?.expire?.(second);
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

interface Login {
  readonly username: string;
  readonly password: string;
}

/**
 * Rotates a secret that Vault owns: the value after the next one, and the end of the first, at each Vault. A static
 * login has one slot, and Vault knows no way back; a user of a lease lives beside the next one, so the way back is that
 * the first still works.
 */
async function byVault(key: string): Promise<void> {
  const { plan, vaults, targets } = rotations.world;
  const secret = plan.secrets.find((one) => one.key === key);
  if (secret === undefined) throw new Error(`no ${key}`);
  const database = targets.postgresql.databaseOf(secret);
  let seen = 0;
  for (const { name, databases } of plan.vaults) {
    const server = vaults.get(name);
    for (const { mount, roles } of databases) {
      const role = roles.find(({ secret }) => secret === key);
      if (role === undefined || server === undefined) continue;
      seen += 1;
      const from = role.login === "static" ? "static-creds" : "creds";
      const ask = () => server.call("GET", `${mount}/${from}/${role.name}`);
      const first = await ask();
      const logIn = async (login: unknown) =>
        (await database.accepts(login as Login)) ? "accepted" : "refused";
      expect(await logIn(first.data)).toBe("accepted");
      if (role.login === "static") await server.call("POST", `${mount}/rotate-role/${role.name}`);
      const second = await ask();
      expect((second.data as unknown as Login).password).not.toBe((first.data as unknown as Login).password);
      expect([await logIn(first.data), await logIn(second.data)]).toEqual([
        role.login === "static" ? "refused" : "accepted",
        "accepted",
      ]);
      if (role.login === "static") continue;
      await server.call("PUT", "sys/leases/revoke", { body: { lease_id: second.lease_id, sync: true } });
      expect([await logIn(first.data), await logIn(second.data)]).toEqual(["accepted", "refused"]);
    }
  }
  expect(seen).toBeGreaterThan(0);
}

test("every combination gets its first value by bootstrap", async () => {
  const { secrets: begun } = await rotations.bootstrap();
  // What rules made is refused until a person has taken it to its target.
  const refused = begun.flatMap(({ secret, fault }) =>
    fault === undefined ? [] : [{ secret, code: fault.code }],
  );
  const carried = rehearsed.flatMap(({ variant }, n) => (variant === "rules, HTTP check" ? [`c/${n}`] : []));
  expect(refused).toEqual(carried.sort().map((secret) => ({ secret, code: "target-refused" })));
  for (const key of carried) {
    await rotations.target(key).takes?.((await rotations.current(key)).value);
  }
  const { complete, secrets } = await rotations.bootstrap();
  expect({ complete, faults: secrets.filter(({ fault }) => fault) }).toEqual({ complete: true, faults: [] });
});

test("every combination reaches its second value, goes back, and rotates again", async () => {
  const outcomes = await Promise.all(
    rehearsed.map(async (combination, n) => {
      try {
        await (combination.store === "vault" ? byVault : thereAndBack)(`c/${n}`);
        return undefined;
      } catch (failure) {
        return `${describeCombination(combination)}: ${failure instanceof Error ? failure.message : failure}`;
      }
    }),
  );
  print(`${rehearsed.length} combinations rehearsed of ${accepted().length} that are accepted`);
  expect(outcomes.filter((outcome) => outcome !== undefined)).toEqual([]);
});
