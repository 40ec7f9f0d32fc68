import * as z from "zod/mini";
import { proofBinding } from "../../contracts/caller-proof";
import type { Registry } from "../../model";
import { procedureFunctionName, secretName } from "../../model/names";
import type { ApprovalCloud } from "../cloud/approval-cloud";
import { UserFault } from "../terminal/user-fault";

/** A decision that the approval gate has taken. */
export interface Approval {
  readonly run: string;
  readonly secret: string;
  readonly environment: string;
  readonly answer: "approved" | "rejected";
  readonly approver: string;
}

/** A decision as an approver gives it. */
export interface ApprovalRequest {
  readonly environment: string;
  readonly run: string;
  /** The request as it came by SNS: JSON, with secret and run. */
  readonly message: string;
  readonly approves: boolean;
}

/** The state machine's request for approval, as far as an answer needs it. */
const requestSchema = z.object({
  environment: z.string(),
  secret: z.string(),
  run: z.string(),
});

/**
 * Answers a request for approval, with a proof of who answers. The approval gate refuses whoever asked for the change or
 * started the run, and whoever is none of the approvers.
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
  const event = {
    Action: approves ? "approve" : "reject",
    Secret: secretName(environment, secret.physicalKey),
    Run: run,
  };
  const place = { registry: registry.id, environment };
  const Proof = await cloud.proofOf(proofBinding(place, "approval-gate", event));
  await cloud.decide(procedureFunctionName(registry.id, environment, "approval-gate"), { ...event, Proof });
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
  throw new UserFault("Standard input is to hold the whole request as it came: JSON, with secret and run.");
}
