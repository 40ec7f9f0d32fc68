import fc from "fast-check";
import { KV_VERSION_FIELD } from "../../../lib/model/names";
import { SecretsManagerStore } from "../../../lib/rotation/adapters/secrets-manager-store";
import { RotationMachine } from "../../../lib/rotation/machine/rotation-machine";
import { Mirror } from "../../../lib/rotation/mirror/mirror";
import { type RotationRequest, STEPS } from "../../../lib/rotation/protocol/event";
import { propertyRuns } from "../../property-runs";
import { type Account, AccountsServer, accountsTarget } from "../models/accounts-model";
import { CrashPlan } from "../models/crash-plan";
import { gated, onlyKnown } from "../models/interleaved";
import { MirrorLedgerModel } from "../models/mirror-ledger-model";
import { mirrorSettings } from "../models/mirror-settings";
import { ProofsModel } from "../models/proofs-model";
import { ImpliedRuns, silentLog, TestClock, versionId } from "../models/rehearsed-secret";
import { SecretsManagerModel } from "../models/secrets-manager-model";
import { VaultModel } from "../models/vault-model";

const NAME = "test/db/app";
const PATH = "db/app";
const REGION = "eu-central-1";
const VAULTS = ["eu", "us"] as const;

/** Events of a mirror, by the number of its call or wait; 0: nothing. */
interface Fate {
  readonly diesAt: number;
  readonly stallsAt: number;
}

/** Waits while a mirror stalls: enough for a rotation and another mirror to go by. */
const STALL = 60;

/** Mirrors, rotations and rollbacks of one secret, all in one world, each call at a time of its own. */
class World {
  readonly secrets = new SecretsManagerModel();
  readonly proofs = new ProofsModel();
  readonly ledger = new MirrorLedgerModel();
  readonly clock = new TestClock();
  readonly vaults = VAULTS.map((name) => new VaultModel(name));
  readonly #runs = new ImpliedRuns({ now: () => new Date(0) });
  readonly #server = new AccountsServer();
  readonly #history: string[] = [];
  readonly #changedByHand = new Map<VaultModel, number>();
  readonly #lastWrite = new Map<VaultModel, { count: number; at: number }>();
  #rotations = 0;
  #resting: (() => void) | undefined;
  confirmed = 0;
  died = 0;

  constructor(
    private readonly gate: () => Promise<unknown>,
    private readonly fates: Iterator<Fate>,
  ) {
    this.secrets.create(NAME);
    this.secrets.onCurrent = (_, version) => {
      this.#history.push(version);
      this.startMirror();
    };
  }

  async rotate(): Promise<void> {
    this.#rotations += 1;
    const version = versionId(`rotation ${this.#rotations}`);
    this.secrets.stage(NAME, version);
    for (const step of STEPS) await this.#machine({ step, secretId: NAME, versionId: version });
  }

  /** Waits until nothing else is under way. */
  rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#resting = resolve;
    });
  }

  /** Ends a {@link rest}; `false` when nobody rests. */
  wake(): boolean {
    const resting = this.#resting;
    this.#resting = undefined;
    resting?.();
    return resting !== undefined;
  }

  async rollback(): Promise<void> {
    const version = this.secrets.versionWith(NAME, "AWSCURRENT") ?? "";
    this.#runs.imply("rollback", version, { runId: version, emergency: false });
    await this.#machine({ phase: "rollback", secretId: NAME, runId: version });
  }

  async #machine(request: RotationRequest): Promise<void> {
    const machine = new RotationMachine<Account>({
      secretName: NAME,
      region: REGION,
      mode: "automatic",
      // The waits would keep most interleavings from happening.
      waits: { overlap: { seconds: 0 }, publishLead: { seconds: 0 } },
      target: accountsTarget(this.#server, () => `password-${this.#rotations}`),
      store: gated(new SecretsManagerStore(this.secrets.client), this.gate),
      publications: gated(this.ledger, this.gate),
      proofs: gated(this.proofs, this.gate),
      runs: this.#runs,
      clock: this.clock,
      log: silentLog,
      guard: () => undefined,
    });
    await machine.run(request).catch(onlyKnown);
  }

  tamper(vault: VaultModel): void {
    vault.tamper(PATH, { ...vault.at(PATH).data, password: "by hand" });
    this.#changedByHand.set(vault, vault.written.length);
  }

  startMirror(mortal = true): void {
    const next = mortal ? this.fates.next() : undefined;
    const { diesAt, stallsAt } = next?.done === false ? next.value : { diesAt: 0, stallsAt: 0 };
    const plan = new CrashPlan(diesAt, "after");
    let waits = 0;
    const gate = async () => {
      waits += 1;
      for (let turn = waits === stallsAt ? STALL : 1; turn > 0; turn -= 1) await this.gate();
    };
    const mortally = <T extends object>(port: T): T => plan.wrap(gated(port, gate));
    const later = async (work: () => void) => {
      for (let turn = STALL; turn > 0; turn -= 1) await this.gate();
      work();
    };
    const mirror = new Mirror({
      settings: mirrorSettings(VAULTS, { [NAME]: PATH }),
      store: mortally(new SecretsManagerStore(this.secrets.client)),
      publications: mortally(this.ledger),
      proofs: mortally(this.proofs),
      ledger: mortally(this.ledger),
      server: {
        open: async ({ name }) => mortally(this.vaults[name === "eu" ? 0 : 1]?.session(later) ?? {}) as never,
      },
      clock: this.clock,
      log: silentLog,
      guard: () => undefined,
      // Who goes first is this test's to say.
      jitter: () => 0,
    });
    void this.gate()
      .then(() => mirror.run({ secretName: NAME }))
      .catch(onlyKnown)
      .finally(() => {
        if (plan.at > 0 && plan.calls >= plan.at) this.died += 1;
      });
  }

  /** Laws that hold at every moment. */
  check(): void {
    const now = this.clock.now().getTime();
    for (const vault of this.vaults) {
      const { count = 0 } = this.#lastWrite.get(vault) ?? {};
      if (vault.written.length === count) continue;
      this.#lastWrite.set(vault, { count: vault.written.length, at: now });
      this.#checkOrder(vault);
    }
    const confirmations = this.ledger.confirmations(NAME);
    expect(confirmations.size).toBeLessThanOrEqual(1);
    for (const [version, at] of confirmations) {
      this.confirmed += 1;
      for (const vault of this.vaults) {
        if (this.#isChangedByHand(vault)) continue;
        expect(vault.at(PATH).data).toEqual(this.#dataOf(version));
        expect(at.getTime()).toBeGreaterThanOrEqual(this.#lastWrite.get(vault)?.at ?? 0);
      }
    }
  }

  /** Laws that hold when everything was said and heard. */
  checkEnd(): void {
    const current = this.secrets.versionWith(NAME, "AWSCURRENT");
    if (current === undefined || !this.proofs.proved(this.secrets, NAME).includes(current)) return;
    for (const vault of this.vaults) expect(vault.at(PATH).data).toEqual(this.#dataOf(current));
    expect([...this.ledger.confirmations(NAME).keys()]).toEqual([current]);
  }

  /** The versions in a Vault follow AWSCURRENT in its order. */
  #checkOrder(vault: VaultModel): void {
    let at = 0;
    for (const data of vault.written) {
      at = this.#history.indexOf(String(data[KV_VERSION_FIELD]), at);
      expect(at).toBeGreaterThanOrEqual(0);
    }
  }

  #isChangedByHand(vault: VaultModel): boolean {
    return this.#changedByHand.get(vault) === vault.written.length;
  }

  #dataOf(version: string): unknown {
    return { ...JSON.parse(this.secrets.valueOf(NAME, version) ?? "{}"), [KV_VERSION_FIELD]: version };
  }

  get rotations(): number {
    return this.#rotations;
  }
}

