import { code, page, parts, table } from "./page";
import { type SourceType, typesOf } from "./source-types";

const FILES = [
  "lib/model/definition.ts",
  "lib/model/environment-definition.ts",
  "lib/model/workload-definition.ts",
  "lib/model/secret-definition.ts",
  "lib/model/changes.ts",
  "lib/model/health-checks.ts",
  "lib/model/rotation-schedule.ts",
];
/** Types that authors write, apart from those whose names end in `Input`. */
const ALSO = ["SecretInputCommon", "RotationHours", "Tier"];
/** In the order in which an author meets them; what is not named follows. */
const FIRST = [
  "RegistryInput",
  "SecretInput",
  "SecretInputCommon",
  "SecretInEnvironmentInput",
  "ConsumerInput",
  "ConsumerInEnvironmentInput",
  "FileInput",
  "EnvironmentInput",
];

/** Page of everything that an author writes but the settings of kinds. */
export function registryPage(): string {
  const written = FILES.flatMap(typesOf).filter(({ name }) => name.endsWith("Input") || ALSO.includes(name));
  const rank = ({ name }: SourceType): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return page("Registry settings", [
    "What `defineRegistry` takes, type by type; settings of each kind are on [their page](kinds.md). Lengths of time are written `days(30)`, `hours(6)`, `minutes(10)`, `seconds(30)`. " +
      "What does not hold together is refused, all faults at once ([form](error-codes.md#registry)).",
    ...[...written].sort((a, b) => rank(a) - rank(b)).flatMap(sectionOf),
  ]);
}

const sectionOf = ({ name, comment, properties, alias }: SourceType): readonly string[] =>
  parts(
    `## ${name}`,
    comment,
    alias === undefined ? "" : `\`\`\`ts\n${alias.replaceAll("readonly ", "")}\n\`\`\``,
    table({
      head: ["setting", "needed", "type", "means"],
      rows: properties.map((property) => [
        code(property.name),
        property.optional ? "" : "yes",
        code(property.type),
        property.comment,
      ]),
    }),
  );
