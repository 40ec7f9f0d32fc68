import type { CallerProof } from "../../contracts/caller-proof";

/** AWS, as far as an approver uses it, in one environment's account and primary region. */
export interface ApprovalCloud {
  /** ARN and account of the credentials in use. */
  caller(): Promise<{ readonly arn: string; readonly account: string }>;
  /** A proof of who holds them, for one request of a function. */
  proofOf(binding: string): Promise<CallerProof>;
  /** @throws UserFault with the approval gate's own words when it refuses */
  decide(functionName: string, event: object): Promise<void>;
}
