import type { Blueprint } from "../../blueprint";
import type { FingerprintCall } from "../../contracts/dispatcher-call";
import { procedureFunctionName } from "../../model/names";
import type { RotationCloud } from "../cloud/rotation-cloud";

/**
 * Has the fingerprints of a first value kept, which no run follows: by them `whose` tells a text that leaks before the first rotation.
 * What has some already keeps those.
 *
 * @returns `false` when they could not be kept, which is no reason to fail
 */
export async function keepFirstFingerprints(
  plan: Pick<Blueprint, "procedure" | "registry" | "environment">,
  key: string,
  cloud: Pick<RotationCloud, "invoke">,
): Promise<boolean> {
  if (plan.procedure === undefined) return true;
  const dispatcher = procedureFunctionName(plan.registry, plan.environment, "dispatcher");
  const call: FingerprintCall = { Action: "fingerprint", Key: key };
  const { answered } = await cloud.invoke(dispatcher, call);
  return answered;
}
