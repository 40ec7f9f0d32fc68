import { blueprint } from "../../blueprint";
import type { Registry } from "../../model";
import { secretName } from "../../model/names";
import { nextRotations } from "../../model/next-rotations";
import { DUE_LIMITS, type DueState, dueStates, gatherFacts } from "../../rotation";
import type { AskedProofs } from "./asked-proofs";
import type { PreflightCheck } from "./preflight-check";

/** Secrets of an environment that are due, overdue or stuck. */
export interface DueReport {
  readonly environment: string;
  readonly at: string;
  /** `true` when nothing is overdue, nothing is stuck, and nothing that pages rest on is missing. */
  readonly well: boolean;
  /** States of Secrets Manager's secrets, sorted by key. Vault's engines rotate their own by themselves. */
  readonly secrets: readonly DueRow[];
  /**
   * Checks around the environment that are not as they should be: its trails, audit devices, quotas, the deployer's
   * rights.
   */
  readonly surroundings: readonly PreflightCheck[];
}

/** One secret and its next rotation. */
export interface DueRow extends DueState {
  /** Time at which its next rotation begins by itself; `undefined`: people move it on. */
  readonly next?: Date;
}

/**
 * Compares each secret with its cadence: the same rule as the watcher's.
 *
 * @param around checks of what the environment rests on
 */
export async function due(
  registry: Registry,
  environment: string,
  { sources, checks }: AskedProofs,
  now: Date,
  around: readonly PreflightCheck[],
): Promise<DueReport> {
  const watched = registry.secretsIn(environment).filter(({ store }) => store === "aws");
  const facts = await gatherFacts({
    ...sources,
    settings: {
      secrets: Object.fromEntries(
        watched.map(({ key, physicalKey, owner, rotation, rotateEvery }) => [
          secretName(environment, physicalKey),
          { key, owner, rotation, rotateEverySeconds: rotateEvery.seconds },
        ]),
      ),
    },
  });
  const schedules = new Map(
    blueprint(registry, environment).secrets.map((secret) => [
      secret.key,
      secret.store === "aws" ? secret.schedule : undefined,
    ]),
  );
  const secrets = [...dueStates(now, facts, DUE_LIMITS)]
    .map((state): DueRow => {
      const schedule = schedules.get(state.key);
      const [next] = schedule ? nextRotations(schedule, now, 1) : [];
      return { ...state, ...(next ? { next } : {}) };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    environment,
    at: now.toISOString(),
    well:
      secrets.every(({ cadence, stuck }) => cadence !== "overdue" && stuck.length === 0) &&
      around.every(({ state }) => state !== "missing"),
    secrets,
    surroundings: [...around, ...checks()].filter(({ state }) => state !== "ok"),
  };
}
