import fc from "fast-check";
import type { RecorderEvent } from "../../../lib/contracts/procedure-events";
import { changeUsedBy, hasEnded } from "../../../lib/contracts/run";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { RotationMachine } from "../../../lib/rotation/machine/rotation-machine";
import { Dispatcher } from "../../../lib/rotation/procedure/dispatcher";
import type { DispatcherRequest } from "../../../lib/rotation/procedure/dispatcher-event";
import { parseEvent, STEPS } from "../../../lib/rotation/protocol/event";
import { RotationError } from "../../../lib/rotation/protocol/rotation-error";
import { propertyCases, propertyRuns } from "../../property-runs";
import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { CrashPlan } from "../models/crash-plan";
import { dispatcherSettings } from "../models/dispatcher-settings";
import { ExecutionsModel, type ModelExecution } from "../models/executions-model";
import { gated, onlyKnown } from "../models/interleaved";
import { ProofsModel } from "../models/proofs-model";
import { recorderModel } from "../models/recorder-model";
import { PublicationsModel, silentLog, TestClock, versionId } from "../models/rehearsed-secret";
import { RunTableModel } from "../models/run-table-model";
import { SecretsManagerModel } from "../models/secrets-manager-model";
import { NOBODY } from "../models/sts-model";

const NAME = "test/db/app";
const KEY = "db/app";
const REGION = "eu-central-1";
const FUNCTION = "acme-test--rotate-postgresql-user";
const DIGESTS = ["1", "2", "3"].map((digit) => `sha256:${digit.repeat(64)}`);
const REQUESTER = "arn:aws:sts::111122223333:assumed-role/operator/ana@example.com";

/** Course of an execution of the state machine. */
type Fate = "proves" | "rolls back" | "dies";

