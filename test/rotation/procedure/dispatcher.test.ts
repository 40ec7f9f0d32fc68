import type { DispatcherSettings } from "../../../lib/contracts/function-settings";
import type { RecorderEvent } from "../../../lib/contracts/procedure-events";
import type { Run } from "../../../lib/contracts/run";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import type { DispatcherRequest } from "../../../lib/rotation/procedure/dispatcher-event";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { type DispatchedPart, dispatcherSettings } from "../models/dispatcher-settings";
import { ExecutionsModel } from "../models/executions-model";
import { ProofsModel } from "../models/proofs-model";
import { recorderModel } from "../models/recorder-model";
import { PublicationsModel, silentLog, TestClock, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";
import { SecretsManagerModel } from "../models/secrets-manager-model";
import { NOBODY } from "../models/sts-model";

const NAME = "test/db/app";
const KEY = "db/app";
const FUNCTION = "acme-test--rotate";
const RECORDER = "acme-test--recorder";
const PERSON = "arn:aws:sts::111122223333:assumed-role/operator/ana@example.com";
const [OLD, NEW, OTHER] = [versionId("old"), versionId("new"), versionId("other")];
const TEXTS = { password: `hmac-sha256:key:${"a".repeat(64)}` };

/** Answers of the function that rotates, by what it is asked. */
type Answers = Readonly<Record<string, unknown>>;

/** A dispatcher of one secret, whose current version is proved. */
class World {
  readonly secrets = new SecretsManagerModel();
  readonly proofs = new ProofsModel();
  readonly table = new RunTableModel();
  readonly executions = new ExecutionsModel();
  readonly clock = new TestClock();
  /** Calls of functions and of Secrets Manager, in their order. */
  readonly calls: string[] = [];
  readonly confirmed: string[] = [];
  readonly #recording = recorderModel(
    NAME,
    { key: KEY, kind: "postgresql-user" },
    { runs: this.table, clock: this.clock },
  );

  constructor(
    private readonly secret: Partial<DispatchedPart> = {},
    private readonly settings: Partial<DispatcherSettings> = {},
    private readonly answers: Answers = {},
  ) {
    this.secrets.create(NAME);
    this.secrets.putByHand(NAME, OLD, "{}");
    this.proofs.prove(this.secrets, NAME, OLD);
  }

  /** A run that is open. */
  async begun(more: Partial<Run> = {}): Promise<Run> {
    const { kind = "rotation", newVersion = NEW, emergency } = more;
    return this.table.begin(
      {
        secret: NAME,
        run: newVersion,
        kind,
        newVersion,
        oldVersion: OLD,
        startedBy: PERSON,
        ...(emergency === undefined ? {} : { emergency }),
      },
      this.clock.now(),
    );
  }

  /** The run's version is current and proved. */
  served(version = NEW): void {
    this.secrets.putByHand(NAME, version, "{}");
    this.proofs.prove(this.secrets, NAME, version);
  }

  async ask(request: DispatcherRequest): Promise<string> {
    const dispatcher = new Dispatcher({
      settings: dispatcherSettings(
        NAME,
        { key: KEY, kind: "postgresql-user", rotation: "automatic", function: FUNCTION, ...this.secret },
        this.settings,
      ),
      runs: this.table,
      store: new SecretsManagerStore(this.secrets.client),
      publications: new PublicationsModel(),
      proofs: this.proofs,
      confirm: async (name) => {
        this.confirmed.push(name);
      },
      rotations: {
        start: async (_, version) => {
          this.calls.push("RotateSecret");
          this.secrets.stage(NAME, version);
        },
      },
      functions: {
        invoke: async (name, event) => {
          const asked = event as {
            readonly Look?: string;
            readonly Step?: string;
            readonly Phase?: string;
            readonly Outcome?: string;
          };
          const what = asked.Look ?? asked.Step ?? asked.Phase ?? asked.Outcome ?? "fingerprints";
          this.calls.push(`${name === FUNCTION ? "function" : name}: ${what}`);
          if (name === RECORDER) return this.#recording.recorder.run(event as RecorderEvent);
          return this.answers[what] ?? { result: "done", versionId: NEW };
        },
      },
      identities: NOBODY,
      executions: this.executions,
      clock: this.clock,
      log: silentLog,
      newVersion: () => OTHER,
    });
    try {
      const { result } = await dispatcher.run(request);
      return result;
    } catch (failure) {
      if (failure instanceof RotationError) return failure.code;
      throw failure;
    }
  }
}

const ROTATE: DispatcherRequest = { action: "rotate", key: KEY, requester: PERSON, emergency: false };

