import { originOf } from "../../lambda/failure-origin";
import { RotationError, type RotationFaultCode } from "../protocol/rotation-error";

type Meaning = readonly [code: RotationFaultCode, words: string];

/**
 * SQLSTATE codes and classes (their first two characters) that mean something to rotation. Every code that a server or a
 * pooler can name has its class here, or is the server's own failure.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const BY_SQLSTATE: Readonly<Record<string, Meaning>> = {
  "08": ["target-unreachable", "the connection broke"],
  "0A": [
    "target-misconfigured",
    "the server does not support what was asked of it: PostgreSQL 14 or newer is needed",
  ],
  "22": ["target-misconfigured", "the server takes a name or value for malformed"],
  "23": ["target-busy", "something else changed the same thing at the same time"],
  "25": ["target-misconfigured", "the server does not take the statement in its transaction"],
  "25006": ["target-misconfigured", "the server only reads: name the writer"],
  "28": ["target-refused", "the server refuses the login"],
  "3D": ["target-misconfigured", "there is no such database"],
  "3F": ["target-misconfigured", "there is no such schema"],
  "40": ["target-busy", "the transaction met another one"],
  "42": [
    "target-misconfigured",
    "the server does not understand the statement, or what it names is not there",
  ],
  "42501": ["right-missing", "a right is missing"],
  "42704": ["target-busy", "a role went while it was looked at"],
  "42710": ["target-busy", "a role was made at the same time"],
  "53": ["target-busy", "the server has no room"],
  "55": ["target-busy", "what was to be changed is in use"],
  "57": ["target-busy", "the server interrupted the statement, or stops"],
  P0: ["target-misconfigured", "a block on the server raised an error"],
};

/**
 * Messages of poolers with 08P01, a protocol violation, whatever it was. PgBouncer's texts are fixed; its own ones hold no
 * values, what it hands on from the server may.
 * https://github.com/pgbouncer/pgbouncer/blob/pgbouncer_1_18_0/src/client.c
 */
const BY_POOLER: readonly (readonly [RegExp, ...Meaning])[] = [
  [
    /SASL authentication failed|password authentication failed|no such user|not allowed|not permitted to log in|login failed/i,
    "target-refused",
    "the pooler refuses the login: its password is wrong, or the pooler does not know it (PgBouncer: auth_query; RDS Proxy: a secret for each login)",
  ],
  [
    /unsupported startup (parameter|option)/i,
    "target-misconfigured",
    "the pooler refuses a parameter of the startup packet",
  ],
  [/no such database|database .* does not exist/i, "target-misconfigured", "the pooler has no such database"],
  [
    /timeout|no more connections|shut(ting)? down|server down|cannot connect|conn(ection)? crashed/i,
    "target-busy",
    "the pooler has no server's connection to give",
  ],
];

/** A failure that a server or a pooler named by a SQLSTATE; `undefined`: it is none. Its text is never passed on. */
export function sqlFailure(failure: unknown, where: string): RotationError | undefined {
  const state = originOf(failure);
  // Node's codes have letters only, or underscores; SQLSTATE's five characters begin with a digit, F, H, P or X.
  if (!/^[0-9FHPX][0-9A-Z]{4}$/.test(state)) return undefined;
  const [code, words] = (state === "08P01" ? poolerMeaning(failure) : undefined) ??
    BY_SQLSTATE[state] ??
    BY_SQLSTATE[state.slice(0, 2)] ?? ["target-failed", "the server reports an error of its own"];
  return new RotationError(code, `${where}: ${words}`, state);
}

function poolerMeaning(failure: unknown): Meaning {
  const text = failure instanceof Error ? failure.message : "";
  for (const [pattern, code, words] of BY_POOLER) if (pattern.test(text)) return [code, words];
  return ["target-failed", "the server or the pooler before it breaks off the protocol"];
}
