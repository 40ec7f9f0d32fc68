import type { Run } from "../../rotation";

/** AWS, as far as an approver uses it, in one environment's account and primary region. */
export interface ApprovalCloud {
  /** ARN and account of the credentials in use. */
  caller(): Promise<{ readonly arn: string; readonly account: string }>;
  run(secretName: string, run: string): Promise<Run | undefined>;
  /** @throws UserFault when the request is answered, withdrawn, or too old */
  answer(token: string, approver: string, approves: boolean): Promise<void>;
}
