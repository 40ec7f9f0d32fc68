import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleWatcher } from "../entries/watcher-handler";

/** Lambda's entry point of the watcher. */
export const handler = lambdaEntry(assembleWatcher);
