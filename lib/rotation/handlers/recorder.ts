import { lambdaEntry } from "../../lambda/lambda-entry";
import { assembleRecorder } from "../entries/recorder-handler";

/** Lambda's entry point of the recorder. */
export const handler = lambdaEntry(assembleRecorder);
