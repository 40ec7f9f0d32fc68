import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleApprovalGate } from "../entries/approval-gate-handler";

/** Lambda's entry point of the approval gate. */
export const handler = lambdaEntry(assembleApprovalGate);
