import { type FunctionPlan, rotates } from "../../../../lib/blueprint";
import type {
  ChangeGateSettings,
  CheckerSettings,
  DispatcherSettings,
  FunctionSettings,
  MirrorSettings,
  RestarterSettings,
  RotatedSecret,
} from "../../../../lib/contracts/function-settings";
import type { Duration } from "../../../../lib/model";
import type { ClusterIssuer, OpenBao, OutsideServer } from "../servers";
import type { RehearsedTarget } from "../targets";

/** Real addresses in a rehearsal. */
export interface RehearsedPlaces {
  /** By secret name. */
  readonly targets: ReadonlyMap<string, RehearsedTarget>;
  /** By Vault name. */
  readonly vaults: ReadonlyMap<string, Pick<OpenBao, "address" | "caPem">>;
  /** By cluster name. */
  readonly issuers: ReadonlyMap<string, Pick<ClusterIssuer, "url" | "caPem">>;
  readonly outside: Pick<OutsideServer, "url" | "relocated">;
  /** URL of STS: the shim's. */
  readonly sts: string;
}

/** An hour of waiting takes half a second, of the first twelve. The law of waiting stays; only its unit changes. */
export const SHORTENED = 7_200;

/** From here on an hour takes a twentieth of a second: Stripe's three days would be most of a rehearsal. */
const SHORTENED_MORE_FROM = 12 * 3_600;

/** A wait as a rehearsal has it. A longer wait stays a longer one. */
export const shortened = ({ seconds }: Duration): Duration => {
  const beyond = Math.max(0, seconds - SHORTENED_MORE_FROM);
  return { seconds: Math.ceil((seconds - beyond + beyond / 10) / SHORTENED) };
};

/**
 * A function's settings as the blueprint has them, with the places of the rehearsal's servers and with hours as half seconds.
 */
export function relocatedSettings(plan: FunctionPlan, places: RehearsedPlaces): FunctionPlan["settings"] {
  if (rotates(plan)) return relocatedRotation(plan.settings, places);
  const { settings } = plan;
  if ("vaults" in settings) return relocatedMirror(settings, places);
  if ("stateMachineArn" in settings) return { ...hurriedDispatcher(settings), stsEndpoint: places.sts };
  if ("approvers" in settings) return { ...settings, stsEndpoint: places.sts };
  if ("checks" in settings) return relocatedChecks(settings, places);
  if ("clusters" in settings) return relocatedClusters(settings, places);
  return "issuer" in settings
    ? ({
        ...settings,
        issuer: places.outside.url,
        keySet: `${places.outside.url}/.well-known/jwks`,
      } satisfies ChangeGateSettings)
    : settings;
}

function relocatedChecks(settings: CheckerSettings, { outside }: RehearsedPlaces): CheckerSettings {
  return {
    ...settings,
    checks: Object.fromEntries(
      Object.entries(settings.checks).map(([name, check]) => [
        name,
        { ...check, url: outside.relocated(check.url, check.status, check.contains) },
      ]),
    ),
  };
}

function relocatedClusters(settings: RestarterSettings, { issuers }: RehearsedPlaces): RestarterSettings {
  return {
    ...settings,
    clusters: settings.clusters.map((cluster) => {
      const server = issuers.get(cluster.name);
      if (server === undefined) throw new Error(`the rehearsal has no cluster ${cluster.name}`);
      return { ...cluster, apiServer: server.url, caPem: server.caPem };
    }),
  };
}

/** The waits that the dispatcher gives the state machine. */
function hurriedDispatcher(settings: DispatcherSettings): DispatcherSettings {
  const hurried = (seconds: number): number => shortened({ seconds }).seconds;
  return {
    ...settings,
    secrets: Object.fromEntries(
      Object.entries(settings.secrets).map(([name, secret]) => [
        name,
        {
          ...secret,
          overlapSeconds: hurried(secret.overlapSeconds),
          ...(secret.handOverSeconds === undefined
            ? {}
            : { handOverSeconds: hurried(secret.handOverSeconds) }),
          publishLeadSeconds: hurried(secret.publishLeadSeconds),
        },
      ]),
    ),
  };
}

function relocatedMirror(settings: MirrorSettings, { vaults }: RehearsedPlaces): MirrorSettings {
  return {
    ...settings,
    vaults: settings.vaults.map((vault) => {
      const server = vaults.get(vault.name);
      if (server === undefined) throw new Error(`the rehearsal has no Vault ${vault.name}`);
      return { ...vault, address: server.address, caPem: server.caPem };
    }),
  };
}

function relocatedRotation(settings: FunctionSettings, { targets }: RehearsedPlaces): FunctionSettings {
  const relocated = (name: string, secret: RotatedSecret): RotatedSecret => ({
    ...secret,
    settings: targets.get(name)?.settings ?? secret.settings,
    overlap: shortened(secret.overlap),
    publishLead: shortened(secret.publishLead),
  });
  return {
    ...settings,
    secrets: Object.fromEntries(
      Object.entries(settings.secrets).map(([name, secret]) => [name, relocated(name, secret)]),
    ),
  };
}
