import { readFileSync } from "node:fs";
import { changeDigest, readChangeRequest } from "../../contracts";
import { formatFault, type Registry } from "../../model";
import { changeAudience, procedureFunctionName } from "../../model/names";
import type { JobTokenSource } from "../cloud/job-tokens";
import { requireAccount } from "../cloud/require-account";
import type { FunctionAnswer, RotationCloud } from "../cloud/rotation-cloud";
import { UserFault } from "../terminal/user-fault";
import { checkChanges } from "./change-check";

/** Result for one file. */
export type VouchedChange =
  | {
      readonly file: string;
      readonly outcome: "vouched";
      readonly id: string;
      readonly digest: string;
      /** Days between which a run may begin by it. */
      readonly from: string;
      readonly until: string;
    }
  /** It is of other environments, or history. */
  | { readonly file: string; readonly outcome: "skipped"; readonly why: string }
  /** It is at fault, or the change gate did not take it. */
  | { readonly file: string; readonly outcome: "refused"; readonly why: string };

/** The answer of `change vouch`. */
export interface Vouching {
  readonly environment: string;
  /** Nothing was refused. */
  readonly complete: boolean;
  readonly files: readonly VouchedChange[];
}

/** Files to vouch for. */
export interface VouchQuestion {
  readonly environment: string;
  readonly files: readonly string[];
  /** `2026-11-25`, UTC. */
  readonly today: string;
}

/** AWS by the credentials of CI's role, and the job's tokens. */
export interface VouchHost {
  readonly cloud: Pick<RotationCloud, "callerAccount" | "invoke">;
  readonly tokenFor: JobTokenSource;
}

/**
 * Vouches for the open change requests of an environment at its change gate, each by a token of its own. One that was vouched for
 * stays as it is, used or not, so that the same files may be given with every push.
 *
 * @throws UserFault for an environment in which nobody can vouch, credentials of another account, and a job without a token
 */
export async function vouch(
  registry: Registry,
  { environment, files, today }: VouchQuestion,
  { cloud, tokenFor }: VouchHost,
): Promise<Vouching> {
  const { account, changes } = registry.environment(environment);
  if (changes === undefined) {
    throw new UserFault(
      `${environment} believes no job: name in environments.${environment}.changes the repository whose jobs vouch, and in its principals.ci their role.`,
    );
  }
  const { files: checked } = checkChanges(registry, files, today);
  const answers: VouchedChange[] = [];
  let isOurs = false;
  for (const { file, open, faults, digest } of checked) {
    const text = readFileSync(file, "utf8");
    const { parts } = readChangeRequest(text);
    const skipped = !open
      ? "it is closed"
      : parts.schedule !== undefined && parts.schedule[environment] === undefined
        ? `it is not for ${environment}`
        : undefined;
    if (skipped !== undefined) {
      answers.push({ file, outcome: "skipped", why: skipped });
    } else if (digest === undefined) {
      answers.push({ file, outcome: "refused", why: faults.map(formatFault).join("\n\n") });
    } else {
      if (!isOurs) await requireAccount(cloud, { environment, account });
      isOurs = true;
      const gate = procedureFunctionName(registry.id, environment, "change-gate");
      const token = await tokenFor(changeAudience(registry.id, environment, changeDigest(text)));
      answers.push(answerOf(file, gate, await cloud.invoke(gate, { Change: text, Token: token })));
    }
  }
  return { environment, complete: answers.every(({ outcome }) => outcome !== "refused"), files: answers };
}

/** The gate's words are made of codes, names and days; what is not one of its errors is not quoted. */
function answerOf(file: string, gate: string, answer: FunctionAnswer): VouchedChange {
  if (!answer.answered) {
    const why = /^[a-z][a-z-]*: /.test(answer.errorMessage)
      ? answer.errorMessage
      : `${gate} ended without an answer of its own. Look at its log group /aws/lambda/${gate}.`;
    return { file, outcome: "refused", why };
  }
  const { id, digest, from, until } = answer.payload as Record<string, string>;
  return {
    file,
    outcome: "vouched",
    id: String(id),
    digest: String(digest),
    from: String(from),
    until: String(until),
  };
}
