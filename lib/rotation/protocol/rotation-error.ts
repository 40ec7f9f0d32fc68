import { originOf } from "../../lambda/failure-origin";

/** Advice for a fault. `retryable`: another attempt may succeed by itself. `change`: action for a person. */
interface FaultAdvice {
  readonly retryable: boolean;
  readonly change: string;
}

/**
 * Every way in which a rotation says no. `retryable`: the same call may succeed later without anybody's help, so
 * Secrets Manager's own retries (or the state machine's) are worth having.
 */
export const ROTATION_FAULTS = {
  "event-malformed": {
    retryable: false,
    change: "call the function with a rotation step of Secrets Manager or with a phase event",
  },
  "secret-not-ours": {
    retryable: false,
    change: "deploy the environment again: the function's settings do not name this secret",
  },
  "settings-malformed": {
    retryable: false,
    change: "deploy the environment again with a settings file that this version of the function understands",
  },
  "settings-two-steps": {
    retryable: false,
    change: "set it back in the registry and deploy, or go the steps that are named",
  },
  "settings-former-unreachable": {
    retryable: true,
    change:
      "write into the registry what is named, deploy, and decommission the version (rotate --phase decommission); take it " +
      "out again afterwards. If the place is gone for good, nothing is left to end: the next rotation goes on without it",
  },
  "secret-missing": { retryable: false, change: "create the secret (terraform apply), then rotate it" },
  "secret-deleted": {
    retryable: false,
    change: "restore the secret (RestoreSecret), or retire it in the registry",
  },
  "replica-region": {
    retryable: false,
    change: "rotate in the primary region: replicas follow by themselves",
  },
  "rotation-disabled": { retryable: false, change: "switch the secret's rotation on (terraform apply)" },
  "version-unknown": { retryable: false, change: "start a new rotation: the version is not the secret's" },
  "version-not-pending": {
    retryable: false,
    change: "start a new rotation: the version carries neither AWSPENDING nor AWSCURRENT",
  },
  "value-missing": { retryable: true, change: "run createSecret for this version first" },
  "value-malformed": {
    retryable: false,
    change: "put a value of the kind's form, or cancel the rotation and start again",
  },
  "value-exists": { retryable: true, change: "try again: another call has written the version first" },
  "label-moved": { retryable: true, change: "try again: another call has moved the label in between" },
  "stale-version": {
    retryable: false,
    change: "cancel the rotation and start again: the value was made for another current value",
  },
  "not-published-yet": {
    retryable: true,
    change:
      "wait until every Vault, or without one every region, has confirmed the current version; look at the alarms",
  },
  "overlap-running": {
    retryable: true,
    change: "wait until the time that is named, or use Emergency for a leak",
  },
  "nothing-published": { retryable: false, change: "publish a next key first (rotate the secret)" },
  "version-is-current": {
    retryable: false,
    change: "name the version to retire: the current one is in use",
  },
  "nothing-to-return-to": {
    retryable: false,
    change: "rotate anew: no earlier version is left whose credential could be used again",
  },
  "still-presented": {
    retryable: true,
    change: "find the consumer that did not reload and restart it, or roll back",
  },
  "lock-running": {
    retryable: true,
    change:
      "wait until the time that is named; if a consumer fails now, roll back or open the login again as the detail says",
  },
  "not-marked": {
    retryable: false,
    change: "find out whose it is; what is ours gets the mark that the detail names",
  },
  "still-accepted": {
    retryable: true,
    change: "end the old credential at the target; decommission then proves that it is dead",
  },
  "operator-needed": {
    retryable: false,
    change: "supply a value (secrets-registry rotate <key> --env <environment> --value-from stdin)",
  },
  "value-repeated": { retryable: false, change: "supply a new credential: this one is in use" },
  "wrong-environment": {
    retryable: false,
    change: "supply a live credential in production, and a test or sandbox credential everywhere else",
  },
  "target-unreachable": {
    retryable: true,
    change: "check host, port, security groups and the function's subnets",
  },
  "target-not-trusted": {
    retryable: false,
    change: "give the CA that signed the target's certificate, and the host by the name in that certificate",
  },
  "target-without-tls": { retryable: false, change: "switch TLS on at the target: credentials need it" },
  "target-open": {
    retryable: false,
    change: "make the target ask for a password, or the rotation protects nothing",
  },
  "target-busy": { retryable: true, change: "wait until the target has finished its change" },
  "target-not-ours": {
    retryable: false,
    change:
      "let the settings name a thing of this secret's own; if the other secret is gone, take its mark off the thing",
  },
  "target-failed": {
    retryable: true,
    change: "look at the target's log for the error that is named; it is tried again",
  },
  "target-refused": { retryable: true, change: "check that the target holds this credential" },
  "target-misconfigured": { retryable: false, change: "set the target up as the detail says" },
  "host-mismatch": {
    retryable: false,
    change: "name the admin secret of this very server: an admin password is not sent to another host",
  },
  "user-mismatch": {
    retryable: false,
    change: "put a value with one of the users that the settings allow, or remove the foreign value",
  },
  "admin-refused": { retryable: true, change: "check the admin secret's value against the target" },
  "right-missing": { retryable: false, change: "grant what the detail names" },
  "name-too-long": { retryable: false, change: "shorten the name in the registry" },
  "access-denied": { retryable: false, change: "check the function's role and the secret's resource policy" },
  "vault-sealed": { retryable: true, change: "unseal the Vault: the mirror catches up by itself" },
  "vault-login-refused": {
    retryable: true,
    change:
      "compare the mirror's auth role (issuer, audience, subject) with its IAM role; terraform apply sets it right",
  },
  "vault-path-refused": {
    retryable: false,
    change: "give the path that is named to the mirror's Vault policy (terraform apply)",
  },
  "vault-write-conflict": {
    retryable: true,
    change: "nothing: another write came in between, and it is tried again",
  },
  "replica-behind": {
    retryable: true,
    change:
      "look at the secret's replication status; confirmation follows by itself once every region has the version",
  },
  "mirror-overtaken": {
    retryable: true,
    change: "nothing: another mirror was at work, and it is tried again",
  },
  "mirror-incomplete": {
    retryable: true,
    change: "look after what is named; the mirror catches up by itself, at the latest with its next sweep",
  },
  "run-under-way": {
    retryable: false,
    change: "wait for the run that is named (secrets-registry rotate status), or roll it back",
  },
  "run-ended": {
    retryable: false,
    change: "start a new rotation, with a new version: what has ended does not begin again",
  },
  "approval-missing": {
    retryable: false,
    change: "let an approver decide (secrets-registry approve): nothing ends before",
  },
  "approver-refused": {
    retryable: false,
    change: "let somebody else approve, with a role of the environment's approvers",
  },
  "already-decided": { retryable: false, change: "nothing: the first decision stands" },
  "proof-missing": {
    retryable: false,
    change: "ask by this version of secrets-registry, which proves who asks",
  },
  "proof-refused": {
    retryable: false,
    change: "run the command again, by a clock that is right, with credentials of the environment's account",
  },
  "run-mismatch": {
    retryable: false,
    change: "ask for what the run in the table is about: a phase does no more than its run says",
  },
  "run-turned-back": { retryable: false, change: "nothing: the run is being rolled back instead" },
  "way-back-closed": {
    retryable: false,
    change:
      "read the run's record: the target refuses the former credential, so the version in use stays. Where the record says " +
      "nothing-accepted, the target refuses that, too: rotate with --emergency",
  },
  "run-missing": { retryable: false, change: "start a rotation first: no run of this secret is open" },
  "run-too-early": {
    retryable: true,
    change: "wait until the new version is current (secrets-registry rotate status)",
  },
  "change-missing": {
    retryable: false,
    change:
      "name an approved change request: secrets-registry rotate <key> --env <environment> --change <file>",
  },
  "change-not-approved": {
    retryable: false,
    change: "merge the change request: CI vouches for it from the protected branch",
  },
  "change-not-open": { retryable: false, change: "rotate within the days that are named, or ask anew" },
  "change-used": { retryable: false, change: "ask for the next change: one was approved, and one was made" },
  "change-malformed": {
    retryable: false,
    change: "write the change request with secrets-registry change new, and check it with change check",
  },
  "token-refused": {
    retryable: false,
    change: "let a job of the protected branch ask for a token with the audience that is named",
  },
  "record-malformed": {
    retryable: false,
    change: "compare what the state machine passes with the record's form (lib/contracts/rotation-record.ts)",
  },
  throttled: { retryable: true, change: "nothing: it is tried again" },
  unexpected: { retryable: true, change: "look at the log line's origin; report it if it stays" },
} as const satisfies Record<string, FaultAdvice>;

