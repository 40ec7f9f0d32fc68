import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleDispatcher } from "../entries/dispatcher-handler";

/** Lambda's entry point of the dispatcher. */
export const handler = lambdaEntry(assembleDispatcher);
