import { assembleChangeGate } from "../entries/change-gate-handler";
import { lambdaEntry } from "../entries/lambda-entry";

/** Lambda's entry point of the change gate. */
export const handler = lambdaEntry(assembleChangeGate);
