import { type CallerProof, signedHeaders } from "../../contracts/caller-proof";
import { parsePrincipal } from "../../model/aws-grammar";
import { RotationError } from "../protocol/rotation-error";

/** Identity of a caller, as AWS gives it. */
export interface CallerIdentity {
  /** ARN of a role's session, or of an IAM user. */
  readonly arn: string;
  readonly account: string;
}

/** Proofs of callers. */
export interface CallerIdentities {
  /**
   * @param binding what the proof has to be about
   * @throws RotationError `proof-refused`, `target-unreachable`
   */
  of(proof: CallerProof, binding: string): Promise<CallerIdentity>;
}

/** A proof is made for one call that follows at once. STS itself would take it for 15 minutes. */
const OLDEST_MS = 5 * 60_000;
/** Clocks differ. */
const AHEAD_MS = 60_000;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}\/(\d{8})\/([a-z0-9-]+)\/sts\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/;

/**
 * Refuses a proof that is not of the one request that is sent for it: another service, another region, a header that is
 * not signed, one header more, or a time that is over.
 *
 * @throws RotationError `proof-refused`
 */
export function checkProof(proof: CallerProof, region: string, now: Date): void {
  const [, day, signedRegion, headers] = AUTHORIZATION.exec(proof.Authorization) ?? [];
  const at = dateOf(proof.Date);
  if (day === undefined || at === undefined) throw refused("it is no signature of GetCallerIdentity");
  if (day !== proof.Date.slice(0, 8) || signedRegion !== region) throw refused(`it is not for ${region}`);
  if (headers !== signedHeaders(proof.SecurityToken !== undefined)) {
    throw refused("its signature does not cover just what is sent");
  }
  const age = now.getTime() - at.getTime();
  if (age > OLDEST_MS || age < -AHEAD_MS) throw refused(`it is of ${at.toISOString()}`);
}

const refused = (why: string): RotationError => new RotationError("proof-refused", why);

function dateOf(text: string): Date | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  if (parts.length === 0) return undefined;
  const [year, month, day, hours, minutes, seconds] = parts;
  const at = new Date(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

const SESSION = /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)\/([^/]+)$/;

/**
 * `true` where an identity is one of the registry's principals: a session of one of the roles, whose names are unique in
 * their account (the session's ARN leaves their path out), or one of the users.
 */
export const isOneOf = ({ arn }: CallerIdentity, principals: readonly string[]): boolean =>
  principals.some((wanted) => {
    if (wanted === arn) return true;
    const principal = parsePrincipal(wanted);
    const [, partition, account, role] = SESSION.exec(arn) ?? [];
    return (
      principal?.type === "role" &&
      principal.partition === partition &&
      principal.account === account &&
      principal.name === role
    );
  });

/** A person's name: people's sessions bear it, whichever role they take. */
const personOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1).toLowerCase();

/** `true` where two names are one person's: ARNs, or an ARN and the e-mail address that names its session. */
export const isSameCaller = (a: string, b: string): boolean => personOf(a) === personOf(b);
