import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleChangeGate } from "../entries/change-gate-handler";

/** Lambda's entry point of the change gate. */
export const handler = lambdaEntry(assembleChangeGate);
