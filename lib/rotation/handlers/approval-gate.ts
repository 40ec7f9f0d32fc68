import { assembleApprovalGate } from "../entries/approval-gate-handler";
import { lambdaEntry } from "../entries/lambda-entry";

/** Lambda's entry point of the approval gate. */
export const handler = lambdaEntry(assembleApprovalGate);
