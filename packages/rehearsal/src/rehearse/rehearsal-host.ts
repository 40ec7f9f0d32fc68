import {
  httpsPlaces,
  type Pace,
  type Places,
  type Progress,
  REAL_PACE,
  type RotationHost,
  type Terminal,
} from "../../../../lib/cli";
import { type RehearsedWorld, shortened } from "../world";
import { RunKeepingCloud } from "./begun-runs";

/** Looks often: everything is on this machine, and an hour of waiting takes half a second. */
const REHEARSAL_PACE: Pace = {
  ...REAL_PACE,
  lookEveryMs: 100,
  sweepEveryMs: 1_500,
  retryAfterMs: 300,
  waitOf: shortened,
  confirmationMs: 60_000,
};

/** Host of the command line's verbs in a rehearsed world: an operator, whose input is what the targets gave. */
export function rehearsalHost(
  world: RehearsedWorld,
  progress: Progress,
  input: () => unknown = () => Object.fromEntries(world.targets.supplied),
): RotationHost {
  const terminal: Terminal = {
    out: () => undefined,
    err: () => undefined,
    interactive: false,
    readInput: async () => JSON.stringify(input()),
    ask: async () => {
      throw new Error("nobody answers in a rehearsal");
    },
  };
  return {
    terminal,
    progress,
    pace: REHEARSAL_PACE,
    cloudIn: (region) => new RunKeepingCloud({ region, ...world.as.operator }, world),
  };
}

/** Issuers and Vaults under the addresses that the registry has. */
export function rehearsedPlaces({ plan, issuers, vaults }: RehearsedWorld): Places {
  const servers = [
    // AKS's issuers end in a slash, which no address of something below them has twice.
    ...plan.clusters.map(({ issuer, name }) => ({
      prefix: issuer.replace(/\/$/, ""),
      place: issuers.get(name),
    })),
    ...plan.vaults.map(({ address, name }) => ({ prefix: address, place: vaults.get(name) })),
  ];
  return {
    get: (url) => {
      const found = servers.find(({ prefix }) => url.startsWith(prefix));
      if (!found?.place) throw new Error(`the rehearsal has nothing at ${url}`);
      const address = "address" in found.place ? found.place.address : found.place.url;
      return httpsPlaces.get(address + url.slice(found.prefix.length), found.place.caPem);
    },
  };
}