/** Commands, label events, sweeps, schedules and executions of one secret, each call at a time of its own. */
class World {
  readonly secrets = new SecretsManagerModel();
  readonly proofs = new ProofsModel();
  readonly table = new RunTableModel();
  readonly executions = new ExecutionsModel();
  readonly clock = new TestClock();
  readonly #server = new AccountsServer();
  readonly #loaded = new Set<ModelExecution>();
  readonly #handled = new Set<string>();
  readonly #recording = recorderModel(
    NAME,
    { key: KEY, kind: "postgresql-user" },
    { runs: this.table, clock: this.clock },
  );
  #versions = 0;
  died = 0;
  lost = 0;

  constructor(
    private readonly mode: "automatic" | "operator-assisted",
    private readonly gate: () => Promise<unknown>,
    private readonly draws: Iterator<number>,
  ) {
    this.secrets.create(NAME);
    for (const digest of DIGESTS) {
      void this.table.approve({
        id: "2026-01-01-db--app",
        digest,
        key: KEY,
        requester: "ana@example.com",
        from: "2026-01-01",
        until: "2026-12-31",
      });
    }
    this.executions.onStart = (execution) => this.#follow(execution);
  }

  /** Secrets Manager's events reach the dispatcher once, twice or never. */
  listen(): void {
    this.secrets.onCurrent = (_, version) => {
      const times = this.draw(3);
      if (times === 0) this.lost += 1;
      for (let time = 0; time < times; time += 1) {
        void this.dispatch({ action: "label-moved", secretName: NAME, versionId: version });
      }
    };
  }

  draw(count: number): number {
    const next = this.draws.next();
    return next.done ? 0 : next.value % count;
  }

  async dispatch(request: DispatcherRequest, mortal = true): Promise<unknown> {
    const at = mortal ? this.draw(24) : 0;
    const plan = new CrashPlan(at > 8 ? 0 : at, at % 2 === 0 ? "before" : "after");
    const mortally = <T extends object>(port: T): T => plan.wrap(gated(port, this.gate));
    const dispatcher = new Dispatcher({
      settings: dispatcherSettings(
        NAME,
        { key: KEY, kind: "postgresql-user", rotation: this.mode, function: FUNCTION },
        { changeRequest: "required" },
      ),
      runs: mortally(this.table),
      store: mortally(new SecretsManagerStore(this.secrets.client)),
      publications: new PublicationsModel(),
      proofs: this.proofs,
      rotations: mortally({ start: async (_: string, version: string) => this.#rotateBySchedule(version) }),
      functions: mortally({
        invoke: async (name: string, event: object) =>
          name === FUNCTION ? this.#rotate(event) : this.#record(event as RecorderEvent),
      }),
      identities: NOBODY,
      executions: mortally(this.executions),
      clock: this.clock,
      log: silentLog,
      newVersion: () => this.newVersion(),
    });
    const answer = await dispatcher.run(request).catch(onlyKnown);
    if (plan.at > 0 && plan.calls >= plan.at) this.died += 1;
    return answer;
  }

  newVersion(): string {
    this.#versions += 1;
    return versionId(`version ${this.#versions}`);
  }

  /** The first value: proved, and accepted at the target, to which runs may go back. */
  async serveFirst(): Promise<void> {
    const version = this.newVersion();
    const value: Account = { username: "a", password: "first" };
    await this.#server.allow(value);
    this.secrets.putByHand(NAME, version, JSON.stringify(value));
    this.proofs.prove(this.secrets, NAME, version);
  }

  async rotateByCommand(digest: string): Promise<void> {
    if (this.mode === "operator-assisted" && this.secrets.versionWith(NAME, "AWSPENDING") === undefined) {
      // What an operator puts.
      const version = this.newVersion();
      await new SecretsManagerStore(this.secrets.client).putPending(
        NAME,
        version,
        JSON.stringify({ username: this.#versions % 2 === 0 ? "a" : "b", password: version }),
      );
    }
    await this.dispatch({
      action: "rotate",
      key: KEY,
      change: digest,
      requester: REQUESTER,
      emergency: false,
    });
  }

  /** An operator who has a better value than the one under way. */
  async replaceByCommand(digest: string): Promise<void> {
    if (this.mode === "automatic") return;
    const version = this.newVersion();
    const value = { username: this.#versions % 2 === 0 ? "a" : "b", password: version };
    await new SecretsManagerStore(this.secrets.client).putPending(NAME, version, JSON.stringify(value));
    await this.dispatch({
      action: "rotate",
      key: KEY,
      versionId: version,
      change: digest,
      requester: REQUESTER,
      emergency: false,
    });
  }

  /** By Secrets Manager's own schedule, or because RotateSecret was called; it works on its own. */
  startSchedule(): void {
    if (this.mode === "automatic") this.#rotateBySchedule(this.newVersion());
  }

  #rotateBySchedule(version: string): void {
    const pending = this.secrets.versionWith(NAME, "AWSPENDING");
    const current = this.secrets.versionWith(NAME, "AWSCURRENT");
    // "A previous rotation isn't complete. That rotation will be reattempted."
    const chosen = pending !== undefined && pending !== current ? pending : version;
    if (this.secrets.labels(NAME)[chosen] === undefined) this.secrets.stage(NAME, chosen);
    void (async () => {
      for (const step of STEPS)
        await this.#rotate({ Step: step, SecretId: NAME, ClientRequestToken: chosen });
    })().catch(onlyKnown);
  }

  async #rotate(event: object): Promise<unknown> {
    const { Step }: { readonly Step?: string } = event;
    if (this.mode === "operator-assisted" && Step === "testSecret" && this.draw(3) === 0) {
      throw new RotationError("target-refused", NAME);
    }
    const machine = new RotationMachine<Account>({
      secretName: NAME,
      region: REGION,
      mode: this.mode,
      waits: { overlap: { seconds: 0 }, publishLead: { seconds: 0 } },
      target: accountsTarget(this.#server, () => `password-${this.#versions}`),
      store: gated(new SecretsManagerStore(this.secrets.client), this.gate),
      publications: gated(new PublicationsModel(), this.gate),
      proofs: this.proofs,
      runs: gated(this.table, this.gate),
      clock: this.clock,
      log: silentLog,
      guard: () => undefined,
    });
    return machine.run(parseEvent(event));
  }

  async #record(event: RecorderEvent): Promise<void> {
    await this.#recording.recorder.run(event);
  }

  /** Follows an execution as the state machine does; it may die instead. */
  #follow(execution: ModelExecution): void {
    const isBack = execution.name.endsWith(".back");
    const fate: Fate = isBack
      ? ((["rolls back", "dies"] as const)[this.draw(2)] ?? "dies")
      : ((["proves", "rolls back", "dies"] as const)[this.draw(3)] ?? "dies");
    void (async () => {
      // Before anything else it asks the table for what it may do: one that was started too late for its run ends here.
      const loaded = await this.dispatch(
        { action: "load", secretName: NAME, run: execution.input.run, execution: execution.name },
        false,
      );
      if (loaded === undefined) {
        execution.running = false;
        return;
      }
      this.#loaded.add(execution);
      const patience = this.draw(24) * 3;
      for (let look = 0; look <= patience && execution.running; look += 1) await this.gate();
      if (!execution.running) return;
      if (fate === "rolls back") {
        const event = {
          Phase: "rollback",
          SecretId: NAME,
          RunId: execution.input.run,
        };
        await this.#rotate(event).catch(onlyKnown);
      }
      if (!execution.running) return;
      if (fate !== "dies") {
        const outcome = fate === "proves" ? "decommissioned" : "rolled-back";
        const at = this.clock.now().toISOString();
        const phase = outcome === "decommissioned" ? "decommission" : "rollback";
        const end: RecorderEvent = {
          Secret: NAME,
          Run: execution.input.run,
          Outcome: outcome,
          Phases: [{ phase, startedAt: at, endedAt: at, outcome: "done" }],
          Checks: [],
          Fault: outcome === "decommissioned" ? null : { state: "Check", code: "CheckFailed" },
        };
        await this.#record(end).catch(onlyKnown);
      }
      execution.running = false;
    })();
  }

  /** Laws that hold at every moment. */
  check(): void {
    const open = this.table.runs.filter((run) => !hasEnded(run));
    expect(open.length).toBeLessThanOrEqual(1);
    expect([...this.table.locks.values()]).toEqual(open.map(({ run }) => run));
    // A rollback may come after its run was recorded as rolled back or failed: it names that run's version, so that it
    // does nothing to a later one.
    const running = this.executions.running.filter((execution) => this.#loaded.has(execution));
    const following = running.filter(
      ({ name, input }) => !name.endsWith(".back") || open.some(({ run }) => run === input.run),
    );
    expect(following.length).toBeLessThanOrEqual(1);
    for (const { name, input } of running) {
      const run = this.table.runs.find((candidate) => candidate.run === input.run);
      if (name.endsWith(".back"))
        expect(["proving", "awaiting-approval", "rolled-back", "failed"]).toContain(run?.status);
      else expect(open).toEqual([run]);
      this.#handled.add(input.run);
    }
    const used = this.table.runs.flatMap((run) =>
      run.status === "withdrawn" ? [] : (changeUsedBy(run)?.digest ?? []),
    );
    expect(new Set(used).size).toBe(used.length);
  }

  /** Laws that hold when everything was said and heard: no run is open but one whose rotation does not get on. */
  checkEnd(): void {
    for (const run of this.table.runs.filter(
      (candidate) => !hasEnded(candidate) && candidate.kind !== "retirement",
    )) {
      expect(run.status).toBe("rotating");
      expect(run.newVersion).toBe(this.secrets.versionWith(NAME, "AWSPENDING"));
    }
    // What was withdrawn is not served by a call that was under way meanwhile.
    const current = this.secrets.versionWith(NAME, "AWSCURRENT");
    for (const { status, newVersion } of this.table.runs) {
      if (status === "withdrawn") expect(newVersion).not.toBe(current);
    }
    for (const { input } of this.executions.all.values()) {
      expect(this.table.runs.map(({ run }) => run)).toContain(input.run);
    }
  }

  /** `true` while a retirement is under way. */
  get retires(): boolean {
    return this.table.runs.some((run) => !hasEnded(run) && run.kind === "retirement");
  }

  get handled(): number {
    return this.#handled.size;
  }
}

type Op =
  | { readonly do: "rotate" | "replace"; readonly digest: (typeof DIGESTS)[number] }
  | { readonly do: "schedule" | "sweep" | "rollback" | "cancel" | "later" };

async function perform(world: World, op: Op): Promise<void> {
  switch (op.do) {
    case "rotate":
      return world.rotateByCommand(op.digest);
    case "replace":
      return world.replaceByCommand(op.digest);
    case "schedule":
      return world.startSchedule();
    case "sweep":
      return void (await world.dispatch({ action: "sweep" }));
    case "rollback":
      return void (await world.dispatch({ action: "rollback", key: KEY, requester: REQUESTER }));
    case "later":
      return world.clock.advance(7_200);
    case "cancel": {
      const version = world.secrets.versionWith(NAME, "AWSPENDING");
      if (version === undefined || version === world.secrets.versionWith(NAME, "AWSCURRENT")) return;
      await new SecretsManagerStore(world.secrets.client).moveLabel(NAME, "AWSPENDING", { from: version });
    }
  }
}

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("rotate" as const), digest: fc.constantFrom(...DIGESTS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("replace" as const), digest: fc.constantFrom(...DIGESTS) }),
  },
  { weight: 3, arbitrary: fc.constant<Op>({ do: "schedule" }) },
  { weight: 3, arbitrary: fc.constant<Op>({ do: "sweep" }) },
  { weight: 2, arbitrary: fc.constant<Op>({ do: "rollback" }) },
  { weight: 1, arbitrary: fc.constant<Op>({ do: "cancel" }) },
  { weight: 1, arbitrary: fc.constant<Op>({ do: "later" }) },
);

