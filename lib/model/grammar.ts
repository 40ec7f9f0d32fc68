import * as z from "zod/mini";
import type { Duration } from "./duration";
import { form, matches } from "./text-grammar";

/**
 * The vocabulary of a registry: keys, names, dates, lengths of time. AWS's, Kubernetes', servers' and pipelines' forms stand in
 * files of their own beside this one.
 * Every schema carries what is allowed and what to change, so that a fault can say both.
 *
 * What makes them is marked as free of side effects, by which a function's bundle leaves out those that it does not use.
 */

const SLUG = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Names of environments, workloads, Vaults and the registry itself: they become parts of AWS and Vault names. */
export const slug = form((value) => SLUG.test(value) && value.length <= 40, {
  allowed: "lower-case letters, digits and single hyphens, beginning with a letter, at most 40 characters",
  change: "choose a name of that form: it becomes part of role names, policy names and paths",
});

const SECRET_KEY = /^[a-z0-9]+(-[a-z0-9]+)*(\/[a-z0-9]+(-[a-z0-9]+)*)*$/;

/**
 * A secret key. AWS would allow more; this is what Secrets Manager, Vault paths, Terraform addresses
 * and file names all take without escaping. Secrets Manager itself warns against names that end in a
 * hyphen and six characters: a partial ARN of such a name reads like a complete one.
 */
export const secretKey = form((value) => SECRET_KEY.test(value) && value.length <= 200, {
  allowed:
    "lower-case letters, digits, single hyphens inside words, and / between words, at most 200 characters",
  change: "rename the key, such as db/app-primary",
});

/** A calendar date. */
export const calendarDate = form(
  (value) =>
    /^\d{4}-\d{2}-\d{2}$/.test(value) && new Date(`${value}T00:00:00Z`).toJSON()?.slice(0, 10) === value,
  { allowed: "a date such as 2026-12-31", change: "write year, month and day" },
);

/** Free text of one line. */
export const oneLine = form((value) => value.trim() !== "" && !/[\r\n]/.test(value) && value.length <= 256, {
  allowed: "one line of text, at most 256 characters",
  change: "say it in one line",
});

/** Name of a field of a value, or of a public setting beside it. */
export const fieldName = form(matches(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/), {
  allowed:
    "letters, digits, hyphens and underscores, beginning with a letter, at most 63 characters, such as api-key",
  change: "leave out other characters: it is a key of the value's JSON",
});

/** A moment in UTC as `toISOString` writes it. */
export const utcInstant = form((value) => new Date(value).toJSON() === value, {
  allowed: "a time such as 2026-11-25T10:15:00.000Z",
  change: "write it as toISOString does",
});

/** A {@link Duration} of at least a second. */
export const duration: z.ZodMiniType<Duration, Duration> = z.strictObject({ seconds: z.number() }).check(
  z.refine((value) => Number.isInteger(value.seconds) && value.seconds >= 1, {
    params: {
      allowed: "a whole, positive length of time, such as days(30)",
      change: "use days(…), hours(…) or minutes(…)",
    },
    message: "a whole, positive length of time",
  }),
);
