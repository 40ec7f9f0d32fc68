import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { AwsSecretPlan, Blueprint } from "../../../../lib/blueprint";
import { AwsRotationCloud, type AwsRotationCloudProps, type FunctionAnswer } from "../../../../lib/cli";
import { hasEnded, type NewRun, promotionRun, type Run } from "../../../../lib/contracts/run";
import { DynamoDbRuns } from "../../../../lib/rotation/adapters/dynamodb-runs";
import { derivedVersionId } from "../../../../lib/rotation/machine/derived-version";
import { labelHolder } from "../../../../lib/rotation/protocol/label-holder";
import { looksLikeProof } from "../../../../lib/rotation/protocol/version-proof";
import type { AwsAccess } from "../load";

/** An event of a rotation function, as commands past the dispatcher send it. */
interface DirectEvent {
  readonly SecretId: string;
  readonly Step?: string;
  readonly ClientRequestToken?: string;
  readonly Phase?: string;
  readonly VersionId?: string;
  readonly RunId?: string;
  readonly Emergency?: boolean;
}

/** Place in which runs are begun: an environment, and the root of its account. */
export interface RunsWorld {
  readonly plan: Blueprint;
  readonly as: { readonly root: AwsAccess };
}

/** Actor of these runs in their records. */
const REHEARSAL = "rehearsal";

/**
 * Begins and ends runs in the dispatcher's place, where a rehearsal takes steps and phases by itself: functions do nothing
 * without a run in the table. It writes as the account's root, so it shows nothing of who may begin a run; the procedure's
 * own tests do.
 */
export class BegunRuns {
  readonly #runs: DynamoDbRuns;
  readonly #world: RunsWorld;

