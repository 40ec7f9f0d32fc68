import type { AcceptedBy, KindName, RotationMode } from "../../../lib/model/kinds";
import type { Clock } from "../../../lib/rotation/protocol/ports";
import type { Target } from "../../../lib/rotation/protocol/target";
import type { CrashPlan } from "./crash-plan";

/**
 * One kind of secret in the property of sequences: its real target against a model of the vendor that follows the vendor's
 * document. Whoever adds a kind adds one entry to the table in `sequence-kinds.ts`.
 */
export interface SequenceKind<V = unknown> {
  /** As the figures show it. */
  readonly name: string;
  readonly kind: KindName;
  readonly mode: RotationMode;
  /** `true` where its value holds keys that are published before they are used. */
  readonly publishes: boolean;
  readonly acceptedBy: AcceptedBy;
  /** Seconds that the old credential lives beside the new one. At least refresh interval and reload margin. */
  readonly overlapSeconds: number;
  readonly publishLeadSeconds: number;
  /** A world of its own for each sequence. */
  readonly begin: (clock: Clock) => SequenceVendor<V> | Promise<SequenceVendor<V>>;
  /** Reason for which the property does not hold yet; it is printed, and the kind is not tried. */
  readonly todo?: string;
}

/**
 * Place at which a kind's credentials are accepted. Values are as they are stored: with the settings that made them
 * (`_settings`).
 */
export interface SequenceVendor<V> {
  /** The registry's settings of now. */
  settings(): object;
  /** The kind's real target by some settings, with ports that die by the plan and refuse while the vendor is away. */
  targetOf(settings: never, plan: CrashPlan, away: () => boolean): Target<V>;
  /**
   * A consumer presents a value.
   *
   * @param others what the other consumers hold: they check it, where our own workloads do
   */
  presents(value: V, others: readonly V[]): Promise<boolean>;
  /** Credentials that are accepted now, by names of their own. `current` is AWSCURRENT's value. */
  live(current: V | undefined): readonly string[];
  /** Those of them that a holder of the value may present, now or after the next promotion. */
  opens(value: V): readonly string[];
  /** Value that people supply before the first rotation, through an inbox that is read until a value is served. */
  readonly first?: { readonly supplied: object; complete(supplied: unknown): V; isOf(value: V): boolean };
  /** Changes a setting; it takes effect with the next value. */
  rename?(): void;
  /**
   * A person makes a value at the vendor. Only where people supply values.
   *
   * @param kept values that the person must not end to make room
   * @returns `undefined`: there is no room
   */
  supply?(kept: readonly V[]): V | undefined;
  /** A person ends a credential at the vendor, asked for by `still-accepted`. */
  endByHand?(value: V): void;
  /** Stops what was started. */
  close?(): Promise<void>;
}