describe("a secret that the dispatcher does not have", () => {
  test.each<DispatcherRequest>([
    { ...ROTATE, key: "db/other" },
    { ...ROTATE, action: "stage", key: "db/other" },
    { ...ROTATE, action: "promote", key: "db/other" },
    { action: "rollback", key: "db/other", requester: PERSON },
    { action: "status", key: "db/other" },
    { action: "fingerprint", key: "db/other" },
    { action: "load", secretName: "test/db/other", run: NEW, execution: "x" },
  ])("$action is refused", async (request) => {
    const world = new World();
    expect([await world.ask(request), world.table.runs]).toEqual(["secret-not-ours", []]);
  });

  test.each<DispatcherRequest>([
    { action: "label-moved", secretName: "test/db/other", versionId: NEW },
    { action: "confirm", secretName: "test/db/other" },
  ])("$action has nothing to do", async (request) => {
    const world = new World();
    expect([await world.ask(request), world.confirmed, world.calls]).toEqual(["nothing-to-do", [], []]);
  });
});

describe("a command to rotate", () => {
  test("begins a run, and has Secrets Manager start it", async () => {
    const world = new World();
    expect([await world.ask(ROTATE), world.calls]).toEqual(["under-way", ["RotateSecret"]]);
    expect(world.table.runs).toEqual([
      expect.objectContaining({ kind: "rotation", newVersion: OTHER, oldVersion: OLD, status: "rotating" }),
    ]);
  });

  test("goes on with the run that is open for the same, and begins no second one", async () => {
    const world = new World();
    await world.ask(ROTATE);
    expect(await world.ask(ROTATE)).toBe("under-way");
    expect(world.table.runs).toHaveLength(1);
  });

  test.each<[string, Partial<Run>]>([
    ["an execution proves", { newVersion: NEW }],
    ["retires what a run has left", { kind: "retirement", newVersion: OLD }],
  ])("waits for a run that %s", async (_, run) => {
    const world = new World();
    const open = await world.begun(run);
    if (run.kind !== "retirement") world.served();
    await world.table.advance(open, "proving");
    await world.executions.start(`${open.run}.db--app`, { secret: NAME, run: open.run });
    expect([await world.ask({ ...ROTATE, versionId: OTHER }), world.calls]).toEqual(["run-under-way", []]);
  });

  test("takes the secret from a run that is dead, and records its end", async () => {
    const world = new World();
    await world.begun();
    // Nobody gave the version a label, for longer than any function lives.
    world.clock.advance(2 * 3_600);
    expect(await world.ask(ROTATE)).toBe("under-way");
    expect(world.calls).toEqual(expect.arrayContaining([`${RECORDER}: withdrawn`, "RotateSecret"]));
    expect(world.table.runs.map(({ newVersion, status }) => [newVersion, status])).toEqual([
      [NEW, "withdrawn"],
      [OTHER, "rotating"],
    ]);
  });

  test("for a leak stops the execution of the run before it, and records that it gave way", async () => {
    const world = new World();
    const open = await world.begun();
    world.served();
    await world.table.advance(open, "proving");
    await world.executions.start(`${open.run}.db--app`, { secret: NAME, run: open.run });
    expect(await world.ask({ ...ROTATE, emergency: true, versionId: OTHER })).toBe("under-way");
    expect(world.executions.running).toEqual([]);
    expect(world.table.runs.find(({ newVersion }) => newVersion === NEW)?.status).toBe("failed");
    expect(world.calls[0]).toBe(`${RECORDER}: failed`);
  });

  test.each<[string, Partial<DispatcherSettings>, string]>([
    [
      "is refused without a change request, where one is needed",
      { changeRequest: "required" },
      "change-missing",
    ],
    [
      "is refused without a proof of who asks, where one is needed",
      { callerProof: "required", starters: [PERSON] },
      "proof-missing",
    ],
  ])("%s", async (_, settings, code) => {
    const world = new World({}, settings);
    expect([await world.ask(ROTATE), world.calls, world.table.runs]).toEqual([code, [], []]);
  });
});

describe("a call back", () => {
  test("of nothing is refused", async () => {
    expect(await new World().ask({ action: "rollback", key: KEY, requester: PERSON })).toBe("run-missing");
  });

  test("of a retirement is refused: it goes back to nothing", async () => {
    const world = new World();
    await world.begun({ kind: "retirement", newVersion: OLD });
    expect(await world.ask({ action: "rollback", key: KEY, requester: PERSON })).toBe("run-under-way");
  });

  test("of a run whose version is proved, before anything followed it, is followed by the way back alone", async () => {
    const world = new World();
    const open = await world.begun();
    world.served();
    expect(await world.ask({ action: "rollback", key: KEY, requester: PERSON })).toBe("under-way");
    expect([...world.executions.all.keys()]).toEqual([`${open.run}.db--app`, `${open.run}.db--app.back`]);
    expect(world.executions.running.map(({ name }) => name)).toEqual([`${open.run}.db--app.back`]);
  });

  test("of a run that is proved stops its execution and starts the way back", async () => {
    const world = new World();
    const open = await world.begun();
    world.served();
    await world.table.advance(open, "proving");
    await world.executions.start(`${open.run}.db--app`, { secret: NAME, run: open.run });
    expect(await world.ask({ action: "rollback", key: KEY, requester: PERSON })).toBe("under-way");
    expect(world.executions.running.map(({ name }) => name)).toEqual([`${open.run}.db--app.back`]);
  });
});

