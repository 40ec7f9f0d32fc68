import { lambdaEntry } from "../lambda-entry";
import { assembleDispatcher } from "../procedure/dispatcher-handler";

/** Lambda's entry point of the dispatcher. */
export const handler = lambdaEntry(assembleDispatcher);
