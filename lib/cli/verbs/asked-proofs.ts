import type { Blueprint } from "../../blueprint";
import { procedureFunctionName } from "../../model/names";
import type { DueSources } from "../cloud/due-sources";
import type { RotationCloud } from "../cloud/rotation-cloud";
import { UserFault } from "../terminal/user-fault";
import type { PreflightCheck } from "./preflight-check";

/** Sources whose proofs KMS has checked, and what could not be asked. */
export interface AskedProofs {
  readonly sources: DueSources;
  /** Checks after the secrets were looked at: none, where the dispatcher has answered for each of them. */
  checks(): readonly PreflightCheck[];
}

/**
 * Has the dispatcher say whether current versions are proved, as `rotate status` does: people may not ask KMS, and a label
 * that was made up has the form of a proof, too.
 */
export function askedProofs(
  sources: DueSources,
  {
    registry,
    environment,
    secrets,
    procedure,
  }: Pick<Blueprint, "registry" | "environment" | "secrets" | "procedure">,
  cloud: Pick<RotationCloud, "invoke">,
): AskedProofs {
  const dispatcher = procedureFunctionName(registry, environment, "dispatcher");
  const keys = new Map(
    secrets.flatMap((secret) => (secret.store === "aws" ? [[secret.name, secret.key]] : [])),
  );
  let unanswered = procedure === undefined ? "there is no dispatcher" : undefined;
  const unprovenOf = async (secretName: string): Promise<string | undefined> => {
    const Key = keys.get(secretName);
    if (Key === undefined || unanswered !== undefined) return undefined;
    try {
      const answer = await cloud.invoke(dispatcher, { Action: "status", Key });
      if (answer.answered) return (answer.payload as { readonly unproven?: string } | undefined)?.unproven;
      unanswered = `${dispatcher} fails`;
    } catch (failure) {
      if (!(failure instanceof UserFault)) throw failure;
      unanswered = `${dispatcher} may not be asked, or is not there`;
    }
    return undefined;
  };
  return {
    sources: {
      ...sources,
      secrets: {
        look: async (secretName) => {
          const found = await sources.secrets.look(secretName);
          if (found?.verified === undefined) return found;
          const unproven = await unprovenOf(secretName);
          return unproven === found.verified ? { ...found, verified: undefined } : found;
        },
      },
    },
    checks: () =>
      unanswered === undefined
        ? []
        : [
            {
              check: "proofs of current versions",
              state: "unknown",
              found: `by the form of their labels alone: ${unanswered}`,
              change: "ask as an operator, who may call the dispatcher",
            },
          ],
  };
}
