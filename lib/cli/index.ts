/**
 * The command line as programs see it that contain it, such as a checkout's with its rehearsal: the program, what commands
 * are added with, and the verbs that a rehearsal drives.
 */
export { AwsRotationCloud, type AwsRotationCloudProps } from "./cloud/aws-rotation-cloud";
export { httpsPlaces } from "./cloud/https-places";
export type { Places } from "./cloud/places";
export type { FunctionAnswer } from "./cloud/rotation-cloud";
export { formatOption } from "./commands/format-option";
export { type Pace, REAL_PACE } from "./driver/pace";
export type { Progress, Report } from "./driver/progress";
export { type ProgramHost, run } from "./program";
export { progressOn } from "./render/progress";
export { processTerminal } from "./terminal/process-terminal";
export { textTable } from "./terminal/table";
export type { Terminal } from "./terminal/terminal";
export { UserFault } from "./terminal/user-fault";
export { bootstrap } from "./verbs/bootstrap";
export { type RotatePhase, type RotationHost, type RotationReport, rotate } from "./verbs/direct-rotation";
