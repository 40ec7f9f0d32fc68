import { lambdaEntry } from "../lambda-entry";
import { assembleWatcher } from "../procedure/watcher-handler";

/** Lambda's entry point of the watcher. */
export const handler = lambdaEntry(assembleWatcher);
