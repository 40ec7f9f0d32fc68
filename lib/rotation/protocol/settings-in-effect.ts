import type { RotatedSecret } from "../../contracts/function-settings";
import { isRecord } from "../../model/is-record";
import { acceptorLag, type KindName, type KindSettings } from "../../model/kinds";
import { SETTINGS_FIELD } from "../../model/names";
import {
  asKind,
  credentialPlaceOf,
  type KeptSettings,
  keptSettings,
  reachOf,
  refusedChanges,
  settingsInEffect,
} from "../../model/setting-rules";
import { RotationError } from "./rotation-error";
import type { Target } from "./target";
import type { Waits } from "./waiting-law";

/** Handling of a value. */
export interface Handling<V> {
  readonly target: Target<V>;
  /** Place of its credential, as one text to compare. */
  readonly place: string;
  /** Text that the registry must hold so that the function can reach that place. */
  readonly reach?: string;
}

/** Settings that hold for each value of a secret. */
export interface SettingsInEffect<V> {
  /** Settings that a value keeps which is made now. */
  readonly kept: KeptSettings;
  /**
   * Handling of a value that keeps these settings.
   *
   * @param kept `undefined`: it says nothing, so the registry's settings hold
   * @throws RotationError `value-malformed`
   */
  of(kept: KeptSettings | undefined): Handling<V>;
  /** The waits while these values are in play: the longest. */
  waits(inPlay: readonly (KeptSettings | undefined)[]): Waits;
  /**
   * Makes sure that nothing has changed that must not change under a value.
   *
   * @throws RotationError `settings-two-steps`
   */
  checkChange(kept: KeptSettings | undefined): void;
}

/**
 * The settings in effect of one secret. Decision: docs/adr/0024-settings-in-effect.md
 *
 * @param targetOf makes the target of a value that was made by these settings
 */
export function settingsInEffectOf<K extends KindName, V>(
  kind: K,
  name: string,
  secret: RotatedSecret<K>,
  targetOf: (settings: KindSettings<K>) => Target<V>,
): SettingsInEffect<V> {
  const now = secret.settings;

  const settingsOf = (kept: KeptSettings | undefined): KindSettings<K> => {
    const settings = kept === undefined ? now : settingsInEffect(kind, now, kept);
    if (settings === undefined) {
      throw new RotationError("value-malformed", `${name}: ${SETTINGS_FIELD} are no settings of ${kind}`);
    }
    return settings;
  };

  return {
    kept: keptSettings(kind, now),

    of(kept) {
      const settings = settingsOf(kept);
      return {
        target: targetOf(settings),
        place: credentialPlaceOf(kind, settings),
        reach: reachOf(kind, settings),
      };
    },

    waits(inPlay) {
      const seconds = [now, ...inPlay.map(settingsOf)].map((settings) => {
        const { beforeUse, afterSwitch } = acceptorLag(asKind(kind, settings));
        return {
          before: beforeUse?.seconds ?? 0,
          after: afterSwitch.reduce((sum, lag) => sum + lag.seconds, 0),
        };
      });
      const longer = (of: "before" | "after"): number =>
        Math.max(...seconds.map((lag) => lag[of])) - (seconds[0]?.[of] ?? 0);
      return {
        overlap: { seconds: secret.overlap.seconds + longer("after") },
        publishLead: { seconds: secret.publishLead.seconds + longer("before") },
      };
    },

    checkChange(kept) {
      const refused = kept === undefined ? [] : refusedChanges(kind, now, kept);
      if (refused.length === 0) return;
      throw new RotationError(
        "settings-two-steps",
        refused
          .map(({ setting, steps }) => `${name}: ${setting} has changed under a live value; ${steps}`)
          .join("; "),
      );
    },
  };
}

/** A stored JSON value, and apart from it what it says of the settings that made it. */
export function splitSettings(json: unknown): {
  readonly value: unknown;
  readonly kept: KeptSettings | undefined;
} {
  if (!isRecord(json) || !isRecord(json[SETTINGS_FIELD])) return { value: json, kept: undefined };
  const { [SETTINGS_FIELD]: kept, ...value } = json;
  return { value, kept: kept as KeptSettings };
}