/** Lets everything happen that needs no other event. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

const SIZES = { ci: 100, nightly: 3_000 };

const anyTimes = (total: Record<"steps" | "runs" | "handled" | "withdrawn" | "died" | "lost", number>) =>
  fc.asyncProperty(
    fc.scheduler(),
    fc.constantFrom("automatic" as const, "operator-assisted" as const),
    fc.array(op, { minLength: 1, maxLength: 12, size: "max" }),
    fc.infiniteStream(fc.nat({ max: 23 })),
    async (scheduler, mode, ops, draws) => {
      const world = new World(mode, () => scheduler.schedule(Promise.resolve()), draws);
      const run = async () => {
        await settle();
        while (scheduler.count() > 0) {
          await scheduler.waitNext(1);
          await settle();
          world.clock.advance(1);
          world.check();
          total.steps += 1;
        }
      };
      await world.serveFirst();
      world.listen();
      const owner = (async () => {
        for (const item of ops) {
          for (let pause = world.draw(24) ** 2 / 4; pause >= 0; pause -= 1) {
            await scheduler.schedule(Promise.resolve());
          }
          // Commands overlap: nobody waits for another's end.
          void perform(world, item).catch(onlyKnown);
        }
      })();
      await run();
      await owner;
      // Sweeps come again and again; two of them see all that there is, each execution that they start included.
      for (let sweep = 0; sweep < 3; sweep += 1) {
        world.clock.advance(7_200);
        void world.dispatch({ action: "sweep" }, false);
        await run();
      }
      world.checkEnd();
      // What a run has left is retired by runs that die as well, and are begun anew.
      for (let sweep = 0; sweep < 40 && world.retires; sweep += 1) {
        world.clock.advance(7_200);
        void world.dispatch({ action: "sweep" }, false);
        await run();
      }
      expect(world.retires).toBe(false);
      total.runs += world.table.runs.length;
      total.handled += world.handled;
      total.withdrawn += world.table.runs.filter(({ status }) => status === "withdrawn").length;
      total.died += world.died;
      total.lost += world.lost;
    },
  );

const NOTHING = { steps: 0, runs: 0, handled: 0, withdrawn: 0, died: 0, lost: 0 };

describe("dispatchers among commands, schedules, events and deaths", () => {
  test("keep one run for a secret, follow it by one execution, and end it", async () => {
    const total = { ...NOTHING };
    await fc.assert(anyTimes(total), propertyRuns("dispatcher interleavings", SIZES));
    process.stdout.write(
      `property: ${total.steps} steps, ${total.runs} runs, ${total.handled} followed by an execution, ` +
        `${total.withdrawn} withdrawn, ${total.died} dispatchers died, ${total.lost} events lost\n`,
    );
    expect(total.handled).toBeGreaterThan(propertyCases(SIZES) / 10);
    expect(total.withdrawn).toBeGreaterThan(0);
  }, 3_600_000);

  // Died between the note that a version is being made current and the call that does it.
  test.each([[-1935980503, "54"]])("hold for seed %s, path %s", async (seed, path) => {
    await fc.assert(anyTimes({ ...NOTHING }), { seed, path, numRuns: 1, endOnFailure: true });
  });
});
