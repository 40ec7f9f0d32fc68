import { consumersIn, type ListedConsumer } from "./consumers";
import { daysBetween } from "./days-between";
import { type Fault, fault } from "./faults";
import type { ParsedRegistry } from "./parse";
import type { EnvironmentSecret } from "./resolve";

/** A grant that ends by itself, in one environment. */
export interface EndingGrant {
  readonly secret: string;
  readonly workload: string;
  /** Last day, in UTC, on which it is held. */
  readonly until: string;
  /** `false`: the day is over, and the grant is in no blueprint. `undefined`: the registry is of no day. */
  readonly held: boolean | undefined;
}

/** `true` while a grant is held: until its last day is over. Dates of this form compare as text. */
export const isHeldOn = (day: string, { until }: Pick<ListedConsumer, "until">): boolean =>
  until === undefined || day <= until;

/**
 * Grants of an environment that end by themselves, sorted by secret and workload.
 *
 * @param day today; `undefined`: none is said
 */
export const endingGrantsIn = (
  parsed: ParsedRegistry,
  environment: string,
  secrets: readonly EnvironmentSecret[],
  day: string | undefined,
): readonly EndingGrant[] =>
  secrets.flatMap(({ key }) => {
    const secret = parsed.secrets.get(key);
    return (secret ? consumersIn(secret, environment) : [])
      .flatMap(({ workload, until }): readonly EndingGrant[] =>
        until === undefined
          ? []
          : [
              {
                secret: key,
                workload,
                until,
                held: day === undefined ? undefined : isHeldOn(day, { until }),
              },
            ],
      )
      .sort((a, b) => (a.workload < b.workload ? -1 : 1));
  });

/** Faults of a registry that has grants with a last day, and no day to compare it with. */
export const dayFaults = (
  parsed: ParsedRegistry,
  environment: string,
  secrets: readonly EnvironmentSecret[],
): readonly Fault[] =>
  secrets.flatMap(({ key }) => {
    const secret = parsed.secrets.get(key);
    return (secret ? consumersIn(secret, environment) : []).flatMap(({ until, path }) =>
      until === undefined
        ? []
        : [
            fault(
              ["secrets", key, ...path, "until"],
              `${JSON.stringify(until)}, in a registry of no day`,
              "a last day where the registry knows today, so that the same day gives the same output",
              "hand on registry.on(today) in place of the registry, such as registry.on(new Date().toISOString().slice(0, 10))",
            ),
          ],
    );
  });

/** Days ahead of its end from which a grant is warned of. */
const AHEAD = 30;

/**
 * Sentences about grants that have ended or end within 30 days; none for those that end later.
 *
 * @param day today
 */
export const endingTexts = (grants: readonly EndingGrant[], day: string): readonly string[] =>
  grants.flatMap(({ secret, workload, until, held }) => {
    const what = `${word(workload)} reads ${word(secret)}`;
    if (held === false) {
      return [
        `The grant by which ${what} ended on ${until}: a synth leaves it out. Remove its line, and rotate ${word(secret)} once that is applied: the workload still knows the value.`,
      ];
    }
    const left = daysBetween(day, until);
    if (left > AHEAD) return [];
    const when = left === 0 ? "today" : left === 1 ? "tomorrow" : `in ${left} days`;
    return [
      `The grant by which ${what} ends ${when}, after ${until}: a later synth leaves it out, and its pods need their files without it.`,
    ];
  });

/** A name in a code span: workloads and keys have letters, digits, hyphens and slashes only. */
const word = (name: string): string => `\`${name}\``;
