import * as z from "zod/mini";
import {
  type ChangeRequest,
  changeDigest,
  changeUntil,
  readChangeRequest,
} from "../../contracts/change-request";
import type { ChangeGateSettings } from "../../contracts/function-settings";
import { changeAudience } from "../../model/names";
import type { Clock } from "../protocol/ports";
import { RotationError } from "../protocol/rotation-error";
import type { ApprovedChanges } from "./run-table";

/** CI's identity tokens. */
export interface JobTokens {
  /**
   * Verifies a token: signature, issuer, audience, time.
   *
   * @throws RotationError `token-refused`, `target-unreachable`
   */
  verify(token: string, audience: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Ports of the change gate. */
export interface ChangeGateContext {
  readonly settings: ChangeGateSettings;
  readonly tokens: JobTokens;
  readonly changes: Pick<ApprovedChanges, "approve">;
  readonly clock: Pick<Clock, "now">;
}

/** Event that CI brings. */
export interface ChangeGateEvent {
  /** Text of the change request's file, as it is on the protected branch. */
  readonly Change: string;
  /** Token of the job, asked for with the audience {@link changeAudience} of this environment and this change. */
  readonly Token: string;
}

/** Result of a call. */
export interface ChangeGateOutcome {
  readonly id: string;
  readonly digest: string;
  readonly from: string;
  readonly until: string;
}

/** Run-time schema of the gate's events. */
export const changeGateEvent: z.ZodMiniType<ChangeGateEvent> = z.strictObject({
  Change: z.string().check(z.maxLength(256 * 1_024)),
  Token: z.string().check(z.maxLength(16 * 1_024)),
});

/**
 * Takes CI's word for change requests (docs/adr/0010). The job's token names the change by its audience, so it vouches for
 * this change in this environment and for nothing else, and nobody but a job of the protected branch can have one.
 */
export class ChangeGate {
  readonly #context: ChangeGateContext;

  constructor(context: ChangeGateContext) {
    this.#context = context;
  }

  /** @throws RotationError `change-malformed`, `change-not-open`, `token-refused`, `secret-not-ours` */
  async run({ Change, Token }: ChangeGateEvent): Promise<ChangeGateOutcome> {
    const { settings, tokens, changes, clock } = this.#context;
    const change = soundChange(Change);
    const digest = changeDigest(Change);
    if (!settings.keys.includes(change.secret)) {
      throw new RotationError("secret-not-ours", `${settings.environment} has no ${change.secret}`);
    }
    const from = change.schedule[settings.environment];
    const until = changeUntil(change);
    const today = clock.now().toISOString().slice(0, 10);
    if (from === undefined || today > until) {
      throw new RotationError(
        "change-not-open",
        from === undefined
          ? `${change.id} is not for ${settings.environment}`
          : `${change.id}: until ${until}`,
      );
    }
    this.#checkJob(
      await tokens.verify(Token, changeAudience(settings.registry, settings.environment, digest)),
    );
    await changes.approve(
      { id: change.id, digest, key: change.secret, requester: change.requester, from, until },
      clock.now(),
    );
    return { id: change.id, digest, from, until };
  }

  /** The same issuer serves the jobs of everybody in the world. */
  #checkJob(claims: Readonly<Record<string, unknown>>): void {
    for (const [name, believed] of Object.entries(this.#context.settings.claims)) {
      const found = claims[name];
      const text = ["string", "number", "boolean"].includes(typeof found) ? String(found) : undefined;
      if (text !== undefined && believed.includes(text)) continue;
      throw new RotationError(
        "token-refused",
        `only jobs whose ${name} is ${believed.join(" or ")} are believed`,
      );
    }
  }
}

function soundChange(text: string): ChangeRequest {
  const { change, faults } = readChangeRequest(text);
  if (change !== undefined) return change;
  // Paths only: a file with faults may hold anything.
  throw new RotationError("change-malformed", faults.map(({ path }) => path).join(", "));
}
