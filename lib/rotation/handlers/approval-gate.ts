import { lambdaEntry } from "../lambda-entry";
import { assembleApprovalGate } from "../procedure/approval-gate-handler";

/** Lambda's entry point of the approval gate. */
export const handler = lambdaEntry(assembleApprovalGate);
