import * as z from "zod/mini";
import { isSamePerson, type Registry } from "../../model";
import { secretName } from "../../model/names";
import type { ApprovalCloud } from "../cloud/approval-cloud";
import { UserFault } from "../user-fault";

/** What was answered. */
export interface Approval {
  readonly run: string;
  readonly secret: string;
  readonly environment: string;
  readonly answer: "approved" | "rejected";
  readonly approver: string;
}

/** What an approver says. */
export interface ApprovalRequest {
  readonly environment: string;
  readonly run: string;
  /** The request as it came by SNS: JSON, with the run and the token. */
  readonly message: string;
  readonly approves: boolean;
}

/** The state machine's request for approval, as far as an answer needs it. */
const requestSchema = z.object({
  environment: z.string(),
  secret: z.string(),
  run: z.string(),
  token: z.string().check(z.minLength(1), z.maxLength(2_048)),
});

/**
 * Answers a request for approval. The answer is refused here when it is by who asked for the change or started the run;
 * what keeps others out is that only the approvers' role may answer.
 *
 * @throws UserFault
 */
export async function approve(
  registry: Registry,
  { environment, run, message, approves }: ApprovalRequest,
  cloud: ApprovalCloud,
): Promise<Approval> {
  const request = requestOf(message);
  if (request.run !== run || request.environment !== environment) {
    throw new UserFault(
      `The message is about run ${request.run} in ${request.environment}, not about ${run} in ${environment}.`,
    );
  }
  const secret = registry.secretIn(environment, request.secret);
  if (secret === undefined) throw new UserFault(`${environment} has no secret ${request.secret}.`);
  const { account } = registry.environment(environment);
  const caller = await cloud.caller();
  if (caller.account !== account) {
    throw new UserFault(
      `The credentials belong to account ${caller.account}, and ${environment} is account ${account}. Take a role of ${environment}'s approvers.`,
    );
  }
  const found = await cloud.run(secretName(environment, secret.physicalKey), run);
  if (found === undefined) throw new UserFault(`${request.secret} has no run ${run} in ${environment}.`);
  for (const other of [found.startedBy, found.change?.requester]) {
    if (approves && other !== undefined && isCaller(caller.arn, other)) {
      throw new UserFault(`${other} asked for this, and an approver is never the requester.`);
    }
  }
  await cloud.answer(request.token, caller.arn, approves);
  return {
    run,
    secret: request.secret,
    environment,
    answer: approves ? "approved" : "rejected",
    approver: caller.arn,
  };
}

function requestOf(message: string): z.output<typeof requestSchema> {
  let json: unknown;
  try {
    json = JSON.parse(message);
  } catch {
    json = undefined;
  }
  const result = requestSchema.safeParse(json);
  if (result.success) return result.data;
  throw new UserFault("Standard input is to hold the whole request as it came: JSON, with run and token.");
}

/** People's sessions bear their e-mail address as their name, whichever role they take. */
function isCaller(arn: string, other: string): boolean {
  const session = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
  return isSamePerson(arn, other) || session(arn).toLowerCase() === session(other).toLowerCase();
}