type Op =
  | { readonly do: "rotate" | "rollback" | "mirror" | "rest" }
  | { readonly do: "tamper" | "away" | "back" | "late"; readonly vault: number };

async function perform(world: World, op: Op): Promise<void> {
  if (!("vault" in op)) {
    if (op.do === "mirror") world.startMirror();
    else await world[op.do]();
    return;
  }
  const vault = world.vaults[op.vault];
  if (vault === undefined) return;
  if (op.do === "tamper") world.tamper(vault);
  else if (op.do === "late") vault.late = true;
  else vault.away = op.do === "away";
}

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Op>({ do: "rotate" }) },
  { weight: 3, arbitrary: fc.constant<Op>({ do: "rollback" }) },
  { weight: 3, arbitrary: fc.constant<Op>({ do: "mirror" }) },
  { weight: 2, arbitrary: fc.constant<Op>({ do: "rest" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "tamper" as const,
        "away" as const,
        "back" as const,
        "late" as const,
        "late" as const,
      ),
      vault: fc.nat({ max: 1 }),
    }),
  },
);

/** Lets everything happen that needs no other event. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

const SIZES = { ci: 300, nightly: 3_000 };

describe("mirrors among rotations and rollbacks", () => {
  test("confirm only what every Vault serves, never turn a Vault back, and converge", async () => {
    const total = { steps: 0, rotations: 0, confirmed: 0, died: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(op, { minLength: 1, maxLength: 10, size: "max" }),
        fc.infiniteStream(
          fc.record({
            diesAt: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 16 })),
            stallsAt: fc.integer({ min: 0, max: 30 }),
          }),
        ),
        async (scheduler, ops, fates) => {
          const world = new World(() => scheduler.schedule(Promise.resolve()), fates);
          const run = async () => {
            await settle();
            while (scheduler.count() > 0 || world.wake()) {
              if (scheduler.count() > 0) await scheduler.waitNext(1);
              await settle();
              world.clock.advance(1);
              world.check();
              total.steps += 1;
            }
          };
          const owner = (async () => {
            for (const item of [{ do: "rotate" } as const, ...ops]) {
              await scheduler.schedule(Promise.resolve());
              await perform(world, item);
            }
          })();
          await run();
          await owner;
          for (const vault of world.vaults) Object.assign(vault, { away: false, late: false });
          world.startMirror(false);
          await run();
          world.checkEnd();
          total.rotations += world.rotations;
          total.confirmed += world.confirmed;
          total.died += world.died;
        },
      ),
      propertyRuns("mirror interleavings", SIZES),
    );
    process.stdout.write(
      `property: ${total.steps} steps, ${total.rotations} rotations, ${total.died} mirrors died, ` +
        `${total.confirmed} looks at a confirmation\n`,
    );
    expect(total.confirmed).toBeGreaterThan(total.rotations);
  }, 3_600_000);
});
