import { isFingerprint, isLook, isStep, type RotationRequest } from "../protocol/event";
import { RotationError } from "../protocol/rotation-error";
import { authorizedFingerprint, authorizedPhase } from "../protocol/run-authority";
import { requireUsable } from "../protocol/usable-secret";
import { OpenedSecret } from "./opened-secret";
import { lookAtTexts, lookForPublished, takeFingerprints, takePhase } from "./phases";
import type { RotationContext, RotationOutcome } from "./rotation-context";
import { takeStep } from "./steps";
import { Versions } from "./versions";

export type { RotationContext, RotationOutcome } from "./rotation-context";

/**
 * The rotation protocol, once for all kinds: Secrets Manager's four steps and the phases after them.
 *
 * AWSCURRENT is the only commit point. Whatever makes a version usable happens before the label moves, and the
 * label moves as a compare-and-swap; so a crash at any point leaves AWSCURRENT valid, and the same call again
 * goes on from there.
 *
 * Protocol: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 *
 * @example
 * await new RotationMachine(context).run(parseEvent(event));
 */
export class RotationMachine<V> {
  readonly #context: RotationContext<V>;

  constructor(context: RotationContext<V>) {
    this.#context = context;
  }

  /** @throws RotationError for every failure that is known; adapters' failures pass through */
  async run(request: RotationRequest): Promise<RotationOutcome> {
    if (isStep(request)) return takeStep(await this.#open(request), request);
    if (isLook(request)) {
      const secret = await this.#open(request);
      return request.look === "texts" ? lookAtTexts(secret) : lookForPublished(secret);
    }
    // Before the secret is looked at: what the run does not allow is refused whatever the secret is like.
    if (isFingerprint(request)) {
      const fingerprint = await authorizedFingerprint(request, this.#context);
      return takeFingerprints(await this.#open(request), fingerprint);
    }
    const phase = await authorizedPhase(request, this.#context);
    const secret = await this.#open(request);
    if (phase.isBeside && !secret.versions.has(phase.versionId, "AWSPENDING")) {
      throw new RotationError(
        "run-mismatch",
        `run ${phase.runId} of ${secret.context.secretName}: ${phase.versionId}`,
      );
    }
    return takePhase(secret, phase);
  }

  async #open({ secretId }: RotationRequest): Promise<OpenedSecret<V>> {
    const { store, region, secretName } = this.#context;
    const description = await store.describe(secretId);
    requireUsable(secretName, description, region);
    return new OpenedSecret(this.#context, secretId, new Versions(description));
  }
}
