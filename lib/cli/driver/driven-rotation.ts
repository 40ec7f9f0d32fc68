import type { AwsSecretPlan, Blueprint } from "../../blueprint";
import type { RotationCloud } from "../cloud/rotation-cloud";
import type { Pace } from "./pace";
import type { Progress } from "./progress";

/** Rotations as drivers are asked for them, and what they come to. */

/** Ports of the driver, in one environment. */
export interface DriverContext {
  readonly plan: Blueprint;
  readonly cloud: RotationCloud;
  readonly pace: Pace;
  readonly progress: Progress;
}

/** A secret that a function rotates. */
export type RotatedPlan = AwsSecretPlan & { readonly rotatedBy: string };

/** Result of a command. */
export interface DriverOutcome {
  /**
   * `followed`: it was under way already, and this command has seen it to its end. `staged`: a value waits for a
   * person to take it to the target.
   */
  readonly result: "done" | "followed" | "already-done" | "nothing-to-do" | "staged";
  /** The version that the command was about. */
  readonly version: string;
}

/** Options of a phase. */
export interface PhaseOptions {
  /** A leak: the function skips the waits. */
  readonly emergency: boolean;
  /** @default the version that the labels say */
  readonly version?: string | undefined;
}