/** Code of a rotation fault. */
export type RotationFaultCode = keyof typeof ROTATION_FAULTS;

/**
 * The only error that leaves the rotation code. Its text is made of codes, names and times, never of a value, and it
 * carries no `cause`: Lambda prints causes, and a driver's message may quote what it was sent.
 */
export class RotationError extends Error {
  /** Lambda's error type: what `Retry` of a state machine can match without reading messages. */
  override readonly name: "RotationError" | "RetryableRotationError";
  readonly retryable: boolean;
  /** Action for a person. */
  readonly change: string;

  /**
   * @param detail what was found, in names only
   * @param origin name or code that the target or AWS gave the failure, such as `28P01` or `ThrottlingException`
   */
  constructor(
    readonly code: RotationFaultCode,
    detail: string,
    readonly origin?: string,
  ) {
    const advice: FaultAdvice = ROTATION_FAULTS[code];
    super(`${code}: ${detail}${origin === undefined ? "" : ` (${origin})`}. To do: ${advice.change}.`);
    this.name = advice.retryable ? "RetryableRotationError" : "RotationError";
    this.retryable = advice.retryable;
    this.change = advice.change;
  }
}

/** A failure as a rotation error: itself, or `unexpected` with its origin. */
export function asRotationError(failure: unknown): RotationError {
  return failure instanceof RotationError
    ? failure
    : new RotationError("unexpected", "a call failed in a way that is not known", originOf(failure));
}
