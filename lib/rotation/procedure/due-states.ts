import type { RotationMode } from "../../model/kinds";

/** Facts of one secret at the time of a look. Names and times, never a value. */
export interface SecretFacts {
  readonly key: string;
  readonly owner: string;
  readonly rotation: RotationMode;
  readonly rotateEverySeconds: number;
  /** `undefined`: there is no such secret. */
  readonly found?: WatchedState | undefined;
}

/** A secret as Secrets Manager and the mirror have it. */
export interface WatchedState {
  /** Last change of any kind: a label's move, a value. */
  readonly changedAt?: Date | undefined;
  /** Time at which AWSCURRENT's version was made: the age of what is in use. `undefined`: it has no value yet. */
  readonly currentSince?: Date | undefined;
  /** Time at which the version was made that waits under AWSPENDING alone. */
  readonly pendingSince?: Date | undefined;
  /** Regions whose replica does not have what the primary one has. */
  readonly replicasBehind: readonly string[];
  /** Nothing proves that AWSCURRENT has passed its test. */
  readonly isUnproven: boolean;
  /** `true` where some version was proved once: without one, the first value may still be in the middle of its test. */
  readonly isServed: boolean;
  /** AWSCURRENT has passed its test, and not every Vault has confirmed it. */
  readonly vaultBehind: boolean;
}

/** Reason for which a secret is stuck. */
export type StuckReason = "missing" | "no-value" | "pending" | "replica" | "unproven" | "vault";

/** State of a secret, as far as something is to be done about it. */
export interface DueState {
  readonly key: string;
  readonly owner: string;
  readonly rotation: RotationMode;
  /**
   * `due`: people have to rotate it soon (automatic secrets are never due: nobody has to). `overdue`: older than its
   * cadence.
   */
  readonly cadence: "kept" | "due" | "overdue";
  /** Sorted; none: nothing stands still. */
  readonly stuck: readonly StuckReason[];
  /** Time at which AWSCURRENT's version was made. */
  readonly rotatedAt?: Date | undefined;
  /** End of its cadence. */
  readonly dueAt?: Date | undefined;
}

/** Limits of what counts as soon, and as standing still. */
export interface DueLimits {
  readonly dueAheadSeconds: number;
  readonly stuckAfterSeconds: number;
}

/** Usual limits. As soon: people need time to ask for a change. As standing still: an hour, because a rotation ends in minutes. */
export const DUE_LIMITS: DueLimits = { dueAheadSeconds: 14 * 86_400, stuckAfterSeconds: 3_600 };

/** The state of each secret, in the order of the facts. */
export const dueStates = (now: Date, facts: readonly SecretFacts[], limits: DueLimits): readonly DueState[] =>
  facts.map((secret) => dueState(now, secret, limits));

function dueState(now: Date, facts: SecretFacts, limits: DueLimits): DueState {
  const { key, owner, rotation, found, rotateEverySeconds } = facts;
  const rotatedAt = found?.currentSince;
  const dueAt =
    rotatedAt === undefined ? undefined : new Date(rotatedAt.getTime() + rotateEverySeconds * 1_000);
  return {
    key,
    owner,
    rotation,
    cadence: dueAt === undefined ? "kept" : cadenceOf(now, dueAt, rotation, limits),
    stuck: stuckReasons(now, found, limits),
    ...(rotatedAt === undefined ? {} : { rotatedAt, dueAt }),
  };
}

function cadenceOf(
  now: Date,
  dueAt: Date,
  rotation: RotationMode,
  { dueAheadSeconds }: DueLimits,
): DueState["cadence"] {
  if (now.getTime() > dueAt.getTime()) return "overdue";
  const isSoon = now.getTime() > dueAt.getTime() - dueAheadSeconds * 1_000;
  return rotation !== "automatic" && isSoon ? "due" : "kept";
}

function stuckReasons(
  now: Date,
  found: WatchedState | undefined,
  { stuckAfterSeconds }: DueLimits,
): readonly StuckReason[] {
  if (found === undefined) return ["missing"];
  const isOld = (since: Date | undefined): boolean =>
    since !== undefined && now.getTime() - since.getTime() > stuckAfterSeconds * 1_000;
  const reasons: readonly (readonly [StuckReason, boolean])[] = [
    ["no-value", found.currentSince === undefined],
    ["pending", isOld(found.pendingSince)],
    // Replicas and Vaults follow a change; without a change for so long they have stopped following.
    ["replica", found.replicasBehind.length > 0 && isOld(found.changedAt)],
    // Somebody has put it past every test. A first value is there before it is tested.
    ["unproven", found.isUnproven && (found.isServed || isOld(found.currentSince))],
    ["vault", found.vaultBehind && isOld(found.changedAt)],
  ];
  return reasons.flatMap(([reason, holds]) => (holds ? [reason] : []));
}
