import { lambdaEntry } from "../lambda-entry";
import { assembleRestarter } from "../procedure/restarter-handler";

/** Lambda's entry point of the restarter. */
export const handler = lambdaEntry(assembleRestarter);
