import type { WatcherSettings } from "../../contracts/function-settings";
import type { CADENCE_STATES } from "../../model/names";
import type { Clock, Logbook, Publications } from "../protocol/ports";
import { severalAtOnce } from "../protocol/several-at-once";
import { type DueState, dueStates, type SecretFacts, type WatchedState } from "./due-states";

/** Secrets as the watcher looks at them. */
export interface WatchedSecrets {
  /** `undefined`: there is no such secret. */
  look(secretName: string): Promise<Look | undefined>;
}

/** A secret as Secrets Manager reports it. */
export interface Look extends Omit<WatchedState, "vaultBehind" | "isUnproven"> {
  /** AWSCURRENT's version, when it has passed its test. */
  readonly verified?: string | undefined;
}

/** Sinks to which the watcher reports. */
export interface WatcherSinks {
  /** Writes how many secrets are in each state, zeros included: silence would look like peace. */
  count(counts: Readonly<Record<(typeof CADENCE_STATES)[number], number>>): Promise<void>;
  /** Reports to an owner what people have to rotate. */
  remind(subject: string, message: string): Promise<void>;
}

/** Ports of the watcher. */
export interface WatcherContext {
  readonly settings: WatcherSettings;
  readonly secrets: WatchedSecrets;
  readonly publications: Pick<Publications, "confirmedAt">;
  readonly sinks: WatcherSinks;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logbook;
}

/** Result of a call. */
export interface WatcherOutcome {
  readonly due: number;
  readonly overdue: number;
  readonly stuck: number;
  /** Current values that nothing proves; stuck, too. */
  readonly unproven: number;
  readonly reminded: readonly string[];
}

/** Hour of the UTC day whose call reminds: the watcher comes hourly, people need it once a day. */
const REMINDING_HOUR = 8;

/** Compares every secret with its cadence, counts, and reminds owners. */
export class Watcher {
  readonly #context: WatcherContext;

  constructor(context: WatcherContext) {
    this.#context = context;
  }

  async run(): Promise<WatcherOutcome> {
    const { settings, clock, sinks, log } = this.#context;
    const now = clock.now();
    const states = dueStates(now, await gatherFacts(this.#context), settings);
    const counts = {
      due: states.filter(({ cadence }) => cadence === "due").length,
      overdue: states.filter(({ cadence }) => cadence === "overdue").length,
      stuck: states.filter(({ stuck }) => stuck.length > 0).length,
      unproven: states.filter(({ stuck }) => stuck.includes("unproven")).length,
    };
    for (const { key, cadence, stuck } of states) {
      if (cadence === "overdue" || stuck.length > 0)
        log.warn("look", { key, cadence, stuck: stuck.join(",") });
    }
    await sinks.count(counts);
    const reminded = now.getUTCHours() === REMINDING_HOUR ? await this.#remind(states) : [];
    return { ...counts, reminded };
  }

  async #remind(states: readonly DueState[]): Promise<readonly string[]> {
    const { settings, sinks } = this.#context;
    const waiting = states.filter(({ rotation, cadence }) => rotation !== "automatic" && cadence !== "kept");
    const owners = [...new Set(waiting.map(({ owner }) => owner))].sort();
    for (const owner of owners) {
      const own = waiting.filter((state) => state.owner === owner);
      await sinks.remind(
        `[${settings.environment}] ${own.length} secrets of ${owner} to rotate`.slice(0, 100),
        own
          .map(({ key, cadence, dueAt }) =>
            [
              `${key}: ${cadence}, cadence ends ${dueAt?.toISOString().slice(0, 10)}.`,
              `  secrets-registry rotate ${key} --env ${settings.environment}`,
            ].join("\n"),
          )
          .join("\n"),
      );
    }
    return owners;
  }
}

/** Facts of each secret of the settings, sorted by name. */
export async function gatherFacts({
  settings,
  secrets,
  publications,
}: Pick<WatcherContext, "secrets" | "publications"> & {
  readonly settings: Pick<WatcherSettings, "secrets">;
}): Promise<readonly SecretFacts[]> {
  const names = Object.keys(settings.secrets).sort();
  const looks = new Map<string, SecretFacts["found"]>();
  await severalAtOnce(
    names,
    async (name) => {
      const look = await secrets.look(name);
      looks.set(name, look && (await foundOf(name, look, publications)));
    },
    "stop",
  );
  return names.flatMap((name) => {
    const secret = settings.secrets[name];
    return secret ? [{ ...secret, found: looks.get(name) }] : [];
  });
}

async function foundOf(
  name: string,
  { verified, ...look }: Look,
  publications: Pick<Publications, "confirmedAt">,
): Promise<WatchedState> {
  const vaultBehind =
    verified !== undefined && (await publications.confirmedAt(name, verified)) === undefined;
  return { ...look, isUnproven: look.currentSince !== undefined && verified === undefined, vaultBehind };
}
