import { type CallerProof, proofBinding } from "../../contracts/caller-proof";
import type { DispatcherSettings } from "../../contracts/function-settings";
import type { NewRun } from "../../contracts/run";
import { RotationError } from "../protocol/rotation-error";
import { type CallerIdentities, isOneOf } from "./caller-identity";

/** Caller of a request, as the request names them. */
export interface Asker {
  /** ARN as the command says. */
  readonly requester: string;
  /** The proof of it, and the event that it is of. */
  readonly proven?: { readonly proof: CallerProof; readonly asked: object } | undefined;
}

/** Name that goes into a run, and whether it is proven. */
export type ProvenCaller = Pick<NewRun, "startedBy" | "startedByIs">;

/**
 * Name of who asks. With a proof, STS says so; without one it is as the command says, and only where no proof is needed.
 *
 * @throws RotationError `proof-missing`, `proof-refused`, `target-unreachable`
 */
export async function provenCaller(
  { requester, proven }: Asker,
  settings: DispatcherSettings,
  identities: CallerIdentities,
): Promise<ProvenCaller> {
  if (proven === undefined) {
    if (settings.callerProof === "required") {
      throw new RotationError("proof-missing", `${settings.environment} takes nobody's word for who he is`);
    }
    return { startedBy: requester };
  }
  const caller = await identities.of(proven.proof, proofBinding(settings, "dispatcher", proven.asked));
  // Anybody can prove to be somebody in an account of his own, and then approve as himself.
  if (!isOneOf(caller, settings.starters ?? [])) {
    throw new RotationError("proof-refused", `${caller.arn} is none of ${settings.environment}'s operators`);
  }
  return { startedBy: caller.arn, startedByIs: "proven" };
}
