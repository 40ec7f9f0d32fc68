import { setTimeout as sleep } from "node:timers/promises";
import { DisableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import type { AwsSecretPlan, FunctionPlan } from "../../lib/blueprint";
import type { AwsRotationCloud } from "../../lib/cli/cloud/aws-rotation-cloud";
import { httpsPlaces } from "../../lib/cli/cloud/https-places";
import type { Places } from "../../lib/cli/cloud/places";
import { REAL_PACE } from "../../lib/cli/driver/pace";
import { versionLabels } from "../../lib/cli/driver/version-labels";
import { plainProgress } from "../../lib/cli/render/progress";
import { type BootstrapReport, bootstrap } from "../../lib/cli/verbs/bootstrap";
import {
  type RotateOptions,
  type RotationHost,
  type RotationReport,
  rotate,
} from "../../lib/cli/verbs/direct-rotation";
import type { Registry } from "../../lib/model";
import type { RotationOutcome } from "../../lib/rotation/machine/rotation-machine";
import { splitSettings } from "../../lib/rotation/protocol/settings-in-effect";
import { type Change, waitBefore } from "../../lib/rotation/protocol/waiting-law";
import { invokeFunction, secretsManager } from "../../packages/rehearsal/src/load";
import { BegunRuns, RunKeepingCloud } from "../../packages/rehearsal/src/rehearse/begun-runs";
import { ServerGroup } from "../../packages/rehearsal/src/servers";
import type { RehearsedTarget } from "../../packages/rehearsal/src/targets";
import { type RehearsedWorld, shortened, standUp } from "../../packages/rehearsal/src/world";

/** Longer than any wait of the law: Stripe's webhook secrets overlap for more than three days. */
const BEYOND_WAITS_MS = 30 * 86_400_000;

/** Settings of an environment that is stood up for its rotations. */
export interface RehearsedRotationsProps {
  readonly registry: Registry;
  readonly environment: string;
}

/** An environment in embedded servers with its operator, who rotates by the command line's verbs. */
export class RehearsedRotations {
  /** Everything that the verbs printed and reported. */
  said = "";
  /** Every value that was supplied or ever current, and some that were not. */
  readonly values: unknown[] = [];
  readonly cloud: AwsRotationCloud;
  readonly #secrets: SecretsManagerClient;
  /** Runs of what tests ask functions for by themselves. */
  readonly runs: BegunRuns;

  private constructor(
    readonly registry: Registry,
    readonly group: ServerGroup,
    readonly world: RehearsedWorld,
  ) {
    this.#secrets = secretsManager(world.as.root, this.region);
    this.cloud = new RunKeepingCloud({ region: this.region, ...world.as.operator }, world);
    this.runs = new BegunRuns(world);
    this.values.push(...world.targets.supplied.values());
  }

  static async start({ registry, environment }: RehearsedRotationsProps): Promise<RehearsedRotations> {
    const group = ServerGroup.open();
    try {
      const world = await standUp({ registry, environment, group });
      await disableProcedure(world);
      return new RehearsedRotations(registry, group, world);
    } catch (failure) {
      await group.stop();
      throw failure;
    }
  }

  get region(): string {
    return this.world.plan.regions.primary;
  }

  /** The secrets that functions rotate. */
  get rotated(): readonly AwsSecretPlan[] {
    return this.world.plan.secrets.filter((secret) => secret.store === "aws");
  }

  secret(key: string): AwsSecretPlan {
    const found = this.rotated.find((secret) => secret.key === key);
    if (found === undefined) throw new Error(`no ${key}`);
    return found;
  }

  target(key: string): RehearsedTarget {
    const found = this.world.targets.targets.get(key);
    if (found === undefined) throw new Error(`${key} opens nothing`);
    return found;
  }

  functionOf(key: string): FunctionPlan {
    return this.plannedFunction(({ name }) => name === this.secret(key).rotatedBy);
  }

  get mirror(): FunctionPlan {
    return this.plannedFunction(({ bundle }) => bundle === "mirror");
  }

  arnOf({ name }: Pick<FunctionPlan, "name">): string {
    return this.world.functions.get(name) ?? "";
  }

  private plannedFunction(isWanted: (plan: FunctionPlan) => boolean): FunctionPlan {
    const found = this.world.plan.functions.find(isWanted);
    if (found === undefined) throw new Error("no such function");
    return found;
  }

  /** First values of all secrets. */
  async bootstrap(): Promise<BootstrapReport> {
    const report = await bootstrap(
      this.registry,
      { environment: this.world.plan.environment, valuesFrom: "stdin" },
      this.#host(Object.fromEntries(this.world.targets.supplied)),
      this.#places,
    );
    this.said += JSON.stringify(report);
    for (const { key } of this.rotated) await this.current(key);
    return report;
  }

  /** One call of `rotate`; `supplied` comes from standard input. */
  async rotate(
    key: string,
    { supplied, ...options }: Partial<RotateOptions> & { readonly supplied?: unknown } = {},
  ): Promise<RotationReport> {
    const report = await rotate(
      this.registry,
      key,
      {
        environment: this.world.plan.environment,
        emergency: false,
        ...(supplied === undefined ? {} : { valueFrom: "stdin" }),
        ...options,
      },
      this.#host(supplied),
    );
    this.said += JSON.stringify(report);
    if (supplied !== undefined) this.values.push(supplied);
    await this.current(key);
    return report;
  }

  async labels(key: string) {
    const description = await this.cloud.describe(this.secret(key).name);
    if (description === undefined) throw new Error(`no ${key}`);
    return versionLabels(description);
  }

  /** AWSCURRENT's version and value, which nobody of the world may read. */
  async current(
    key: string,
  ): Promise<{ readonly version: string; readonly value: unknown; readonly text: string }> {
    const { VersionId: version = "", SecretString: text = "null" } = await this.#secrets.send(
      new GetSecretValueCommand({ SecretId: this.secret(key).name }),
    );
    const { value } = splitSettings(JSON.parse(text));
    this.values.push(value);
    return { version, value, text };
  }

  /** A version's value, as a person reads it who takes it to its target. */
  async valueOf(key: string, version: string): Promise<unknown> {
    const { SecretString: text = "null" } = await this.#secrets.send(
      new GetSecretValueCommand({ SecretId: this.secret(key).name, VersionId: version }),
    );
    const { value } = splitSettings(JSON.parse(text));
    this.values.push(value);
    return value;
  }

  /** A person puts a value past the command line. */
  async putByHand(key: string, value: object): Promise<void> {
    this.values.push(value);
    await this.#secrets.send(
      new PutSecretValueCommand({ SecretId: this.secret(key).name, SecretString: JSON.stringify(value) }),
    );
  }

  /** The fingerprint of AWSCURRENT's value, as the procedure asks for it. */
  async fingerprint(key: string): Promise<string> {
    const { version } = await this.current(key);
    const event = await this.runs.allow({
      Phase: "fingerprint",
      SecretId: this.secret(key).name,
      VersionId: version,
    });
    const rotator = this.arnOf(this.functionOf(key));
    const { payload } = await invokeFunction(this.world.as.operator, rotator, event);
    const { fingerprints } = payload as RotationOutcome;
    return fingerprints?.new ?? "none";
  }

  /** Waits until all Vaults have AWSCURRENT and the law of waiting lets a change come. */
  async whenPossible(change: Change, key: string): Promise<void> {
    if (change === "rotate") await this.endRun(key);
    const secret = this.secret(key);
    const waits = {
      overlap: shortened(secret.overlap),
      publishLead: shortened(secret.publishLead),
    };
    const wait = waitBefore(change, waits).seconds * 1_000;
    for (;;) {
      const { current = "" } = await this.labels(key);
      const at = (await this.confirmedAt(key, current))?.getTime();
      if (at !== undefined && at + wait < Date.now()) return;
      await sleep(at === undefined ? 100 : Math.max(20, at + wait - Date.now()));
    }
  }

  /** Ends the run that a rotation has begun, as the procedure does when it has followed it to its end. */
  async endRun(key: string): Promise<void> {
    await this.runs.end(this.secret(key).name);
  }

  async confirmedAt(key: string, version: string): Promise<Date | undefined> {
    const table = this.world.plan.operations?.publicationsTable ?? "";
    return this.cloud.confirmedAt(table, this.secret(key).name, version);
  }

  #host(input: unknown): RotationHost {
    const tell = (text: string): void => {
      this.said += text;
    };
    const terminal = {
      out: tell,
      err: tell,
      interactive: false,
      readInput: async () => JSON.stringify(input),
      ask: async () => "",
    };
    return {
      terminal,
      progress: plainProgress(terminal),
      pace: {
        ...REAL_PACE,
        // The command line knows waits of hours; it shall leave the shortened ones to the functions.
        now: () => new Date(Date.now() + BEYOND_WAITS_MS),
        lookEveryMs: 100,
        sweepEveryMs: 1_000,
        retryAfterMs: 200,
        confirmationMs: 60_000,
      },
      cloudIn: () => this.cloud,
    };
  }

  /** Issuers and Vaults where they are in the rehearsal. */
  get #places(): Places {
    const { plan, issuers, vaults } = this.world;
    return {
      get: (url) => {
        const cluster = plan.clusters.find(({ issuer }) => url.startsWith(issuer));
        const issuer = issuers.get(cluster?.name ?? "");
        if (cluster && issuer)
          return httpsPlaces.get(
            issuer.url + url.slice(cluster.issuer.replace(/\/$/, "").length),
            issuer.caPem,
          );
        const vault = plan.vaults.find(({ address }) => url.startsWith(address));
        const server = vaults.get(vault?.name ?? "");
        if (!vault || !server) throw new Error(`the rehearsal has no ${url}`);
        return httpsPlaces.get(server.address + url.slice(vault.address.length), server.caPem);
      },
    };
  }
}

/** Keeps the procedure from following rotations: here each phase is called by the test. */
async function disableProcedure({ plan, as }: RehearsedWorld): Promise<void> {
  const { endpoint, credentials } = as.root;
  const region = plan.regions.primary;
  const events = new EventBridgeClient({ endpoint, region, credentials: { ...credentials } });
  const mirror = plan.functions.find(({ bundle }) => bundle === "mirror")?.name;
  for (const { name, target } of plan.operations?.rules ?? []) {
    if (!("function" in target) || target.function === mirror) continue;
    await events.send(new DisableRuleCommand({ Name: name }));
  }
  events.destroy();
}

/** Prints a line beside Jest's report. */
export const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
