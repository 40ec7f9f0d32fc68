import type { FingerprintsEvent } from "../../contracts/procedure-events";
import { procedureFunctionName } from "../../model/names";
import type { RotationOutcome } from "../machine/rotation-context";
import type { Dispatched, DispatcherContext, DispatcherOutcome } from "./dispatched";

/**
 * Has the rotation function make fingerprints of a secret's current value, and the recorder keep them: of a first value, which no
 * run follows. Neither changes anything, and what is kept stays as it is.
 */
export async function keptFingerprints(
  { name, function: rotator }: Dispatched,
  { functions, settings }: Pick<DispatcherContext, "functions" | "settings">,
): Promise<DispatcherOutcome> {
  const look = { Look: "texts", SecretId: name };
  const seen = (await functions.invoke(rotator, look)) as Partial<RotationOutcome> | undefined;
  if (seen?.texts === undefined || seen.versionId === undefined) return { result: "nothing-to-do" };
  const recorder = procedureFunctionName(settings.registry, settings.environment, "recorder");
  const event: FingerprintsEvent = { Secret: name, Version: seen.versionId, Texts: seen.texts };
  await functions.invoke(recorder, event);
  return { result: "kept", version: seen.versionId };
}
