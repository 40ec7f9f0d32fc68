import { type FunctionPlan, rotates } from "../../blueprint";
import type { Duration } from "../../model";
import type {
  DispatcherSettings,
  FunctionSettings,
  MirrorSettings,
  RotatedSecret,
} from "../../model/function-settings";
import type { OpenBao } from "../servers";
import type { RehearsedTarget } from "../targets";

/** Where things really are in a rehearsal. */
export interface RehearsedPlaces {
  /** By secret name. */
  readonly targets: ReadonlyMap<string, RehearsedTarget>;
  /** By Vault name. */
  readonly vaults: ReadonlyMap<string, Pick<OpenBao, "address" | "caPem">>;
}

/** An hour of waiting takes half a second. The law of waiting stays; only its unit changes. */
const SHORTENED = 7_200;

/** A wait as a rehearsal has it. */
export const shortened = ({ seconds }: Duration): Duration => ({ seconds: Math.ceil(seconds / SHORTENED) });

/**
 * A function's settings as the blueprint has them, with the places of the rehearsal's servers and with hours as half seconds.
 */
export function relocatedSettings(plan: FunctionPlan, places: RehearsedPlaces): FunctionPlan["settings"] {
  if (rotates(plan)) return relocatedRotation(plan.settings, places);
  const { settings } = plan;
  if ("vaults" in settings) return relocatedMirror(settings, places);
  return "stateMachineArn" in settings ? hurriedDispatcher(settings) : settings;
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
