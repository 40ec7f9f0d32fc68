/** States of the Amazon States Language with JSONata, https://states-language.net: what all phases are written with. */

/** A state, as far as this library reads it again. */
export interface State {
  readonly Type: "Choice" | "Fail" | "Pass" | "Succeed" | "Task" | "Wait";
  readonly Resource?: string;
  readonly [field: string]: unknown;
}

/** Time between two tries, in seconds. */
export const RETRY_SECONDS = 300;
/** A day, at that pace: Vaults may be sealed over a night. */
export const CONFIRMATION_TRIES = 288;

/** Errors that Lambda itself answers once in a while: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html */
export const SERVICE_RETRY = {
  ErrorEquals: [
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
  ],
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
};
/** Other services' calls repeat nothing that matters. */
export const CALL_RETRY = {
  ErrorEquals: ["States.TaskFailed"],
  IntervalSeconds: 2,
  MaxAttempts: 3,
  BackoffRate: 2,
};
/**
 * Errors that are worth another try: faults that say so, and functions that were cut off, by Lambda or by a crash. Every
 * phase can be repeated.
 */
export const PASSING = ["RetryableRotationError", "Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError"];

/** An expression as a field of a state has it. */
export const jsonata = (expression: string): string => `{% ${expression} %}`;

/**
 * A fault's code: the one that our errors' messages begin with (`code: detail`), else the error's name. A failed check's
 * message begins with the check.
 */
const CODE = [
  "$isNamed := $states.errorOutput.Error = 'CheckFailed'",
  '$said := $isNamed ? [] : $match($states.errorOutput.Cause, /"errorMessage": ?"([a-z][a-z-]*): /, 1)',
  "$named := $match($states.errorOutput.Error, /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 1)",
  "$count($said) > 0 ? $said[0].groups[0] : $exists($named) ? $states.errorOutput.Error : 'unknown'",
].join("; ");

/** Notes what went wrong in a state, and goes on. */
export const caught = (state: string, errors: readonly string[], next: string) => ({
  ErrorEquals: errors,
  Assign: { fault: { state, code: jsonata(`(${CODE})`) } },
  Next: next,
});

/** Adds a phase that began at `$since` to those that are recorded. */
export const phaseDone = (phase: string): string =>
  `$append($phases, {'phase': '${phase}', 'startedAt': $since, 'endedAt': $now(), 'outcome': 'done'})`;
/** The same for one that failed, with its fault. */
export const phaseFailed = (phase: string): string =>
  `$append($phases, {'phase': '${phase}', 'startedAt': $since, 'endedAt': $now(), 'outcome': 'failed', 'fault': $fault.code})`;

/** Start of a loop of tries. */
export const BEGIN = { tries: 0, since: jsonata("$now()") };
export const ANOTHER_TRY = jsonata("$tries + 1");

/** Goes round again until a loop has had its tries. */
export const again = (tries: number, wait: string, otherwise: string): State => ({
  Type: "Choice",
  Choices: [{ Condition: jsonata(`$tries < ${tries}`), Next: wait }],
  Default: otherwise,
});
/** Waits between two tries. */
export const pause = (next: string): State => ({
  Type: "Wait",
  Seconds: jsonata("$retrySeconds"),
  Next: next,
});

/** Counts a try of a state, and comes back to it after a pause until it has had its tries. */
export const triedAgain = (
  state: string,
  tries: number,
  otherwise: string,
): Readonly<Record<string, State>> => ({
  [`Count${state}`]: { Type: "Pass", Assign: { tries: ANOTHER_TRY }, Next: `${state} again?` },
  [`${state} again?`]: again(tries, `Await${state}`, otherwise),
  [`Await${state}`]: pause(state),
});
