import {
  type RunAnswer,
  type RunView,
  type StatusAnswer,
  viewedRun,
} from "../../contracts/dispatcher-answer";
import type { DispatchedSecret, DispatcherSettings } from "../../contracts/function-settings";
import type { LoadedRun } from "../../contracts/procedure-events";
import type { Run } from "../../contracts/run";
import type { Clock, Logbook, ProofChecks, Publications, SecretStore } from "../protocol/ports";
import type { CallerIdentities } from "./caller-identity";
import { executionName } from "./loaded-run";
import type { Executions, Functions, ScheduledRotations } from "./procedure-ports";
import type { RunTable } from "./run-table";

/** Ports and settings of the dispatcher. */
export interface DispatcherContext {
  readonly settings: DispatcherSettings;
  readonly runs: RunTable;
  readonly store: Pick<SecretStore, "describe">;
  readonly publications: Pick<Publications, "confirmedAt">;
  /** Confirms a secret's current version, once it is proved and every region has it. @default the mirror confirms */
  readonly confirm?: ((secretName: string) => Promise<void>) | undefined;
  readonly proofs: ProofChecks;
  readonly rotations: ScheduledRotations;
  readonly functions: Functions;
  readonly identities: CallerIdentities;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly log: Logbook;
  /** A version id that no secret has. */
  readonly newVersion: () => string;
}

/** Result of one call of the dispatcher: the run that it was about, or those that it looked at. */
export type DispatcherOutcome =
  | RunAnswer
  | { readonly result: "nothing-to-do" }
  /** Fingerprints of that version are kept. */
  | { readonly result: "kept"; readonly version: string }
  | ({ readonly result: "loaded" } & LoadedRun)
  | StatusAnswer
  | {
      readonly result: "swept";
      readonly started: number;
      readonly ended: number;
      /** Locks that belonged to no run. */
      readonly freed: number;
      readonly failed: number;
    };

/** A secret that the dispatcher begins runs of. */
export interface Dispatched extends DispatchedSecret {
  /** Name of the secret: `prod/db/app-primary`. */
  readonly name: string;
}

/** A run of a secret as people are shown it. */
export const viewOf = (secret: Dispatched, run: Run): RunView => ({
  ...viewedRun(run),
  execution: executionName(secret, run),
});