describe("a label that moved", () => {
  test("to the version of a run that an execution proves: nothing to do", async () => {
    const world = new World();
    const open = await world.begun();
    world.served();
    await world.table.advance(open, "proving");
    expect(await world.ask({ action: "label-moved", secretName: NAME, versionId: NEW })).toBe(
      "nothing-to-do",
    );
    expect(world.executions.all.size).toBe(0);
  });

  test.each<[string, (world: World) => Promise<unknown>, string, number]>([
    ["to a version of no run", async (world) => world.served(), "nothing-to-do", 0],
    [
      "to a run's version that is not proved",
      async (world) => {
        await world.begun();
        world.secrets.putByHand(NAME, NEW, "{}");
      },
      "nothing-to-do",
      0,
    ],
    [
      "to a run's proved version",
      async (world) => {
        await world.begun();
        world.served();
      },
      "under-way",
      1,
    ],
  ])("%s", async (_, arrange, result, executions) => {
    const world = new World();
    await arrange(world);
    expect(await world.ask({ action: "label-moved", secretName: NAME, versionId: NEW })).toBe(result);
    expect([world.executions.running.length, world.confirmed]).toEqual([executions, [NAME]]);
  });
});

describe("the state of a secret", () => {
  test.each<[string, Partial<DispatchedPart>, Answers, readonly string[]]>([
    ["is asked of nobody where people read nothing of it", {}, {}, []],
    [
      "is asked of its function where keys are published beside what people supply",
      { supplied: true, publishes: true },
      { published: { published: true } },
      ["function: published"],
    ],
    ["is asked of nobody where people supply and nothing is published", { supplied: true }, {}, []],
  ])("%s", async (_, secret, answers, calls) => {
    const world = new World(secret, {}, answers);
    expect([await world.ask({ action: "status", key: KEY }), world.calls]).toEqual(["status", calls]);
  });
});

describe("fingerprints of a first value", () => {
  test("are made by the function and kept by the recorder", async () => {
    const world = new World({}, {}, { texts: { result: "done", versionId: OLD, texts: TEXTS } });
    expect([await world.ask({ action: "fingerprint", key: KEY }), world.calls]).toEqual([
      "kept",
      ["function: texts", `${RECORDER}: fingerprints`],
    ]);
  });

  test.each<[string, unknown]>([
    ["has no value yet", { result: "nothing-to-do", versionId: "" }],
    ["is of a version before this one", { result: "done", versionId: OLD }],
  ])("are not kept where the function %s", async (_, answer) => {
    const world = new World({}, {}, { texts: answer });
    expect([await world.ask({ action: "fingerprint", key: KEY }), world.calls]).toEqual([
      "nothing-to-do",
      ["function: texts"],
    ]);
  });
});

describe("a sweep", () => {
  test("of nothing confirms, and calls nobody", async () => {
    const world = new World();
    expect([await world.ask({ action: "sweep" }), world.confirmed, world.calls]).toEqual([
      "swept",
      [NAME],
      [],
    ]);
  });

  test("frees a lock that belongs to no run", async () => {
    const world = new World();
    world.table.forgeLock(NAME, "run-of-nobody");
    expect(await world.ask({ action: "sweep" })).toBe("swept");
    expect(world.table.locks.size).toBe(0);
  });

  test("starts what follows a proved version whose event was lost", async () => {
    const world = new World();
    await world.begun();
    world.served();
    expect([await world.ask({ action: "sweep" }), world.executions.running.length]).toEqual(["swept", 1]);
  });

  test("leaves a run alone that Secrets Manager is at work on", async () => {
    const world = new World();
    await world.begun();
    world.secrets.stage(NAME, NEW);
    expect([await world.ask({ action: "sweep" }), world.calls]).toEqual(["swept", []]);
  });

  test("goes on with one that Secrets Manager has given up", async () => {
    const world = new World();
    await world.begun();
    world.secrets.stage(NAME, NEW);
    world.clock.advance(2 * 3_600);
    expect(await world.ask({ action: "sweep" })).toBe("swept");
    expect(world.calls.length).toBeGreaterThan(0);
  });

  test("says that a run could not be looked after, and pages by that", async () => {
    const world = new World();
    await world.begun();
    world.served();
    world.executions.start = async () => {
      throw new RotationError("throttled", "states:StartExecution");
    };
    expect(await world.ask({ action: "sweep" })).toBe("throttled");
  });
});
