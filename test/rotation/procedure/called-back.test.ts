import type { RecorderEvent } from "../../../lib/contracts/procedure-events";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { RotationMachine } from "../../../lib/rotation/machine/rotation-machine";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import type { DispatcherRequest } from "../../../lib/rotation/procedure/dispatcher-event";
import { parseEvent } from "../../../lib/rotation/protocol/event";
import type { Logbook } from "../../../lib/rotation/protocol/ports";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { dispatcherSettings } from "../models/dispatcher-settings";
import { ExecutionsModel } from "../models/executions-model";
import { ProofsModel } from "../models/proofs-model";
import { recorderModel } from "../models/recorder-model";
import { PublicationsModel, silentLog, TestClock, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";
import { SecretsManagerModel } from "../models/secrets-manager-model";
import { NOBODY } from "../models/sts-model";

const NAME = "test/db/app";
const KEY = "db/app";
const REGION = "eu-central-1";
const FUNCTION = "acme-test--rotate";
const PERSON = "arn:aws:sts::111122223333:assumed-role/operator/ana@example.com";
const FORMER = { username: "a", password: "former" } as const;
const CURRENT = { username: "b", password: "current" } as const;
const [OLD, NEW] = [versionId("old"), versionId("new")];

/**
 * A run that is being withdrawn, because somebody called it back, and whose version a late call of before has made current
 * all the same.
 */
class World {
  readonly secrets = new SecretsManagerModel();
  readonly proofs = new ProofsModel();
  readonly table = new RunTableModel();
  readonly clock = new TestClock();
  readonly server = new AccountsServer();
  readonly said: string[] = [];
  isAway = false;
  readonly #recording = recorderModel(
    NAME,
    { key: KEY, kind: "paypal" },
    { runs: this.table, clock: this.clock },
  );

  static async open(works: { readonly former: boolean; readonly current: boolean }): Promise<World> {
    const world = new World();
    const { secrets, proofs, table, server, clock } = world;
    if (works.former) await server.allow(FORMER);
    if (works.current) await server.allow(CURRENT);
    secrets.create(NAME);
    secrets.putByHand(NAME, OLD, JSON.stringify(FORMER));
    proofs.prove(secrets, NAME, OLD);
    const run = await table.begin(
      { secret: NAME, run: NEW, kind: "rotation", newVersion: NEW, oldVersion: OLD, startedBy: PERSON },
      clock.now(),
    );
    await table.withdraw(run);
    secrets.putByHand(NAME, NEW, JSON.stringify(CURRENT));
    clock.advance(60);
    return world;
  }

  get run() {
    return this.table.runs.find(({ run }) => run === NEW);
  }

  get record(): { readonly end: object; readonly phases: readonly object[] } {
    return JSON.parse([...this.#recording.records.values()][0] ?? "{}");
  }

  label(of: string): readonly string[] {
    return this.secrets.labels(NAME)[of] ?? [];
  }

  get isProved(): boolean {
    return this.proofs.proved(this.secrets, NAME).includes(NEW);
  }

  async dispatch(request: DispatcherRequest): Promise<string> {
    const dispatcher = new Dispatcher({
      settings: dispatcherSettings(NAME, {
        key: KEY,
        kind: "paypal",
        rotation: "operator-assisted",
        function: FUNCTION,
      }),
      runs: this.table,
      store: new SecretsManagerStore(this.secrets.client),
      publications: new PublicationsModel(),
      proofs: this.proofs,
      rotations: { start: async () => undefined },
      functions: {
        invoke: async (name, event) =>
          name === FUNCTION ? this.#rotate(event) : this.#recording.recorder.run(event as RecorderEvent),
      },
      identities: NOBODY,
      executions: new ExecutionsModel(),
      clock: this.clock,
      log: this.#log,
      newVersion: () => versionId("another"),
    });
    try {
      return (await dispatcher.run(request)).result;
    } catch (failure) {
      return failure instanceof RotationError ? failure.code : String(failure);
    }
  }

  get #log(): Logbook {
    return {
      ...silentLog,
      error: (text, fields) => void this.said.push(`${text} ${JSON.stringify(fields)}`),
    };
  }

  async #rotate(event: object): Promise<unknown> {
    if (this.isAway) throw new RotationError("target-unreachable", "the target");
    return new RotationMachine<Account>({
      secretName: NAME,
      region: REGION,
      mode: "operator-assisted",
      waits: { overlap: { seconds: 0 }, publishLead: { seconds: 0 } },
      target: accountsTarget(this.server, () => "made"),
      store: new SecretsManagerStore(this.secrets.client),
      publications: new PublicationsModel(),
      proofs: this.proofs,
      runs: this.table,
      clock: this.clock,
      log: silentLog,
      guard: () => undefined,
    }).run(parseEvent(event));
  }
}

const SWEEP = { action: "sweep" } as const;
const ROTATE = { action: "rotate", key: KEY, requester: PERSON, emergency: false } as const;

describe("a run that is called back while its version becomes current", () => {
  test("goes back, and its record can be read", async () => {
    const world = await World.open({ former: true, current: true });
    expect(await world.dispatch(SWEEP)).toBe("swept");
    expect(world.run?.status).toBe("rolled-back");
    expect(world.label(OLD)).toContain("AWSCURRENT");
    expect(world.record.end).toMatchObject({ outcome: "rolled-back", reason: "called-back in Dispatcher" });
  });

  test("stays in use where the target refuses the former credential: the run ends, and the sweep names it", async () => {
    const world = await World.open({ former: false, current: true });
    expect(world.isProved).toBe(false);
    // A call that fails pages.
    expect(await world.dispatch(SWEEP)).toBe("throttled");
    expect(world.said.join("\n")).toContain("the way back is closed: what is current stays");
    expect(world.said.join("\n")).toContain(`"code":"way-back-closed"`);
    expect(world.run?.status).toBe("failed");
    expect(world.label(NEW)).toContain("AWSCURRENT");
    expect(world.isProved).toBe(true);
    expect(world.record.end).toEqual({ outcome: "failed", reason: "way-back-closed in Dispatcher" });
    expect(world.record.phases).toContainEqual(
      expect.objectContaining({ phase: "rollback", outcome: "failed", fault: "target-refused" }),
    );
    // What it has left is retired like any other failure's, and the secret is free.
    expect(await world.dispatch(SWEEP)).toBe("swept");
    expect(world.table.runs.map(({ run, status }) => [run, status])).toEqual([
      [NEW, "failed"],
      [`retire-${OLD}`, "proving"],
    ]);
  });

  test("the person who calls it back is told", async () => {
    const world = await World.open({ former: false, current: true });
    expect(await world.dispatch({ action: "rollback", key: KEY, requester: PERSON })).toBe("way-back-closed");
    expect(world.run?.status).toBe("failed");
  });

  test("ends where neither credential works, so that another rotation can begin", async () => {
    const world = await World.open({ former: false, current: false });
    expect(await world.dispatch(SWEEP)).toBe("throttled");
    expect(world.record.end).toEqual({ outcome: "failed", reason: "nothing-accepted in Dispatcher" });
    expect(world.isProved).toBe(false);
    expect(await world.dispatch({ ...ROTATE, emergency: true })).not.toBe("run-under-way");
  });

  test("waits while the target cannot be asked: that proves nothing", async () => {
    const world = await World.open({ former: false, current: true });
    world.isAway = true;
    expect(await world.dispatch(SWEEP)).toBe("throttled");
    expect(world.run?.status).toBe("withdrawing");
    world.isAway = false;
    await world.dispatch(SWEEP);
    expect(world.run?.status).toBe("failed");
  });
});
