import { lambdaEntry } from "../lambda-entry";
import { assembleChangeGate } from "../procedure/change-gate-handler";

/** Lambda's entry point of the change gate. */
export const handler = lambdaEntry(assembleChangeGate);
