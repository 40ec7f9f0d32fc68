import { hasEnded, type NewRun, promotionRun } from "../../contracts/run";
import { derivedVersionId } from "../machine/derived-version";
import { Versions } from "../machine/versions";
import { RotationError } from "../protocol/rotation-error";
import { enforceWait } from "../protocol/waiting-law";
import type { Dispatched, DispatcherContext } from "./dispatched";
import type { RunRequest } from "./dispatcher-event";
import { leftPending } from "./leftovers";
import type { ProvenCaller } from "./proven-caller";

/** Says which run a request begins, or refuses it. Nothing is changed here. */
export class NewRuns {
  readonly #context: Pick<
    DispatcherContext,
    "settings" | "runs" | "store" | "publications" | "clock" | "log" | "newVersion"
  >;

  constructor(context: DispatcherContext) {
    this.#context = context;
  }

  /** Everything that can be refused is refused here, before anything has changed. */
  async newRun(secret: Dispatched, request: RunRequest, asker: ProvenCaller): Promise<NewRun> {
    const labels = new Versions(await this.#context.store.describe(secret.name));
    const current = labels.standing;
    const run =
      request.action === "promote"
        ? await this.#promotionOf(secret, request.versionId ?? current, labels)
        : await this.#rotationOf(secret, request, labels);
    const before = await this.#context.runs.read(run.secret, run.run);
    if (before !== undefined && hasEnded(before)) {
      throw new RotationError("run-ended", `run ${run.run} of ${run.secret} is ${before.status}`);
    }
    const change = await this.#approvedChange(secret, request);
    // Where no version was ever verified, no value was ever served: there is nobody to wait for.
    if (labels.isServed && current !== undefined && !request.emergency) {
      await this.#enforceWait(secret, request, current);
    }
    return {
      ...run,
      ...asker,
      ...(change === undefined ? {} : { change }),
      ...(request.emergency ? { emergency: true } : {}),
    };
  }

  /** The first promotion of a published version, or another one after the way back from it. */
  async #promotionOf(
    secret: Dispatched,
    published: string | undefined,
    labels: Versions,
  ): Promise<Omit<NewRun, "startedBy" | "change">> {
    for (let attempt = 1; ; attempt += 1) {
      const run = promotionOf(secret, published, attempt);
      const before = await this.#context.runs.read(run.secret, run.run);
      const isBack = published !== undefined && labels.has(published, "AWSCURRENT");
      if (before === undefined || !hasEnded(before) || !isBack) return run;
    }
  }

  async #rotationOf(
    secret: Dispatched,
    { action, versionId, emergency }: RunRequest,
    labels: Versions,
  ): Promise<Omit<NewRun, "startedBy" | "change">> {
    const isByPeople = secret.rotation === "operator-assisted" && action === "rotate";
    const waiting = isByPeople ? labels.holderOf("AWSPENDING") : undefined;
    // What was made before a leak was known may hold what has leaked.
    const adopted =
      secret.rotation === "automatic" && !emergency ? await this.#adopted(secret, labels) : undefined;
    const version = versionId ?? waiting ?? adopted ?? this.#context.newVersion();
    // What people supply lies in an inbox, under the version that they name; what rules made, under AWSPENDING.
    const isThere = waiting !== undefined || labels.has(version, "AWSCURRENT");
    if (isByPeople && !isThere && !(secret.supplied && versionId !== undefined)) {
      throw new RotationError("operator-needed", `${secret.name} has no value that waits to be rotated in`);
    }
    // What somebody has put past every test, createSecret takes back.
    const current = labels.standing;
    return {
      secret: secret.name,
      run: version,
      // In an emergency nothing is published first: every key is another one, and is used at once.
      kind: secret.rotation === "manual-dual-publish" && !emergency ? "publication" : "rotation",
      newVersion: version,
      // A secret's first value is current at once, and has nothing before it that was ever served.
      ...(labels.isServed && current !== undefined && current !== version ? { oldVersion: current } : {}),
    };
  }

  /**
   * A pending version that a schedule was refused with, before it had a run: Secrets Manager goes on with it and with no
   * other, so the run is about that one.
   */
  async #adopted(secret: Dispatched, labels: Versions): Promise<string | undefined> {
    const { runs, log } = this.#context;
    const pending = leftPending(labels);
    if (pending === undefined || (await runs.read(secret.name, pending)) !== undefined) return undefined;
    log.warn("pending version of no run is adopted", { secret: secret.name, version: pending });
    return pending;
  }

  /** The change request by which a run begins; `undefined`: none, and none is needed. */
  async #approvedChange(secret: Dispatched, request: RunRequest): Promise<NewRun["change"]> {
    const { settings, runs, clock } = this.#context;
    const isRequired = settings.changeRequest === "required" && !request.scheduled;
    if (request.change === undefined) {
      if (isRequired)
        throw new RotationError("change-missing", `${settings.environment} takes no other change`);
      return undefined;
    }
    const change = await runs.approved(request.change);
    if (change === undefined) {
      // Where nothing needs an approval, a file is no proof of one.
      if (!isRequired) return undefined;
      throw new RotationError("change-not-approved", `nobody has vouched for ${request.change}`);
    }
    if (change.key !== secret.key) {
      throw new RotationError(
        "change-not-approved",
        `${change.id} is for ${change.key}, not for ${secret.key}`,
      );
    }
    const today = clock.now().toISOString().slice(0, 10);
    if (today < change.from || today > change.until) {
      throw new RotationError("change-not-open", `${change.id}: from ${change.from} to ${change.until}`);
    }
    return { id: change.id, digest: change.digest, requester: change.requester };
  }

  async #enforceWait(secret: Dispatched, { action }: RunRequest, current: string): Promise<void> {
    const { publications, clock } = this.#context;
    const waits = {
      overlap: { seconds: secret.overlapSeconds },
      publishLead: { seconds: secret.publishLeadSeconds },
    };
    await enforceWait(
      action === "promote" ? action : "rotate",
      waits,
      secret.name,
      current,
      publications,
      clock.now(),
    );
  }
}

function promotionOf(
  secret: Dispatched,
  published: string | undefined,
  attempt: number,
): Omit<NewRun, "startedBy" | "change"> {
  if (!secret.publishes || published === undefined) {
    throw new RotationError("nothing-published", `${secret.name} has no published value`);
  }
  const run = promotionRun(published, attempt);
  return {
    secret: secret.name,
    run,
    kind: "promotion",
    newVersion: derivedVersionId({ runId: run, phase: "promote", versionId: published }),
    oldVersion: published,
  };
}