  constructor(world: RunsWorld) {
    const { endpoint, credentials } = world.as.root;
    const region = world.plan.regions.primary;
    this.#world = world;
    this.#runs = new DynamoDbRuns(
      new DynamoDBClient({ endpoint, credentials: { ...credentials }, region }),
      world.plan.procedure?.runsTable ?? "",
    );
  }

  /** The event with the run that allows it. */
  async allow(event: DirectEvent): Promise<DirectEvent> {
    const secret = this.#world.plan.secrets.find(
      (plan): plan is AwsSecretPlan => plan.store === "aws" && plan.name === event.SecretId,
    );
    // A question about the current value changes nothing, and needs no run.
    const isQuestion = event.Step === undefined && event.Phase === undefined;
    if (secret === undefined || isQuestion) return event;
    if (event.Phase === undefined) {
      // Secrets Manager's schedule begins its own, and a first value has none.
      if (secret.rotation !== "automatic" && (await this.#isServed(secret))) {
        await this.#open(secret, stepRun(secret, event.ClientRequestToken ?? ""));
      }
      return event;
    }
    const wanted = await this.#wanted(secret, event);
    const run = await this.#open(secret, wanted);
    if (event.Phase !== "promote" && run.status === "rotating") {
      await this.#runs.advance(run, "proving");
    }
    if (event.Phase === "decommission") await this.#approve(run);
    const { VersionId: _, ...rest } = event;
    return { ...rest, RunId: run.run };
  }

  /** In the approvers' place. */
  async #approve(run: Run): Promise<void> {
    await this.#runs.advance(run, "awaiting-approval");
    await this.#runs.decide(run, { answer: "approved", by: REHEARSAL, at: new Date() });
  }

  /** Ends the open run of a secret, as the procedure does when it has followed it to its end. */
  async end(secretName: string): Promise<void> {
    const open = await this.#runs.open(secretName);
    if (open !== undefined) await this.#runs.end(open, "decommissioned");
  }

  /** Ends the open run of a secret if it was begun here. */
  async leave(secretName: string): Promise<void> {
    const open = await this.#runs.open(secretName);
    if (open?.startedBy === REHEARSAL) await this.#runs.end(open, "decommissioned");
  }

  /** The open run that is about the same, or a new one in the place of another. */
  async #open(secret: AwsSecretPlan, wanted: Wanted): Promise<Run> {
    const open = await this.#runs.open(secret.name);
    if (open !== undefined && wanted.isSame(open)) return open;
    if (open !== undefined) await this.#runs.end(open, "decommissioned");
    return this.#runs.begin(wanted.run, new Date());
  }

  async #wanted(secret: AwsSecretPlan, event: DirectEvent): Promise<Wanted> {
    const { Phase, VersionId = "", Emergency = false } = event;
    const labels = await this.#labels(secret);
    const current = labelHolder(labels, "AWSCURRENT") ?? VersionId;
    const isPending = labelHolder(labels, "AWSPENDING") === VersionId;
    const emergency = Emergency ? { emergency: true } : {};
    const run = (more: Pick<NewRun, "run" | "kind" | "newVersion" | "oldVersion">): NewRun => ({
      secret: secret.name,
      startedBy: REHEARSAL,
      ...more,
      ...emergency,
    });
    const isAlike = (open: Run) => (open.emergency ?? false) === Emergency;
    if (Phase === "promote" && !isPending) {
      const id = await this.#promotion(secret, VersionId);
      const newVersion = derivedVersionId({ runId: id, phase: "promote", versionId: VersionId });
      return {
        // What is asked to be promoted may be what this very promotion has made.
        isSame: (open) =>
          isAlike(open) && (open.run === id || (open.kind === "promotion" && open.newVersion === VersionId)),
        run: run({ run: id, kind: "promotion", newVersion, oldVersion: VersionId }),
      };
    }
    if (Phase === "decommission") {
      return {
        isSame: (open) => open.oldVersion === VersionId && open.kind !== "publication" && isAlike(open),
        run: run({
          run: `end-${VersionId}-${Date.now()}`,
          kind: "rotation",
          newVersion: current,
          oldVersion: VersionId,
        }),
      };
    }
    return {
      isSame: (open) => open.newVersion === VersionId && open.status !== "withdrawing",
      run: run({ run: `${Phase}-${VersionId}-${Date.now()}`, kind: "rotation", newVersion: VersionId }),
    };
  }

  /** Name of a version's promotion that is open, or of another one. */
  async #promotion(secret: AwsSecretPlan, versionId: string): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const id = promotionRun(versionId, attempt);
      const before = await this.#runs.read(secret.name, id);
      if (before === undefined || !hasEnded(before)) return id;
    }
  }

  async #isServed(secret: AwsSecretPlan): Promise<boolean> {
    return [...(await this.#labels(secret)).values()].some((held) => held.some(looksLikeProof));
  }

  async #labels({ name }: AwsSecretPlan): Promise<ReadonlyMap<string, readonly string[]>> {
    const { endpoint, credentials } = this.#world.as.root;
    const cloud = new AwsRotationCloud({
      endpoint,
      credentials: { ...credentials },
      region: this.#world.plan.regions.primary,
    });
    return (await cloud.describe(name))?.labels ?? new Map();
  }
}

interface Wanted {
  readonly isSame: (open: Run) => boolean;
  readonly run: NewRun;
}

const stepRun = (secret: AwsSecretPlan, version: string): Wanted => ({
  isSame: (open) => open.run === version,
  run: {
    secret: secret.name,
    run: version,
    kind: secret.rotation === "manual-dual-publish" ? "publication" : "rotation",
    newVersion: version,
    startedBy: REHEARSAL,
  },
});

/** AWS by an operator's rights, with a run for each step and phase that is asked for past the dispatcher. */
export class RunKeepingCloud extends AwsRotationCloud {
  readonly #runs: BegunRuns;

  constructor(props: AwsRotationCloudProps, world: RunsWorld) {
    super(props);
    this.#runs = new BegunRuns(world);
  }

  override async startRotation(secretName: string, versionId: string): Promise<void> {
    await this.#runs.leave(secretName);
    return super.startRotation(secretName, versionId);
  }

  override async invoke(functionName: string, event: object): Promise<FunctionAnswer> {
    const isDirect = "SecretId" in event;
    return super.invoke(functionName, isDirect ? await this.#runs.allow(event as DirectEvent) : event);
  }
}
