import type { PathStep } from "./faults";
import type { ParsedFile, ParsedSecret } from "./secret-definition";

/** A consumer as the author wrote it. */
export interface ListedConsumer {
  readonly workload: string;
  /** `undefined`: the kind's default files. */
  readonly files: readonly ParsedFile[] | undefined;
  /** Place of the entry in the definition, below the secret. */
  readonly path: readonly PathStep[];
  /** Place of the workload's name, below the secret. */
  readonly namedAt: readonly PathStep[];
  /** Environments to which the author limits it; `undefined`: none in particular. */
  readonly environments: readonly string[] | undefined;
  /** Last day on which it may read the secret; `undefined`: none. */
  readonly until: string | undefined;
}

function listed(
  entry: ParsedSecret["consumers"][number],
  path: readonly PathStep[],
  files: ListedConsumer["files"],
  environments: ListedConsumer["environments"],
): ListedConsumer {
  return typeof entry === "string"
    ? { workload: entry, files, path, namedAt: path, environments, until: undefined }
    : {
        workload: entry.workload,
        files: entry.files ?? files,
        path,
        namedAt: [...path, "workload"],
        environments: environments ?? ("environments" in entry ? entry.environments : undefined),
        until: entry.until,
      };
}

/** The consumers that an author lists for all environments. */
export const ownConsumers = (secret: ParsedSecret): readonly ListedConsumer[] =>
  secret.consumers.map((entry, index) => listed(entry, ["consumers", index], secret.files, undefined));

/** The consumers that an author lists for one environment; `undefined` where those for all of them stand. */
const plannedConsumers = (secret: ParsedSecret, environment: string): readonly ListedConsumer[] | undefined =>
  secret.environments[environment]?.consumers?.map((entry, index) =>
    listed(entry, ["environments", environment, "consumers", index], secret.files, [environment]),
  );

/** Every consumer that an author lists, for whatever environment. */
export const allConsumers = (secret: ParsedSecret): readonly ListedConsumer[] => [
  ...ownConsumers(secret),
  ...Object.keys(secret.environments).flatMap((name) => plannedConsumers(secret, name) ?? []),
];

/** The consumers of a secret in one environment: those listed for it, else those of all environments that are not limited to others. */
export const consumersIn = (secret: ParsedSecret, environment: string): readonly ListedConsumer[] =>
  plannedConsumers(secret, environment) ??
  ownConsumers(secret).filter(({ environments }) => environments?.includes(environment) ?? true);
