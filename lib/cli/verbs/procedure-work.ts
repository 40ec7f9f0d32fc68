import type { ProcedurePlan } from "../../blueprint";
import type { RunView, SecretRuns } from "../../contracts/dispatcher-answer";
import type { Registry, RotationMode } from "../../model";
import { isSupplied, waitBefore } from "../../rotation";
import { requireAccount } from "../cloud/require-account";
import type { RotationCloud } from "../cloud/rotation-cloud";
import { ProcedureDriver } from "../driver/procedure-driver";
import { RotationDriver } from "../driver/rotation-driver";
import { UserFault } from "../terminal/user-fault";
import type { RotationHost } from "./direct-rotation";
import { type FoundSecret, findSecret } from "./find-secret";

/** Result of a rotation through the procedure. */
export interface ProcedureReport {
  readonly secret: string;
  readonly environment: string;
  readonly rotation: RotationMode;
  /**
   * `done`: every run came to its good end. `awaiting-operator`: a person has to take the made value to its target.
   */
  readonly outcome: "done" | "already-done" | "awaiting-operator" | "rolled-back" | "too-early" | "failed";
  /** The runs that this command has begun or followed, in order. */
  readonly runs: readonly RunView[];
  readonly fault?: { readonly code: string; readonly message: string; readonly retryable: boolean };
  /** Next step, as a sentence. */
  readonly next?: string;
}

/** A secret with what its rotations are looked at and driven by. */
export interface ProcedureAccess {
  readonly found: FoundSecret;
  readonly cloud: RotationCloud;
  /** Runs, by the dispatcher. */
  readonly driver: ProcedureDriver;
  /** Versions and their labels, by Secrets Manager. */
  readonly versions: RotationDriver;
}

/** @throws UserFault where nothing follows rotations */
export function requireProcedure({ plan }: Pick<FoundSecret, "plan">): ProcedurePlan {
  if (plan.procedure !== undefined) return plan.procedure;
  throw new UserFault(`${plan.environment} has no rotation procedure.`);
}

/** `true` when the value holds keys that are published first, and put to use by another run. */
export const isPublished = ({ secret }: FoundSecret): boolean =>
  secret.rotation !== "automatic" && waitBefore("promote", secret).seconds > 0;

/** `true` when the function makes the value, and a person takes it to its target. */
export const isMadeHere = ({ secret, resolved }: FoundSecret): boolean =>
  secret.rotation === "operator-assisted" && !isSupplied(resolved);

/** The version that was published last. */
export const publicationOf = ({ latest }: Pick<SecretRuns, "latest">): string | undefined =>
  latest.find(({ kind, status }) => kind === "publication" && status === "published")?.newVersion;

/** The same, found by its key. */
export async function inspect(
  registry: Registry,
  key: string,
  environment: string,
  host: RotationHost,
): Promise<ProcedureAccess> {
  const found = findSecret(registry, environment, key);
  return reach(found, requireProcedure(found), host);
}

/** A secret with what its rotations are looked at and driven by, in the environment's own account. */
export async function reach(
  found: FoundSecret,
  procedure: ProcedurePlan,
  host: RotationHost,
): Promise<ProcedureAccess> {
  const { plan } = found;
  const cloud = host.cloudIn(plan.regions.primary, plan.environment);
  await requireAccount(cloud, plan);
  const context = { plan, cloud, pace: host.pace, progress: host.progress };
  return {
    found,
    cloud,
    driver: new ProcedureDriver(context, procedure),
    versions: new RotationDriver(context),
  };
}
