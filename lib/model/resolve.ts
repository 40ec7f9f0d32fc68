import type { ListedConsumer } from "./consumers";
import { type Duration, sumOf } from "./duration";
import type { ParsedEnvironment } from "./environment-definition";
import {
  type AcceptedBy,
  type AnyKindSettings,
  acceptorLag,
  publishesKeys,
  type RotationMode,
  type Store,
  traitsOf,
} from "./kinds";
import type { RotationSchedule } from "./rotation-schedule";
import type { ParsedFile, ParsedSecret } from "./secret-definition";

/** A consumer with the files that it gets. */
export interface Consumer {
  readonly workload: string;
  /** `undefined`: the kind's default files. */
  readonly files: readonly ParsedFile[] | undefined;
}

/** A secret as one environment has it: settings merged, defaults and derived times filled in. */
export type EnvironmentSecret = AnyKindSettings & {
  readonly key: string;
  readonly environment: string;
  readonly description: string;
  readonly owner: string;
  readonly consumers: readonly Consumer[];
  readonly rotateEvery: Duration;
  readonly schedule: RotationSchedule["how"];
  readonly store: Store;
  readonly acceptedBy: AcceptedBy;
  readonly rotation: RotationMode;
  /** `true`: old and new value live side by side during a rotation. */
  readonly dualWrite: boolean;
  /** Time for which the old credential lives beside the new one; 0 s for a single slot. */
  readonly overlap: Duration;
  /** Time for which `next` must have been published before anyone uses it; 0 s where the value holds no `next`. */
  readonly publishLead: Duration;
  readonly classification: "internal" | "confidential" | "restricted";
  readonly admin: string | undefined;
  /** Network that the author chose for its rotation function; `none`: outside of a VPC. */
  readonly network: string | undefined;
  /** Key that the cloud's names are made of: the oldest of `renamedFrom`, else the key itself. */
  readonly physicalKey: string;
  readonly renamedFrom: readonly string[];
  readonly retired: string | undefined;
};

const NONE: Duration = { seconds: 0 };

/** The least overlap of a kind's acceptors beyond refresh and margin (docs/explanation/architecture.md, decision 3). */
export function leastOverlap(
  environment: Pick<ParsedEnvironment, "refreshEvery" | "reloadMargin">,
  lag: readonly Duration[],
): Duration {
  return sumOf(environment.refreshEvery, environment.reloadMargin, ...lag);
}

/** `true` when a rotation that people start needs an approved change request. */
export const needsChangeRequest = ({
  changeRequest,
  tier,
}: Pick<ParsedEnvironment, "changeRequest" | "tier">): boolean =>
  (changeRequest ?? (tier === "development" ? "none" : "required")) === "required";

/** `true` when an approver must agree before an old credential goes. */
export const needsApproval = ({ approval, tier }: Pick<ParsedEnvironment, "approval" | "tier">): boolean =>
  (approval ?? (tier === "production" ? "required" : "none")) === "required";

function differencesIn(secret: ParsedSecret, environment: string): ParsedSecret["environments"][string] {
  return secret.environments[environment] ?? { presence: "required", settings: {} };
}

/** `true` when an environment has a secret: required there, or optional and opted in. */
export function isPresent(
  secret: ParsedSecret,
  key: string,
  environment: string,
  optIn: readonly string[],
): boolean {
  const { presence } = differencesIn(secret, environment);
  return presence === "required" || (presence === "optional" && optIn.includes(key));
}

/**
 * A secret as an environment has it. `kindSettings` are the merged settings, already checked; `consumers` those that hold their grant.
 */
export function resolveSecret(
  key: string,
  secret: ParsedSecret,
  environment: string,
  settings: Pick<ParsedEnvironment, "refreshEvery" | "reloadMargin">,
  kindSettings: AnyKindSettings,
  consumers: readonly ListedConsumer[],
): EnvironmentSecret {
  const own = differencesIn(secret, environment);
  const traits = traitsOf(secret.kind);
  const isStaticLogin = kindSettings.kind === "postgresql-user" && kindSettings.settings.login === "static";
  const acceptedBy =
    secret.acceptedBy ?? (isStaticLogin ? "single-slot" : (traits.acceptedBy[0] ?? "single-slot"));
  const singleSlot = acceptedBy === "single-slot";
  const lag = acceptorLag(kindSettings);
  const least = leastOverlap(settings, lag.afterSwitch);
  const published = acceptedBy === "own-workloads" || publishesKeys(kindSettings);
  return {
    ...kindSettings,
    key,
    environment,
    description: secret.description,
    owner: secret.owner,
    consumers: consumers.map(({ workload, files }) => ({ workload, files })),
    rotateEvery: own.rotateEvery ?? secret.rotateEvery,
    schedule: secret.schedule,
    store: secret.store,
    acceptedBy,
    rotation: own.rotation ?? secret.rotation ?? traits.rotation[0] ?? "automatic",
    dualWrite: secret.dualWrite ?? !singleSlot,
    overlap: singleSlot ? NONE : (secret.overlap ?? sumOf(least, settings.reloadMargin)),
    publishLead: published
      ? sumOf(settings.refreshEvery, settings.reloadMargin, lag.beforeUse ?? NONE)
      : NONE,
    classification: own.classification ?? secret.classification,
    admin: secret.admin,
    network: own.network ?? secret.network,
    physicalKey: secret.renamedFrom[0] ?? key,
    renamedFrom: secret.renamedFrom,
    retired: secret.retired,
  };
}
